#include "pipeline/watchers.h"

namespace attune {

std::optional<Watchers::Ticket> Watchers::watch(const CustomerId& customer, std::function<void()> call)
{
  if (size_.fetch_add(1) >= most_) {
    size_.fetch_sub(1);
    return {};
  }
  const Ticket ticket = next_.fetch_add(1);
  Shard& shard = shard_of(customer);
  const std::lock_guard lock(shard.mutex);
  shard.calls.emplace(customer.text, std::pair(ticket, std::move(call)));
  return ticket;
}

void Watchers::unwatch(const CustomerId& customer, Ticket ticket)
{
  Shard& shard = shard_of(customer);
  const std::lock_guard lock(shard.mutex);
  const auto [begin, end] = shard.calls.equal_range(customer.text);
  for (auto at = begin; at != end; ++at) {
    if (at->second.first != ticket) continue;
    shard.calls.erase(at);
    size_.fetch_sub(1);
    return;
  }
}

void Watchers::changed(const CustomerId& customer)
{
  Shard& shard = shard_of(customer);
  const std::lock_guard lock(shard.mutex);
  const auto [begin, end] = shard.calls.equal_range(customer.text);
  for (auto at = begin; at != end; ++at) at->second.second();
}

void Watchers::changed(const Profile& profile)
{
  if (size() == 0) return;
  changed(profile.customer);
  for (const auto& claim : profile.aliases) changed(claim.alias);
}

void Watchers::all_changed()
{
  for (auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (auto& [customer, call] : shard.calls) call.second();
  }
}

} // namespace attune
