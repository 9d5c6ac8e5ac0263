// Popularity: how often each item is clicked lately, in windows that decay by clicks, not by hours: a half-life of so many clicks of
// all customers. In news the fastest decides, in shops the slower ones; the blend learns which (core/blend.h).
//
// Under a common decay only the clicked item can move, so the best kPopularKept of each window are kept exact in O(1) a click: the
// common scale grows instead of all values falling.
// Not synchronized; const functions may be called by many threads. Memory: 48 bytes an item.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/session_table.h"

namespace attune {

inline constexpr std::size_t kPopularKept = 128;
// Half-lives of 50, 500, 5,000 and 50,000 clicks.
enum class Window : std::uint8_t { faster = 0, fast = 1, middle = 2, slow = 3 };
inline constexpr std::size_t kWindows = 4;

class Popularity {
 public:
  void hit(ItemNumber item);

  // Whether it is among the best of a window.
  [[nodiscard]] bool is_best(ItemNumber item) const;
  // As if it had never been clicked. REQUIRES: !is_best(item).
  void forget(ItemNumber item);

  // Clicks, each halved every half-life: values(item)[window] times scales()[window].
  using Values = std::array<double, kWindows>;
  [[nodiscard]] const Values& values(ItemNumber item) const { return item < values_.size() ? values_[item] : kNone; }
  [[nodiscard]] Values scales() const;
  [[nodiscard]] double value(Window window, ItemNumber item) const;
  [[nodiscard]] double best_value(Window window) const; // 0 when nothing was clicked
  // Best first, at most kPopularKept.
  [[nodiscard]] std::span<const ItemNumber> best(Window window) const { return tops_[static_cast<std::size_t>(window)].best; }
  [[nodiscard]] std::size_t bytes() const;

  // What a snapshot holds.
  struct Content {
    std::vector<Values> values; // per item, to be divided by the scales
    Values scales{1, 1, 1, 1};
    std::array<std::vector<ItemNumber>, kWindows> best;
  };
  [[nodiscard]] Content content() const;
  // REQUIRES: each best is of distinct items that have values, at most kPopularKept.
  void restore(Content content);

 private:
  struct Top {
    double scale = 1; // what a click adds; grows instead of all values falling
    std::vector<ItemNumber> best;
    std::vector<std::uint32_t> place; // per item: its place in best, from 1; 0: none
  };
  void hit(Top& top, std::size_t window, ItemNumber item);
  void rise(Top& top, std::size_t window, std::size_t place);

  static constexpr Values kNone{};
  std::vector<Values> values_;
  std::array<Top, kWindows> tops_;
};

} // namespace attune
