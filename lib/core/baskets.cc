#include "core/baskets.h"

#include <algorithm>

namespace attune {

void Baskets::add(const std::string& key, std::uint64_t customer, std::int64_t time, std::string_view item)
{
  auto number = numbers_.find(item);
  if (number == numbers_.end()) {
    texts_.emplace_back(item);
    number = numbers_.emplace(texts_.back(), static_cast<std::uint32_t>(texts_.size() - 1)).first;
  }
  const auto [place, added] = places_.emplace(key, baskets_.size());
  if (added) baskets_.push_back({time, key, customer, {}});
  auto& basket = baskets_[place->second];
  basket.time = std::min(basket.time, time);
  basket.items.push_back(number->second);
}

void Baskets::add_order(const Event& event)
{
  if (event.type != EventType::purchase || event.order.empty()) return;
  const auto key = event.customer.text + '\0' + event.order.text;
  const auto customer = session_key(event.customer, {}).customer;
  for (const auto& line : lines_of(event)) add(key, customer, event.time->ms, line.item.text);
}

void Baskets::add_sessions(const LessonStream& lessons, const Probes& probes)
{
  for (std::uint32_t i = 0; i < lessons.size(); ++i) {
    const auto lesson = lessons[i];
    const bool taken = lesson.kind == ClickKind::cart_add || lesson.kind == ClickKind::purchase;
    if (taken && probes.session_of(i) != Probes::kNone) add(std::to_string(probes.session_of(i)), 0, lesson.time, lesson.item);
  }
}

std::uint32_t Baskets::item_of(std::string_view text) const
{
  const auto found = numbers_.find(text);
  return found == numbers_.end() ? Probes::kNone : found->second;
}

void Baskets::refuse(const Refusals& refusals)
{
  std::erase_if(baskets_, [&](const Basket& basket) { return !refusals.admits(basket.customer, basket.time); });
}

void Baskets::sort()
{
  std::sort(baskets_.begin(), baskets_.end(),
            [](const Basket& a, const Basket& b) { return a.time != b.time ? a.time < b.time : a.key < b.key; });
  for (auto& basket : baskets_) {
    std::sort(basket.items.begin(), basket.items.end(), [this](std::uint32_t a, std::uint32_t b) { return texts_[a] < texts_[b]; });
    basket.items.erase(std::unique(basket.items.begin(), basket.items.end()), basket.items.end());
  }
}

} // namespace attune
