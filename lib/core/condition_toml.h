// Reads a Condition from a rules file: { field = "cart.value", currency = "EUR", at_least = 50 }, { all = […] }, { any = […] },
// { not = {…} }, and an array, of which all must hold.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/condition.h"
#include "core/toml_fields.h"

namespace attune {

inline constexpr int kMaxConditionDepth = 8;

using SegmentNumbers = std::map<std::string, std::size_t, std::less<>>; // by name

struct ConditionPlace {
  std::vector<FactScope> scopes; // whose fields it may read
  std::string_view what; // for a message: "a segment"
};

// Throws TomlFault.
[[nodiscard]] Condition read_condition(const TomlValue& value, const ConditionPlace& place, const SegmentNumbers& segments,
                                       int depth = 1);

} // namespace attune
