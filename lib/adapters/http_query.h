// HttpQuery: the parameters of a request's target (application/x-www-form-urlencoded, WHATWG URL section 5): names and values decoded, `+` is a
// space. By hand: Debian 12's Boost has no Boost.URL. Total. Not synchronized.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/event.h"

namespace attune {

inline constexpr std::size_t kMaxParameters = 64;

class HttpQuery {
 public:
  // Names and values are UTF-8. ERRORS: a broken percent sequence, or what is not UTF-8, by the parameter's name unless that is broken; a name
  // twice, by its name; over kMaxParameters. Their texts are UTF-8.
  [[nodiscard]] static Result<HttpQuery, Reject> parse(std::string_view query);

  [[nodiscard]] const std::string* find(std::string_view name) const;
  // Names that `known` does not list; empty when there are none.
  [[nodiscard]] std::string unknown(std::initializer_list<std::string_view> known) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

// A part of a path or query; `plus_is_space` in a query. Nothing for a broken percent sequence.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);

} // namespace attune
