// SessionCounts: what one session counts for in a model, as it stands in the table: the raw counts of its items, their postings, its pairs and
// its basket. Put in, taken out, and moved from what it was to what it has become at the cost of what differs.
// Not synchronized; lives as long as it takes to count.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model_state.h"

namespace attune {

class SessionCounts {
 public:
  SessionCounts(const SessionTable& table, SessionNumber session);

  // Decayed sums are not moved.
  void add(Model::State& state) const;
  // `emptied`: as ItemPairs::subtract().
  void subtract(Model::State& state, ItemPairs::Emptied* emptied = nullptr) const;
  // From `before`, which is counted, to this, of one session. Cost: O(clicks log clicks), and what is counted of the items that have another
  // past than before.
  void move(const SessionCounts& before, Model::State& state, ItemPairs::Emptied& emptied) const;

 private:
  // A click that does not repeat the item before it.
  struct Step {
    std::int64_t time = 0;
    bool is_new = false; // the session did not hold the item
  };

  void add_step(std::size_t at, Model::State& state) const;
  void subtract_step(std::size_t at, Model::State& state, ItemPairs::Emptied* emptied) const;
  [[nodiscard]] bool same_step(std::size_t at, const SessionCounts& other, std::size_t of_other) const;

  SessionNumber session_;
  std::vector<ItemNumber> items_; // of the steps
  std::vector<Step> steps_; // beside each
  std::vector<ItemNumber> basket_;
};

} // namespace attune
