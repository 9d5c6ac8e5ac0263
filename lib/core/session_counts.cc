#include "core/session_counts.h"

#include <algorithm>
#include <span>
#include <utility>

namespace attune {

SessionCounts::SessionCounts(const SessionTable& table, SessionNumber session) : session_(session)
{
  std::vector<std::pair<ItemNumber, std::size_t>> by_item;
  for (const auto& click : table.clicks(session)) {
    if (!items_.empty() && items_.back() == click.item) continue;
    by_item.emplace_back(click.item, items_.size());
    items_.push_back(click.item);
    steps_.push_back({click.time, false});
  }
  std::sort(by_item.begin(), by_item.end());
  for (std::size_t i = 0; i < by_item.size(); ++i)
    steps_[by_item[i].second].is_new = i == 0 || by_item[i - 1].first != by_item[i].first;
  table.basket(session, basket_);
}

void SessionCounts::add_step(std::size_t at, Model::State& state) const
{
  const auto item = items_[at];
  const bool is_new = steps_[at].is_new;
  state.pairs.add(std::span(items_).first(at), item, is_new, false);
  auto& facts = state.items.facts[item];
  ++facts.clicks;
  if (!is_new) return void(++facts.returns);
  ++facts.sessions;
  state.items.weigh(item);
  state.postings.add(item, session_, state.table);
}

void SessionCounts::subtract_step(std::size_t at, Model::State& state, ItemPairs::Emptied* emptied) const
{
  const auto item = items_[at];
  const bool is_new = steps_[at].is_new;
  state.pairs.subtract(std::span(items_).first(at), item, is_new, emptied);
  auto& facts = state.items.facts[item];
  if (--facts.clicks == 0) state.items.leave(item);
  if (!is_new) return void(--facts.returns);
  --facts.sessions;
  state.items.weigh(item);
  state.postings.remove(item, session_, steps_[at].time);
}

void SessionCounts::add(Model::State& state) const
{
  for (std::size_t i = 0; i < items_.size(); ++i) add_step(i, state);
  for (std::size_t i = 0; i < basket_.size(); ++i) state.complements.add(std::span(basket_).first(i), basket_[i]);
}

void SessionCounts::subtract(Model::State& state, ItemPairs::Emptied* emptied) const
{
  for (auto i = items_.size(); i-- > 0;) subtract_step(i, state, emptied);
  for (auto i = basket_.size(); i-- > 0;) state.complements.subtract(std::span(basket_).first(i), basket_[i]);
}

bool SessionCounts::same_step(std::size_t at, const SessionCounts& other, std::size_t of_other) const
{
  return items_[at] == other.items_[of_other] && steps_[at].time == other.steps_[of_other].time;
}

// What an item counts for depends on itself and on so many before it; whether the session held it, on all before it.
void SessionCounts::move(const SessionCounts& before, Model::State& state, ItemPairs::Emptied& emptied) const
{
  const auto was = before.items_.size();
  const auto is = items_.size();
  const auto both = std::min(was, is);
  std::size_t front = 0;
  while (front < both && same_step(front, before, front)) ++front;
  std::size_t back = 0;
  while (back < both - front && same_step(is - 1 - back, before, was - 1 - back)) ++back;
  // Place `at` of the back in each, counted from the end.
  const auto stays = [&](std::size_t from_end) {
    return from_end + kLags < back && before.steps_[was - 1 - from_end].is_new == steps_[is - 1 - from_end].is_new;
  };
  for (auto i = was; i-- > front;)
    if (!stays(was - 1 - i)) before.subtract_step(i, state, &emptied);
  for (auto i = front; i < is; ++i)
    if (!stays(is - 1 - i)) add_step(i, state);

  const auto basket = [](const std::vector<ItemNumber>& items) { return std::span(items); };
  const auto old_basket = basket(before.basket_);
  const auto new_basket = basket(basket_);
  const auto shorter = std::min(old_basket.size(), new_basket.size());
  front = 0;
  while (front < shorter && old_basket[front] == new_basket[front]) ++front;
  back = 0;
  while (back < shorter - front && old_basket[old_basket.size() - 1 - back] == new_basket[new_basket.size() - 1 - back]) ++back;
  const auto changed = [&](std::size_t size) { return size - (back > kBasketLooked ? back - kBasketLooked : 0); };
  for (auto i = changed(old_basket.size()); i-- > front;) state.complements.subtract(old_basket.first(i), old_basket[i]);
  for (auto i = front; i < changed(new_basket.size()); ++i) state.complements.add(new_basket.first(i), new_basket[i]);
}

} // namespace attune
