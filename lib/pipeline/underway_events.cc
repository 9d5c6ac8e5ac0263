#include "pipeline/underway_events.h"

#include <algorithm>
#include <utility>

namespace attune {

void UnderwayEvents::put(std::vector<Event> events)
{
  const std::lock_guard lock(mutex_);
  for (auto& event : events) {
    if (event.type == EventType::identify) continue;
    auto kept = std::make_shared<const Event>(std::move(event));
    auto& of_one = by_customer_[kept->customer.text];
    of_one.push_back(kept);
    if (of_one.size() > kMostOfOne) of_one.erase(of_one.begin());
    all_.push_back(std::move(kept));
    if (all_.size() > most_) let_go_of_oldest();
  }
}

void UnderwayEvents::let_go_of_oldest()
{
  const auto oldest = std::move(all_.front());
  all_.pop_front();
  const auto found = by_customer_.find(oldest->customer.text);
  if (found == by_customer_.end()) return;
  auto& of_one = found->second;
  if (!of_one.empty() && of_one.front() == oldest) of_one.erase(of_one.begin()); // else its customer has let go of it before
  if (of_one.empty()) by_customer_.erase(found);
}

std::optional<std::vector<Event>> UnderwayEvents::completing(const Token& token, const CustomerId& customer,
                                                             const Profile* profile) const
{
  std::vector<Kept> kept;
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_customer_.find(customer.text);
    if (found == by_customer_.end()) return {};
    kept.assign(found->second.begin(), found->second.end());
  }
  std::erase_if(kept,
                [profile](const Kept& each) { return profile && holds(*profile, each->type, Place::of(*each)) != Held::unknown; });
  for (const auto& entry : token.entries()) {
    const bool here = std::any_of(kept.begin(), kept.end(),
                                  [&](const Kept& each) { return each->type == entry.type && Place::of(*each) == entry.place; });
    if (!here && awaited(entry, profile)) return {};
  }
  std::vector<Event> events;
  events.reserve(kept.size());
  for (const auto& each : kept) events.push_back(*each);
  return events;
}

std::size_t UnderwayEvents::size() const
{
  const std::lock_guard lock(mutex_);
  return all_.size();
}

} // namespace attune
