// A line that names a customer: the id alone, or a JSON object with the key `customer`: an event, a profile record, a request.
// Pure, total; keeps one parser per thread. Cost: of an id alone a check of its bytes.
#pragma once

#include <string_view>

#include "core/event.h"

namespace attune {

// `line` may have white space around it; it begins with `{` where it is JSON. ERRORS: what an event's customer can not be either.
[[nodiscard]] Result<CustomerId, Reject> parse_customer_line(std::string_view line);

} // namespace attune
