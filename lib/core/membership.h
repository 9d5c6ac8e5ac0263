// Memberships: which segments of customers ([segment.NAME] of a rules file) the customer of each click was in, as one small number a click: that
// of a set of segments. A model knows the first kMaxSegments segments that it meets, and kMaxMemberships sets of them; of a further
// segment it learns nothing, and who is in a further set is taken to be in none.
// Not synchronized; const functions may be called by many threads.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <tsl/robin_map.h>

#include "core/item_table.h"

namespace attune {

inline constexpr std::size_t kMaxSegments = 64;
inline constexpr std::size_t kMaxMemberships = 65'535;

class Memberships {
 public:
  using SegmentSet = std::uint64_t; // a bit for each segment, by its number

  Memberships() { restore({}, {0}); }

  // The number of the set of these segments; 0: none.
  std::uint16_t intern(std::span<const std::string_view> segments);
  [[nodiscard]] SegmentSet set(std::uint16_t number) const { return sets_[number]; }
  // Those of them that it knows.
  [[nodiscard]] SegmentSet known(std::span<const std::string_view> segments) const;
  // The names of a set, in the order in which they were met. Good until the next intern().
  [[nodiscard]] std::vector<std::string_view> names(SegmentSet set) const;
  [[nodiscard]] const Vocabulary& segments() const { return segments_; }

  // What a snapshot holds.
  [[nodiscard]] const std::vector<SegmentSet>& sets() const { return sets_; }
  // False, and unchanged, unless the first set is the empty one, each is there once, and all are of these segments.
  bool restore(Vocabulary segments, std::vector<SegmentSet> sets);

 private:
  Vocabulary segments_;
  std::vector<SegmentSet> sets_;
  tsl::robin_map<SegmentSet, std::uint16_t> numbers_;
};

// Calls take(number) for each segment of the set, in the order of their numbers.
template <class Take>
void each_segment(Memberships::SegmentSet set, Take&& take)
{
  for (; set != 0; set &= set - 1) take(static_cast<std::uint32_t>(std::countr_zero(set)));
}

} // namespace attune
