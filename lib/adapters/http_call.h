// HttpApi::Call: one request of HttpApi, with what was read off it. Private to adapters/http_api*.cc. On the connection's thread, but for answer()
// and refuse().
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/http_api.h"
#include "adapters/http_problem.h"
#include "adapters/http_query.h"

namespace attune {

struct HttpApi::Call {
  std::shared_ptr<HttpExchange> exchange;
  bool admin = false; // it came over the admin listener
  Credentials who;
  HttpQuery query;
  std::string allowed_origin; // for CORS; empty: none. Never on the admin listener
  std::string request_id;

  [[nodiscard]] const HttpRequest& request() const { return exchange->request(); }
  void answer(HttpAnswer answer) const;
  void answer_json(unsigned status, std::string body, std::string server_timing = {}) const;
  void refuse(unsigned status, std::string detail, std::string field = {}, std::int64_t retry_after_s = 0) const;
  void refuse(const Reject& reject) const { refuse(400, reject.text(), reject.field); }
  void refuse(const Denial& denial) const
  {
    const auto detail = denial.field.empty() ? denial.reason : denial.field + ": " + denial.reason;
    refuse(denial.status, detail, denial.field, denial.retry_after_s);
  }
  void refuse_method(std::string allowed) const; // "GET, HEAD"
  // Refuses parameters that `known` does not list. Whether it has.
  [[nodiscard]] bool refuse_unknown(std::initializer_list<std::string_view> known) const;

  // The parameters of GET /v1/recommendations, but for those in the way of `POST /v1/events` (its customer is the events').
  [[nodiscard]] Result<Ask, Reject> ask() const;
};

// A parameter that is true or false: 1, true; 0, false, nothing. `value` null: it was not given, `out` stays.
[[nodiscard]] Result<void, Reject> read_truth(std::string_view name, const std::string* value, bool& out);

// "durable;dur=0.412", in ms.
void append_timing(std::string_view name, std::chrono::nanoseconds time, std::string& out);
void append_timing(const Answered& answered, std::string& out); // profile, wait and rank

inline constexpr std::int64_t kRetryAfterSeconds = 1; // told with 503

} // namespace attune
