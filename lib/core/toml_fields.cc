#include "core/toml_fields.h"

#include <array>
#include <charconv>
#include <cmath>

#include "core/event.h"
#include "core/field_rules.h"

namespace attune {
namespace {

constexpr std::int64_t kSecondMs = 1000;
constexpr std::int64_t kDayMs = 24 * 60 * 60 * kSecondMs;
constexpr std::int64_t kLongestMs = 3650 * kDayMs;

std::string in_brackets(std::string_view path, std::size_t number)
{
  return std::string(path) + '[' + std::to_string(number) + ']';
}

// "1.5" of 1.5: the shortest text that reads as this number.
std::string decimal_of(double number)
{
  std::array<char, 400> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  return error == std::errc{} ? std::string(text.data(), end) : std::string();
}

std::optional<std::int64_t> unit_of(char letter)
{
  switch (letter) {
    case 's':
      return kSecondMs;
    case 'm':
      return 60 * kSecondMs;
    case 'h':
      return 3600 * kSecondMs;
    case 'd':
      return kDayMs;
    case 'w':
      return 7 * kDayMs;
    default:
      return std::nullopt;
  }
}

bool read_digits(std::string_view text, std::int64_t& number)
{
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && text[0] != '-' && error == std::errc{} && end == text.data() + text.size();
}

std::int64_t day_ms(const toml::date& date)
{
  const std::chrono::year_month_day day{std::chrono::year(date.year), std::chrono::month(date.month), std::chrono::day(date.day)};
  return std::chrono::sys_days(day).time_since_epoch().count() * kDayMs;
}

std::int64_t time_ms(const toml::time& time)
{
  return ((time.hour * 60LL + time.minute) * 60 + time.second) * kSecondMs + time.nanosecond / 1'000'000;
}

} // namespace

void TomlValue::fail(std::string_view reason) const
{
  throw TomlFault{line(), path.empty() ? std::string(reason) : path + ": " + std::string(reason)};
}

std::string TomlValue::text() const
{
  auto text = node.value_exact<std::string>();
  if (!text) fail("not a string");
  if (const Check check = check_text(*text, kMaxStringBytes); !check) fail(check.error());
  return *std::move(text);
}

std::vector<std::string> TomlValue::texts() const
{
  std::vector<std::string> all;
  if (!node.is_array()) {
    all.push_back(text());
    return all;
  }
  for (const auto& element : elements()) all.push_back(element.text());
  return all;
}

bool TomlValue::flag() const
{
  const auto flag = node.value_exact<bool>();
  if (!flag) fail("not true or false");
  return *flag;
}

std::int64_t TomlValue::whole(std::int64_t least, std::int64_t most) const
{
  const auto number = node.value_exact<std::int64_t>();
  if (!number) fail("not a whole number");
  if (*number < least || *number > most) fail("not within " + std::to_string(least) + " and " + std::to_string(most));
  return *number;
}

double TomlValue::number(double least, double most) const
{
  const auto number = node.is_number() ? node.value<double>() : std::nullopt;
  if (!number) fail("not a number");
  if (!(*number >= least && *number <= most)) fail("not within " + decimal_of(least) + " and " + decimal_of(most));
  return *number;
}

std::int64_t TomlValue::millionths() const
{
  std::string text;
  if (const auto whole_number = node.value_exact<std::int64_t>())
    text = std::to_string(*whole_number);
  else if (const auto real = node.value_exact<double>(); real && std::isfinite(*real))
    text = decimal_of(*real);
  else if (const auto written = node.value_exact<std::string>())
    text = *written;
  if (!is_decimal(text)) fail("not a number");
  const auto money = parse_money(text);
  if (!money) fail("over 6 decimals, or too large");
  return money->micro;
}

Milliseconds TomlValue::duration() const
{
  const auto text = node.value_exact<std::string>().value_or("");
  const auto unit = text.empty() ? std::nullopt : unit_of(text.back());
  std::int64_t count = 0;
  if (!unit || !read_digits(std::string_view(text).substr(0, text.size() - 1), count))
    fail("not a length of time: digits and one of s, m, h, d, w, as in \"30d\"");
  if (count < 1 || count > kLongestMs / *unit) fail("not within 1 second and 10 years");
  return Milliseconds(count * *unit);
}

std::int64_t TomlValue::time_of_day() const
{
  const auto text = node.value_exact<std::string>().value_or("");
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  const std::string_view view(text);
  if (text.size() != 5 || text[2] != ':' || !read_digits(view.substr(0, 2), hour) || !read_digits(view.substr(3), minute) ||
      hour > 23 || minute > 59)
    fail("not a time of day, as in \"22:00\"");
  return (hour * 60 + minute) * 60 * kSecondMs;
}

Timestamp TomlValue::time(bool end_of_day) const
{
  if (const auto date = node.value_exact<toml::date>()) return {day_ms(*date) + (end_of_day ? kDayMs : 0)};
  const auto moment = node.value_exact<toml::date_time>();
  if (!moment) fail("not a date or a date and time, as in 2026-11-27 or 2026-11-27T08:00:00Z (without quotes)");
  const std::int64_t offset = moment->offset ? moment->offset->minutes * 60 * kSecondMs : 0;
  return {day_ms(moment->date) + time_ms(moment->time) - offset};
}

const toml::table& TomlValue::table() const
{
  const auto* table = node.as_table();
  if (table == nullptr) fail("not a table");
  return *table;
}

std::vector<TomlValue> TomlValue::elements() const
{
  const auto* array = node.as_array();
  if (array == nullptr) fail("not an array");
  if (array->empty()) fail("empty");
  std::vector<TomlValue> all;
  for (const auto& element : *array) all.push_back({element, in_brackets(path, all.size())});
  return all;
}

std::vector<TomlValue> TomlValue::tables() const
{
  if (!node.is_array()) fail("not written [[" + path + "]]");
  auto all = elements();
  for (const auto& element : all) static_cast<void>(element.table());
  return all;
}

std::string TomlFields::path_of(std::string_view key) const
{
  return path_.empty() ? shown(key) : path_ + '.' + shown(key);
}

std::optional<TomlValue> TomlFields::take(std::string_view key)
{
  const auto* node = table_.get(key);
  if (node == nullptr) return std::nullopt;
  taken_.emplace_back(key);
  return TomlValue{*node, path_of(key)};
}

TomlValue TomlFields::need(std::string_view key)
{
  if (!has(key)) fail("needs `" + std::string(key) + '`');
  return *take(key);
}

void TomlFields::done() const
{
  for (const auto& [key, node] : table_) {
    if (std::find(taken_.begin(), taken_.end(), key.str()) != taken_.end()) continue;
    throw TomlFault{key.source().begin.line, path_of(key.str()) + ": unknown key"};
  }
}

void TomlFields::fail(std::string_view reason) const
{
  throw TomlFault{line(), path_.empty() ? std::string(reason) : path_ + ": " + std::string(reason)};
}

} // namespace attune
