#include "adapters/http_query.h"

#include <simdjson.h>

#include <algorithm>

namespace attune {

namespace {

int digit(char c)
{
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_utf8(std::string_view text)
{
  return simdjson::validate_utf8(text.data(), text.size());
}

} // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space)
{
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 1 < text.size() ? digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return {};
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

Result<HttpQuery, Reject> HttpQuery::parse(std::string_view query)
{
  HttpQuery parsed;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    if (parsed.parameters_.size() == kMaxParameters) return Reject{"", "over 64 parameters"};
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decoded(pair.substr(0, equals), true);
    auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true);
    // A name that is no text can not be told.
    if (!name || !is_utf8(*name)) return Reject{"", "the name of a parameter is broken: not UTF-8, percent-encoded"};
    if (!value) return Reject{*name, "a broken percent sequence"};
    if (!is_utf8(*value)) return Reject{*name, "not UTF-8"};
    if (parsed.find(*name) != nullptr) return Reject{*name, "given twice"};
    parsed.parameters_.emplace_back(std::move(*name), std::move(*value));
  }
  return parsed;
}

const std::string* HttpQuery::find(std::string_view name) const
{
  const auto found = std::find_if(parameters_.begin(), parameters_.end(), [name](const auto& each) { return each.first == name; });
  return found == parameters_.end() ? nullptr : &found->second;
}

std::string HttpQuery::unknown(std::initializer_list<std::string_view> known) const
{
  for (const auto& [name, value] : parameters_)
    if (std::find(known.begin(), known.end(), name) == known.end()) return name;
  return {};
}

} // namespace attune
