// Words of HTTP's headers (RFC 9110 section 5.6): ASCII letters are the same in either case, white space around a value is none of it.
// Pure; no locale.
#pragma once

#include <algorithm>
#include <string_view>

namespace attune {

[[nodiscard]] inline bool same_word(std::string_view a, std::string_view b)
{
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// Without the spaces and tabs around it.
[[nodiscard]] inline std::string_view trimmed(std::string_view text)
{
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

} // namespace attune
