// The word somebody meant.
// Thread rule: pure. Cost: O(length²) per candidate.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attune {

// The candidate nearest to `word`, when at most a third of its letters differ (at least one may); else empty. A swap of neighbours is
// one difference (Damerau's optimal string alignment).
std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates);

// " (did you mean --group?)", or nothing.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

} // namespace attune
