// Popularity: how often each item was clicked lately. A click counts 2^-(age / half-life), its age taken in whole hours before the
// newest click of the model: a function of the set of clicks, not of when they were learned. A click on the item before it is not
// counted.
//
// Immutable once built: any number of threads may ask. Memory: the kPopularKept best items.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/candidates.h"
#include "core/model.h"
#include "core/session_table.h"

namespace attune {

inline constexpr std::size_t kPopularKept = 4096;

class Popularity {
 public:
  void build(const SessionTable& table, Milliseconds half_life);

  // Gives up to `count` more items a popular column: the best that are no candidates yet and that `admit` allows. The best item has
  // `ceiling`, the others their share of it, above 0. Cost: O(items looked at).
  void fill(std::size_t count, double ceiling, const std::function<bool(ItemNumber)>& admit, Candidates& candidates) const;

  // Why an item was chosen: its rank, from 1, and the clicks of the last half-life. REQUIRES: fill() gave it.
  struct Evidence {
    std::size_t rank = 0;
    std::uint64_t recent_clicks = 0;
  };
  [[nodiscard]] Evidence why(ItemNumber item) const;

 private:
  struct Popular {
    ItemNumber item = 0;
    double weight = 0;
    std::uint64_t recent_clicks = 0;
  };
  std::vector<Popular> best_; // by falling weight, then item
};

} // namespace attune
