// Repurchases: how long after buying an item its customers buy it again: when what is used up is to be shown once more. Of each
// item the mean of the logarithms of the intervals, in which the newest hundred or so weigh most; where an item was seldom bought
// again it leans on its category, and that on all items.
//
// An interval lies between the purchases of an item in two visits of one customer, one after the other in the order learned.
// What was counted decays and is not taken back. Not synchronized; const functions may be called by many threads. Memory: 8 bytes
// an item that was bought again or is numbered below one, and 8 a category.
#pragma once

#include <cstdint>
#include <vector>

#include "core/item_table.h"
#include "core/question.h"

namespace attune {

class Repurchases {
 public:
  struct Habit {
    float count = 0; // intervals, the older ones for less
    float sum = 0; // of their log2, in ms
    void add(float log_interval);
  };

  // `interval` in ms; one of less than a minute counts as a minute.
  void add(ItemNumber item, std::uint32_t category, std::int64_t interval);
  // As if it had never been bought again; its category and all items keep what it taught them.
  void forget(ItemNumber item);
  // log2 of the interval, in ms, at which this customer buys the item: its own where it has one, else leaning on those of others.
  [[nodiscard]] float expected(const Question::Bought& bought, std::uint32_t category) const;
  [[nodiscard]] bool was_bought_again(ItemNumber item) const { return item < items_.size() && items_[item].count > 0; }
  // How likely the item is to be bought now, against when it is likeliest, 0 to 1: little right after a purchase, most about one
  // interval later, little again once it has been left out for long.
  [[nodiscard]] float due(const Question::Bought& bought, std::uint32_t category, std::int64_t now) const;
  [[nodiscard]] std::size_t bytes() const { return (items_.capacity() + categories_.capacity()) * sizeof(Habit); }

  // What a snapshot holds.
  struct Content {
    std::vector<Habit> items, categories; // by their numbers
    Habit all;
  };
  [[nodiscard]] Content content() const { return {items_, categories_, all_}; }
  void restore(Content content);

 private:
  std::vector<Habit> items_;
  std::vector<Habit> categories_;
  Habit all_;
};

} // namespace attune
