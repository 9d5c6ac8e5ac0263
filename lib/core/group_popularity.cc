#include "core/group_popularity.h"

#include <algorithm>

#include "base/assert.h"

namespace attune {

namespace {

// 2^(1/half-life), written out so that they are the same on every machine.
constexpr GroupPopularity::Values kGrowth{1.00695555005671888, 1.00013863904561640};
constexpr double kRescaleAt = 1e200;

bool better(const GroupPopularity::Best& a, const GroupPopularity::Best& b)
{
  return a.value != b.value ? a.value > b.value : a.item < b.item;
}

std::size_t place(GroupWindow window)
{
  return static_cast<std::size_t>(window);
}

} // namespace

void GroupPopularity::hit(Number number, ItemNumber item)
{
  if (number >= groups_.size()) groups_.resize(number + 1);
  auto& group = groups_[number];
  auto& [items, scales, totals] = group.content;
  bool anew = false; // the best are to be found again
  for (std::size_t w = 0; w < kGroupWindows; ++w) {
    scales[w] *= kGrowth[w];
    if (scales[w] <= kRescaleAt) continue;
    for (auto& values : items.counts) values[w] /= scales[w];
    totals[w] /= scales[w];
    scales[w] = 1;
    anew = true;
  }
  auto* values = items.find(item);
  if (!values) {
    if (items.size() == kGroupItems) {
      items.keep_best(kGroupItems * 3 / 4, [by = 1 / scales[place(GroupWindow::slow)]](const Values& each) {
        return static_cast<float>(each[place(GroupWindow::slow)] * by);
      });
      anew = true;
    }
    values = &items.add(item);
  }
  for (std::size_t w = 0; w < kGroupWindows; ++w) {
    (*values)[w] += scales[w];
    totals[w] += scales[w];
    if (!anew) rise(group.best[w], {item, (*values)[w]});
  }
  if (anew) find_best(group);
}

void GroupPopularity::forget(ItemNumber item)
{
  for (auto& group : groups_) {
    auto& [items, scales, totals] = group.content;
    const auto* values = items.find(item);
    if (!values) continue;
    for (std::size_t w = 0; w < kGroupWindows; ++w) totals[w] -= (*values)[w];
    items.drop(item);
    find_best(group);
  }
}

void GroupPopularity::rise(std::vector<Best>& best, Best risen)
{
  auto at = std::find_if(best.begin(), best.end(), [&](const Best& each) { return each.item == risen.item; });
  if (at == best.end()) {
    if (best.size() < kGroupBest)
      at = best.insert(at, risen);
    else if (better(risen, best.back()))
      --at;
    else
      return;
  }
  for (; at != best.begin() && better(risen, at[-1]); --at) *at = at[-1];
  *at = risen;
}

void GroupPopularity::find_best(Group& group)
{
  const auto& items = group.content.items;
  std::vector<Best> all(items.size());
  for (std::size_t w = 0; w < kGroupWindows; ++w) {
    for (std::size_t i = 0; i < items.size(); ++i) all[i] = {items.items[i], items.counts[i][w]};
    const auto kept = std::min(all.size(), kGroupBest);
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(), better);
    group.best[w].assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept));
  }
}

double GroupPopularity::scale(GroupWindow window, Number group) const
{
  return group < groups_.size() ? 1 / groups_[group].content.scales[place(window)] : 1;
}

std::span<const GroupPopularity::Best> GroupPopularity::best(GroupWindow window, Number group) const
{
  if (group >= groups_.size()) return {};
  return groups_[group].best[place(window)];
}

double GroupPopularity::value(GroupWindow window, Number group, ItemNumber item) const
{
  if (group >= groups_.size()) return 0;
  const auto* values = groups_[group].content.items.find(item);
  return values ? (*values)[place(window)] * scale(window, group) : 0;
}

double GroupPopularity::total(GroupWindow window, Number group) const
{
  return group < groups_.size() ? groups_[group].content.totals[place(window)] * scale(window, group) : 0;
}

void GroupPopularity::restore(Content content)
{
  ATTUNE_ASSERT(content.items.size() <= kGroupItems);
  groups_.emplace_back().content = std::move(content);
  find_best(groups_.back());
}

std::size_t GroupPopularity::bytes() const
{
  std::size_t bytes = groups_.capacity() * sizeof(Group);
  for (const auto& group : groups_) {
    bytes += group.content.items.bytes();
    for (const auto& best : group.best) bytes += best.capacity() * sizeof(Best);
  }
  return bytes;
}

} // namespace attune
