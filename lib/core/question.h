// Question: what a recommendation is asked from: what the customer did, in a model's numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "core/lesson.h"
#include "core/session_table.h"

namespace attune {

inline constexpr std::size_t kMaxEarlier = 64;

struct Question {
  // This visit's items, oldest first, a repeat of the item before it dropped; kUnknownItem for one that was never learned.
  std::vector<ItemNumber> session;
  // Items of the customer's earlier visits, newest first; at most kMaxEarlier.
  std::vector<ItemNumber> earlier;
  // What is in the cart or was bought in this visit: complements are asked for these. Distinct, oldest first.
  std::vector<ItemNumber> basket;
  // The asking session in the model, if it was learned: it is no neighbour of itself.
  SessionNumber self = kNoSession;
  // Where the answer is shown, in the model's numbers of slots (Model::slot_of); 0: nowhere in particular.
  std::uint32_t slot = 0;
  bool remind = true; // whether items of this visit may come again
};

} // namespace attune
