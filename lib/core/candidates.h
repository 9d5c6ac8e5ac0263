// Candidates: the items that something speaks for in one answer, and what: a row of columns for each, one column a source of
// evidence. A source is a file that adds to its own columns (core/neighbours.h, core/sequences.h); core/features.h makes
// features of them, and core/blend.h scores.
//
// Thread rule: one thread per object; answers keep one per thread, so that an answer allocates nothing once warm.
// Cost: a row is found or made in O(1), whatever the size of the catalogue; 64 bytes, a line of the cache, each.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/session_table.h"

namespace attune {

enum class Column : std::uint8_t {
  // core/neighbours.h
  vmis,
  vsknn,
  vstan,
  rec_vstan,
  follow,
  follow_two,
  // core/sequences.h
  fast,
  faster,
  slow,
  after,
  next,
  together,
  cosine,
  before,
  session,
};
inline constexpr std::size_t kColumns = 15;

struct alignas(64) Candidate {
  std::array<float, kColumns> columns{};
  ItemNumber item = 0;

  [[nodiscard]] float& operator[](Column column) { return columns[static_cast<std::size_t>(column)]; }
  [[nodiscard]] float operator[](Column column) const { return columns[static_cast<std::size_t>(column)]; }
};

class Candidates {
 public:
  // Empties it, for a model of `items` items.
  void begin(std::size_t items)
  {
    if (items > places_.size()) places_.resize(items + items / 4);
    rows_.clear();
    if (++answer_ == 0) { // the counter went round: old marks could be taken for new ones
      std::fill(places_.begin(), places_.end(), Place{});
      answer_ = 1;
    }
  }
  // The item's row, made when there is none. Good until the next call.
  Candidate& operator[](ItemNumber item)
  {
    Place& place = places_[item];
    if (place.answer != answer_) {
      place = {answer_, static_cast<std::uint32_t>(rows_.size())};
      rows_.emplace_back().item = item;
    }
    return rows_[place.at];
  }
  [[nodiscard]] bool holds(ItemNumber item) const { return places_[item].answer == answer_; }
  // REQUIRES: holds(item).
  [[nodiscard]] std::size_t place_of(ItemNumber item) const { return places_[item].at; }
  [[nodiscard]] std::vector<Candidate>& rows() { return rows_; }
  [[nodiscard]] const std::vector<Candidate>& rows() const { return rows_; }

 private:
  struct Place {
    std::uint32_t answer = 0; // the answer it was made for
    std::uint32_t at = 0; // in rows_
  };
  std::vector<Place> places_; // per item
  std::vector<Candidate> rows_;
  std::uint32_t answer_ = 0;
};

} // namespace attune
