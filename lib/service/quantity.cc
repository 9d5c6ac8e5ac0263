#include "service/quantity.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace attune {

namespace {

using Unit = std::pair<std::string_view, std::int64_t>;

constexpr std::array<Unit, 6> kDurations{
    {{"w", 604'800'000}, {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Unit, 5> kSizes{{{"T", 1LL << 40}, {"G", 1LL << 30}, {"M", 1LL << 20}, {"k", 1LL << 10}, {"", 1}}};

Error refused(std::string_view what, std::string_view text)
{
  return {Code::usage, "not " + std::string(what) + ": " + std::string(text)};
}

// The leading digits of `text` as a number, and what follows them; no digits is a failure.
template <class Number>
bool split_number(std::string_view text, Number& number, std::string_view& rest)
{
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  rest = text.substr(static_cast<std::size_t>(end - text.data()));
  return error == std::errc() && text.front() != '-' && text.front() != 'i' && text.front() != 'n';
}

// `count` units without overflow.
bool scale(std::int64_t count, std::int64_t unit, std::int64_t& product)
{
  return !__builtin_mul_overflow(count, unit, &product);
}

template <std::size_t N>
std::string spell(std::int64_t value, const std::array<Unit, N>& units)
{
  for (const auto& [name, unit] : units)
    if (value != 0 && value % unit == 0) return std::to_string(value / unit) + std::string(name);
  return "0";
}

} // namespace

Result<Milliseconds> parse_duration(std::string_view text)
{
  std::int64_t count = 0;
  std::string_view unit;
  if (text.empty() || !split_number(text, count, unit)) return refused("a duration (like 50ms, 30s, 1h)", text);
  if (unit.empty() && count == 0) return Milliseconds(0);
  for (const auto& [name, ms] : kDurations) {
    std::int64_t total = 0;
    if (name == unit && scale(count, ms, total)) return Milliseconds(total);
  }
  return refused("a duration (like 50ms, 30s, 1h)", text);
}

Result<ByteSize> parse_byte_size(std::string_view text)
{
  std::int64_t count = 0;
  std::string_view unit;
  if (text.empty() || !split_number(text, count, unit)) return refused("a size (like 64k, 1M)", text);
  if (unit.ends_with("iB"))
    unit.remove_suffix(2);
  else if (unit.ends_with("B"))
    unit.remove_suffix(1);
  if (unit == "K") unit = "k";
  for (const auto& [name, bytes] : kSizes) {
    std::int64_t total = 0;
    if (name == unit && scale(count, bytes, total)) return ByteSize{static_cast<std::uint64_t>(total)};
  }
  return refused("a size (like 64k, 1M)", text);
}

Result<Rate> parse_rate(std::string_view text)
{
  if (text == "max") return Rate{};
  double count = 0;
  std::string_view rest;
  const Error error = refused("a rate (like 2000/s, 2k/s, max)", text);
  if (text.empty() || !split_number(text, count, rest)) return error;
  if (rest.starts_with('k') || rest.starts_with('M')) {
    count *= rest.front() == 'k' ? 1e3 : 1e6;
    rest.remove_prefix(1);
  }
  if (rest == "/m")
    count /= 60;
  else if (rest == "/h")
    count /= 3600;
  else if (rest != "/s" && !rest.empty())
    return error;
  if (!(count > 0) || !std::isfinite(count)) return error;
  return Rate{count};
}

Result<std::int64_t> parse_integer(std::string_view text)
{
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return refused("a whole number", text);
  return number;
}

Result<double> parse_number(std::string_view text)
{
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return refused("a number", text);
  return number;
}

Result<bool> parse_truth(std::string_view text)
{
  for (const std::string_view yes : {"true", "yes", "on", "1"})
    if (text == yes) return true;
  for (const std::string_view no : {"false", "no", "off", "0"})
    if (text == no) return false;
  return refused("true or false", text);
}

std::string to_text(Milliseconds duration)
{
  return spell(duration.count(), kDurations);
}

std::string to_text(ByteSize size)
{
  return spell(static_cast<std::int64_t>(size.bytes), kSizes);
}

std::string to_text(Rate rate)
{
  return rate.per_second == 0 ? "max" : to_text(rate.per_second) + "/s";
}

std::string to_text(double number)
{
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return {digits.data(), end};
}

} // namespace attune
