// Candidates: the items being considered for one answer, and what each source of recommendations adds to each. A source is a file
// (core/neighbours.h, core/popularity.h) that writes its own column; an item's score is the sum of its columns, in their order.
//
// Thread rule: one thread per object; recommend() keeps one per thread, so that an answer allocates nothing once warm.
// Cost: a candidate is found or made in O(1), whatever the size of the catalogue.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/session_table.h"

namespace attune {

enum class Source : std::uint8_t { neighbours = 0, popular = 1 };
inline constexpr std::size_t kSources = 2;
inline constexpr std::array<std::string_view, kSources> kSourceNames{"neighbours", "popular"};

struct Candidate {
  ItemNumber item = 0;
  std::array<double, kSources> columns{};

  [[nodiscard]] double& column(Source source) { return columns[static_cast<std::size_t>(source)]; }
  [[nodiscard]] double column(Source source) const { return columns[static_cast<std::size_t>(source)]; }
  [[nodiscard]] double score() const
  {
    double sum = 0;
    for (const double part : columns) sum += part;
    return sum;
  }
};

class Candidates {
 public:
  // Empties it for a model of `items` items.
  void begin(std::size_t items)
  {
    if (items > places_.size()) places_.resize(items);
    list_.clear();
    if (++answer_ == 0) { // the counter went round: old marks could be taken for new ones
      std::fill(places_.begin(), places_.end(), Place{});
      answer_ = 1;
    }
  }
  // The item's candidate, made when there is none. Good until the next call.
  Candidate& operator[](ItemNumber item)
  {
    Place& place = places_[item];
    if (place.answer != answer_) {
      place = {answer_, static_cast<std::uint32_t>(list_.size())};
      list_.push_back({item, {}});
    }
    return list_[place.at];
  }
  [[nodiscard]] bool holds(ItemNumber item) const { return places_[item].answer == answer_; }
  [[nodiscard]] std::vector<Candidate>& list() { return list_; }
  [[nodiscard]] const std::vector<Candidate>& list() const { return list_; }

 private:
  struct Place {
    std::uint32_t answer = 0; // the answer it was made for
    std::uint32_t at = 0; // in list_
  };
  std::vector<Place> places_; // per item
  std::vector<Candidate> list_;
  std::uint32_t answer_ = 0;
};

} // namespace attune
