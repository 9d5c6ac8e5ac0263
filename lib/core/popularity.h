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

// The best of one window.
class DecayingTop {
 public:
  // `growth`: 2^(1/half-life in clicks). `kept`: how many of the best are kept.
  DecayingTop(double growth, std::size_t kept) : growth_(growth), kept_(kept) {}

  void hit(ItemNumber item);
  // Clicks, each halved every half-life.
  [[nodiscard]] double value(ItemNumber item) const { return item < values_.size() ? values_[item] / scale_ : 0; }
  // Best first.
  [[nodiscard]] std::span<const ItemNumber> best() const { return best_; }

  // What a snapshot holds.
  struct Content {
    double scale = 1;
    std::vector<double> values; // per item, to be divided by scale
    std::vector<ItemNumber> best;
  };
  [[nodiscard]] Content content() const { return {scale_, values_, best_}; }
  // REQUIRES: best is of distinct items that have values, at most `kept`.
  void restore(Content content);
  [[nodiscard]] std::size_t bytes() const { return values_.capacity() * 12; }

 private:
  void rise(std::size_t place);

  double growth_;
  std::size_t kept_;
  double scale_ = 1;
  std::vector<double> values_;
  std::vector<ItemNumber> best_;
  std::vector<std::uint32_t> place_; // per item: its place in best_ + 1; 0: none
};

inline constexpr std::size_t kPopularKept = 128;
// Half-lives of 50, 500, 5,000 and 50,000 clicks.
enum class Window : std::uint8_t { faster = 0, fast = 1, middle = 2, slow = 3 };
inline constexpr std::size_t kWindows = 4;

class Popularity {
 public:
  void hit(ItemNumber item);
  [[nodiscard]] const DecayingTop& operator[](Window window) const { return windows_[static_cast<std::size_t>(window)]; }
  [[nodiscard]] DecayingTop& operator[](Window window) { return windows_[static_cast<std::size_t>(window)]; }
  [[nodiscard]] std::size_t bytes() const;

 private:
  // The roots of two are written out, so that they are the same on every machine.
  std::array<DecayingTop, kWindows> windows_{
      DecayingTop{1.01395947979002914, kPopularKept}, DecayingTop{1.00138725571133453, kPopularKept},
      DecayingTop{1.00013863904561632, kPopularKept}, DecayingTop{1.00001386303970225, kPopularKept}};
};

} // namespace attune
