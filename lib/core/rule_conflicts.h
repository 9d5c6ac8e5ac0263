// RuleConflicts: rules of one slot that contradict each other, so that one of them could never show: found when the file is read,
// and named with both lines.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/rule_book.h"

namespace attune {

// Where a slot's settings stand in the file; 0: nowhere.
struct SlotLines {
  std::size_t most = 0;
  std::vector<std::size_t> hidden; // beside FilterSettings::hidden
};

struct Conflict {
  std::size_t line = 0;
  std::string reason;
};

// The first contradiction of the slot's pins and offers: an item that is excluded or hidden there, a place beyond the slot's `n`, a
// place or an item that an earlier pin has whenever the later one is in force.
[[nodiscard]] std::optional<Conflict> conflict_in(const RuleBook& book, const SlotRules& slot, const SlotLines& lines);

} // namespace attune
