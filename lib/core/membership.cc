#include "core/membership.h"

#include <algorithm>

namespace attune {

std::uint16_t Memberships::intern(std::span<const std::string_view> segments)
{
  SegmentSet set = 0;
  for (const auto name : segments) {
    if (segments_.size() == kMaxSegments && segments_.find(name) == Vocabulary::kNone) continue;
    set |= SegmentSet{1} << segments_.intern(name);
  }
  if (const auto known = numbers_.find(set); known != numbers_.end()) return known->second;
  if (sets_.size() > kMaxMemberships) return 0;
  const auto number = static_cast<std::uint16_t>(sets_.size());
  sets_.push_back(set);
  numbers_.emplace(set, number);
  return number;
}

Memberships::SegmentSet Memberships::known(std::span<const std::string_view> segments) const
{
  SegmentSet set = 0;
  for (const auto name : segments)
    if (const auto number = segments_.find(name); number != Vocabulary::kNone) set |= SegmentSet{1} << number;
  return set;
}

std::vector<std::string_view> Memberships::names(SegmentSet set) const
{
  std::vector<std::string_view> names;
  each_segment(set, [&](std::uint32_t number) { names.push_back(segments_.text(number)); });
  return names;
}

bool Memberships::restore(Vocabulary segments, std::vector<SegmentSet> sets)
{
  const auto size = segments.size();
  if (size > kMaxSegments || sets.empty() || sets.front() != 0 || sets.size() > kMaxMemberships + 1) return false;
  const SegmentSet all = size == kMaxSegments ? ~SegmentSet{0} : (SegmentSet{1} << size) - 1;
  tsl::robin_map<SegmentSet, std::uint16_t> numbers;
  for (const auto set : sets)
    if ((set & ~all) != 0 || !numbers.emplace(set, static_cast<std::uint16_t>(numbers.size())).second) return false;
  segments_ = std::move(segments);
  sets_ = std::move(sets);
  numbers_ = std::move(numbers);
  return true;
}

} // namespace attune
