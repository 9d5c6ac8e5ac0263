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
  // What the customer bought in earlier visits, and how often; each item once, at most kMaxBought.
  struct Bought {
    ItemNumber item = 0;
    std::uint32_t times = 0;
  };
  std::vector<Bought> bought;
  // The asking session in the model, if it was learned: it is no neighbour of itself.
  SessionNumber self = kNoSession;
  // Where the answer is shown, in the model's numbers of slots (Model::slot_of); 0: nowhere in particular.
  std::uint32_t slot = 0;
  bool remind = true; // whether items of this visit may come again
};

} // namespace attune
