// Question: what a recommendation is asked from: what the customer did, in a model's numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "core/lesson.h"
#include "core/session_table.h"

namespace attune {

inline constexpr std::size_t kEarlierSessions = 8; // whose items are remembered
inline constexpr std::size_t kMaxEarlier = 64;
inline constexpr std::size_t kMaxBought = 256;

struct Question {
  // This visit's items, oldest first, a repeat of the item before it dropped; kUnknownItem for one that was never learned.
  std::vector<ItemNumber> session;
  // Items of the customer's earlier visits, newest first; at most kMaxEarlier.
  std::vector<ItemNumber> earlier;
  // What is in the cart or was bought in this visit: complements are asked for these. Distinct, oldest first where `ordered`.
  std::vector<ItemNumber> basket;
  bool ordered = true;
  // What the customer bought, this time or earlier; each item once, at most kMaxBought.
  struct Bought {
    ItemNumber item = 0;
    std::uint32_t times = 0; // orders it was in
    std::uint32_t passed = 0; // orders without it since then, that of this visit left out
    std::int64_t first = 0, last = 0; // ms since 1970
  };
  std::vector<Bought> bought;
  std::int64_t now = 0; // when it is asked, ms since 1970
  // The asking session in the model, if it was learned: it is no neighbour of itself.
  SessionNumber self = kNoSession;
  // Where the answer is shown, in the model's numbers of slots (Model::slot_of); 0: nowhere in particular.
  std::uint32_t slot = 0;
  bool remind = true; // whether items of this visit may come again
};

// A customer's purchases, summed into Question::bought. An order is a run of purchases with no gap over half an hour.
class Purchases {
 public:
  Purchases(std::int64_t now, std::vector<Question::Bought>& bought) : later_(now), bought_(bought) {}

  // REQUIRES: from the newest to the oldest, so that what was bought lately is what is remembered. Cost: O(size of bought).
  void add(ItemNumber item, std::int64_t time);

 private:
  std::int64_t later_; // of the purchase before it, at first of the question
  std::uint32_t order_ = 0; // that of this visit is 0, the one before it 1
  std::vector<Question::Bought>& bought_;
  std::vector<std::uint32_t> oldest_; // beside each of bought_: the oldest order it was in
};

} // namespace attune
