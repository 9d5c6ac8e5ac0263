// Complements: what is put into one order or cart together: accessories, not substitutes. A basket is the distinct items that a session
// put into its cart or bought, in their order.
//
// An item that joins a basket of j others spreads a mass of 1 over the newest kBasketLooked of them, to the d-th newest 1/d of it, so
// that an order of a thousand lines says no more of its items than one of three. Counts are integers, functions of the set of sessions,
// taken back when a session is let go of. An item keeps up to kMaxComplements partners; when one more comes, the best three quarters by
// mass stay. Counts are exact while nothing went.
//
// For a basket B the score of c is the sum over a in B of p(a) mass(a, c) / (baskets(a) + 30), with mass shrunk towards what chance
// gives, over (baskets(c) + 10)^alpha: an asymmetric lift with shrinkage. Where the order of the basket is known, p(a) falls by e
// every three places and alpha is 0.2; else p is 1 and alpha 0.3.
// Not synchronized; const functions may be called by many threads. Memory: 12 bytes a pair and up to an eighth of slack, 68 an item.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/candidates.h"
#include "core/partners.h"

namespace attune {

inline constexpr std::size_t kBasketLooked = 50;
inline constexpr std::size_t kMaxComplements = 512;
inline constexpr std::uint32_t kMassUnit = 65536; // a mass of 1

struct BasketCounts {
  std::uint32_t together = 0; // baskets that hold both, where one was among the newest kBasketLooked when the other came
  std::uint32_t mass = 0; // in 1/kMassUnit
};

class Complements {
 public:
  struct Row : Partners<BasketCounts> {
    std::uint32_t baskets = 0; // that hold the item
  };

  void grow(std::size_t items);
  [[nodiscard]] const Row& of(ItemNumber item) const { return rows_[item]; }
  [[nodiscard]] std::size_t items() const { return rows_.size(); }
  [[nodiscard]] std::size_t pairs() const { return pairs_; }
  [[nodiscard]] std::size_t bytes() const;

  // `item` joins a basket (oldest first). REQUIRES: it is not in it.
  void add(std::span<const ItemNumber> basket, ItemNumber item);
  void subtract(std::span<const ItemNumber> basket, ItemNumber item);

  // Adds the score of each partner of the basket, which is not empty, to `column` of the candidates. What is in the basket is scored too.
  void score(std::span<const ItemNumber> basket, bool ordered, std::size_t column, Candidates& candidates) const;

  void restore(ItemNumber item, Row row);
  void clear(ItemNumber item); // its own row. REQUIRES: it is in no basket
  void restore_total(std::uint64_t total) { total_ = total; }
  [[nodiscard]] std::uint64_t total() const { return total_; } // of `baskets` over all items

 private:
  // What of `baskets` a score needs, kept apart so that it stays in the cache.
  struct Support {
    float baskets = 0;
    float by_ordered = 0; // (baskets + 10)^-alpha
    float by_hidden = 0;
  };
  void weigh(ItemNumber item);

  std::vector<Row> rows_;
  std::vector<Support> supports_; // beside each row
  std::size_t pairs_ = 0;
  std::uint64_t total_ = 0;
};

} // namespace attune
