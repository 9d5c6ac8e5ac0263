// ItemPairs: for each item, which items came after it in a session, before it, and with it. Sequential rules after SR (Kamehkhosh,
// Jannach, Ludewig: "A Comparison of Frequent Pattern Techniques and a Deep Learning Method for Session-Based Recommendation", 2017),
// with decay in the item's own transitions, and co-occurrence.
//
// An item y followed by x at distance d (1 to kLags; items between count once) gives the pair (y, x) 1/d. Raw counts are integers,
// functions of the set of sessions, taken back when a session is let go of; decayed sums follow the order in which clicks were learned.
// An item keeps up to kMaxPartners; when one more comes, the weaker half goes. Raw counts are exact while nothing went.
// Not synchronized; const functions may be called by many threads. Memory: 32 bytes a pair and up to a quarter of slack, 64 an item.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/elementary.h"
#include "core/partners.h"

namespace attune {

inline constexpr std::size_t kLags = 10;
inline constexpr std::size_t kMaxPartners = 512;
inline constexpr std::uint32_t kPairUnit = 2520; // 1/d is a whole number of these for every d up to kLags

struct PairCounts {
  std::uint32_t after = 0; // sum of 1/d over partner after item, in 1/kPairUnit
  std::uint32_t before = 0; // the same, partner before item
  std::uint32_t next = 0; // times the partner came directly after
  std::uint32_t together = 0; // times one was new to a session in which the other stood within kLags before it
  // Decayed as of the item's transition `at`, with time constants of 240, 30 and 7.5 transitions: `fast` stays below 92, `faster` below 9.
  std::uint32_t at = 0;
  float slow = 0; // of 1/d
  std::uint16_t fast = 0; // of 1/d, in 1/kFastUnit
  std::uint16_t faster = 0; // of direct successors, in 1/kFasterUnit
};
inline constexpr float kFastUnit = 512;
inline constexpr float kFasterUnit = 4096;

// What is left of each after `passed` transitions. One exponential: the time constants are powers of two apart.
struct PairDecay {
  float slow, fast, faster;
};
[[nodiscard]] inline PairDecay pair_decay(std::uint32_t passed)
{
  const float slow = exp_of(static_cast<float>(passed) * (-1.0F / 240.0F));
  const float square = slow * slow;
  const float fourth = square * square;
  const float fast = fourth * fourth;
  const float fast_square = fast * fast;
  return {slow, fast, fast_square * fast_square};
}

class ItemPairs {
 public:
  struct Row : Partners<PairCounts> {
    std::uint32_t transitions = 0; // raw: clicks that followed a click on the item
    std::uint32_t clock = 0; // the same, never taken back: what decays is measured in
  };

  void grow(std::size_t items) { rows_.resize(items); }
  [[nodiscard]] const Row& of(ItemNumber item) const { return rows_[item]; }
  [[nodiscard]] std::size_t items() const { return rows_.size(); }
  [[nodiscard]] std::size_t pairs() const { return pairs_; }
  [[nodiscard]] std::size_t bytes() const;

  // A click on `item` behind `session` (oldest first, repeats dropped). `fresh`: decayed sums are moved too.
  // `is_new`: it does not stand in the session yet.
  void add(std::span<const ItemNumber> session, ItemNumber item, bool is_new, bool fresh);
  // Takes back what add() counted raw. A pair of which nothing raw is left goes, and its decayed sums with it; with `emptied` it is noted
  // there and stays, for whoever counts the session again and then calls drop_empty().
  using Emptied = std::vector<std::pair<ItemNumber, ItemNumber>>;
  void subtract(std::span<const ItemNumber> session, ItemNumber item, bool is_new, Emptied* emptied = nullptr);
  // Those of them that are still empty go.
  void drop_empty(const Emptied& emptied);

  void restore(ItemNumber item, Row row);
  void clear(ItemNumber item); // its own row

 private:
  PairCounts& at(Row& row, ItemNumber partner);

  std::vector<Row> rows_;
  std::size_t pairs_ = 0;
};

} // namespace attune
