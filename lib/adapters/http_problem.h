// HttpProblem: errors of HTTP as RFC 9457 has them: `application/problem+json` with type, title, status, detail and, of ours, the field that is
// wrong and the request's id. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/http_server.h"

namespace attune {

struct HttpProblem {
  unsigned status = 400;
  std::string detail = {}; // one line that names the thing
  std::string field = {}; // empty: none
  std::int64_t retry_after_s = 0; // 0: no Retry-After
  std::vector<std::pair<std::string, std::string>> headers = {}; // what else the status asks for: Allow, WWW-Authenticate
};

[[nodiscard]] std::string_view http_reason(unsigned status); // "Bad Request"; "Error" for one that nothing here answers with
[[nodiscard]] HttpAnswer problem_answer(const HttpProblem& problem, std::string_view request_id);

} // namespace attune
