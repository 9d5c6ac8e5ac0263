// GroupPopularity: how often each item is clicked lately within each of many groups: the categories of items, the segments of customers. As
// core/popularity.h, in windows that decay by clicks, but by those of the group alone, so that a small one is not forgotten while others
// are busy.
//
// A group keeps up to kGroupItems items; when one more comes, the three quarters of most slow clicks stay. Of these the best
// kGroupBest of each window are exact, equal ones in the order of their numbers. What a group counts decays and is not taken back.
// Not synchronized; const functions may be called by many threads. Cost: a click under 0.2 us. Memory: 20 bytes an item of a group
// and 16 for each window it is among the best in; at most 25 KB a group.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/partners.h"

namespace attune {

inline constexpr std::size_t kGroupItems = 1024;
inline constexpr std::size_t kGroupBest = 128;
// Half-lives of 100 and 5,000 clicks of the group.
enum class GroupWindow : std::uint8_t { fast = 0, slow = 1 };
inline constexpr std::size_t kGroupWindows = 2;

class GroupPopularity {
 public:
  using Number = std::uint32_t; // of a group
  using Values = std::array<double, kGroupWindows>;
  // Clicks, each halved every half-life: the value times the scale of the group and window.
  struct Best {
    ItemNumber item = 0;
    double value = 0;
  };

  void hit(Number group, ItemNumber item);
  // As if it had been clicked in no group. Cost: a look at every group.
  void forget(ItemNumber item);

  [[nodiscard]] std::size_t groups() const { return groups_.size(); }
  [[nodiscard]] double scale(GroupWindow window, Number group) const;
  // Best first, at most kGroupBest; none of a group that was never met.
  [[nodiscard]] std::span<const Best> best(GroupWindow window, Number group) const;
  // Of one item, and of all of the group's.
  [[nodiscard]] double value(GroupWindow window, Number group, ItemNumber item) const;
  [[nodiscard]] double total(GroupWindow window, Number group) const;
  [[nodiscard]] std::size_t bytes() const;

  // What a snapshot holds of a group.
  struct Content {
    Partners<Values> items; // to be divided by the scales
    Values scales{1, 1};
    Values totals{};
  };
  [[nodiscard]] const Content& content(Number group) const { return groups_[group].content; }
  // Behind the groups that are there. REQUIRES: its items are distinct, at most kGroupItems.
  void restore(Content content);

 private:
  struct Group {
    Content content;
    std::array<std::vector<Best>, kGroupWindows> best;
  };
  static void find_best(Group& group);
  static void rise(std::vector<Best>& best, Best risen);

  std::vector<Group> groups_;
};

} // namespace attune
