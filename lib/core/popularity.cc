#include "core/popularity.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"

namespace attune {

namespace {

// Beyond this many half-lives all ages are one, so that a weight is never 0 and old items are still in order of their clicks.
constexpr double kOldest = 60;

} // namespace

void Popularity::build(const SessionTable& table, Milliseconds half_life)
{
  best_.clear();
  if (table.sessions() == 0) return;
  const auto newest = table.end_time(table.sessions() - 1);
  const auto hour = std::chrono::duration_cast<Milliseconds>(std::chrono::hours(1)).count();
  const auto half_life_hours = static_cast<double>(half_life.count()) / static_cast<double>(hour);

  std::vector<Popular> all(table.items.size());
  for (std::size_t item = 0; item < all.size(); ++item) all[item].item = static_cast<ItemNumber>(item);
  std::int64_t age = -1; // of the click before: most clicks are of its hour
  double weight = 0;
  for (std::size_t session = 0; session < table.sessions(); ++session) {
    for (auto i = table.begin[session]; i < table.begin[session + 1]; ++i) {
      if (i > table.begin[session] && table.clicked[i] == table.clicked[i - 1]) continue;
      if (const auto hours = (newest - table.times[i]) / hour; hours != age) {
        age = hours;
        weight = std::exp2(-std::min(static_cast<double>(age) / half_life_hours, kOldest));
      }
      auto& popular = all[table.clicked[i]];
      popular.weight += weight;
      popular.recent_clicks += newest - table.times[i] < half_life.count() ? 1 : 0;
    }
  }
  const auto better = [](const Popular& a, const Popular& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.item < b.item;
  };
  const auto kept = std::min(all.size(), kPopularKept);
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(), better);
  best_.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept));
}

void Popularity::fill(std::size_t count, double ceiling, const std::function<bool(ItemNumber)>& admit, Candidates& candidates) const
{
  for (const auto& popular : best_) {
    if (count == 0) return;
    if (candidates.holds(popular.item) || !admit(popular.item)) continue;
    candidates[popular.item].column(Source::popular) = ceiling * (popular.weight / best_.front().weight);
    --count;
  }
}

Popularity::Evidence Popularity::why(ItemNumber item) const
{
  const auto found = std::find_if(best_.begin(), best_.end(), [item](const Popular& popular) { return popular.item == item; });
  ATTUNE_ASSERT(found != best_.end());
  return {static_cast<std::size_t>(found - best_.begin()) + 1, found->recent_clicks};
}

} // namespace attune
