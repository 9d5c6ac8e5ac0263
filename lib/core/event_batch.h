// EventBatch: the body of a request, cut into the texts of its events: one JSON object, an array of them, or one a line (NDJSON). Nothing is
// parsed but what is needed to cut. Pure; views into the body. Total.
#pragma once

#include <string_view>
#include <vector>

#include "core/event.h"

namespace attune {

inline constexpr std::size_t kMaxBatchEvents = 10'000;

// Which form it is, is read off the body: `[` begins an array; a first line that is a whole object with more behind it, lines; anything
// else, one object. Empty lines are left out.
// ERRORS: no event at all; an array that is no array of objects; over kMaxBatchEvents.
[[nodiscard]] Result<std::vector<std::string_view>, Reject> cut_batch(std::string_view body);

} // namespace attune
