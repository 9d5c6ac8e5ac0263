#include "core/money.h"

#include <algorithm>
#include <limits>

namespace attune {
namespace {

constexpr std::int64_t kMicroPerUnit = 1'000'000;
constexpr std::size_t kDecimals = 6;

bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

// A decimal cut at its sign and point. Nothing when the text is not `-?(0|[1-9][0-9]*)(\.[0-9]+)?`.
struct Decimal {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
};

std::optional<Decimal> cut_decimal(std::string_view text)
{
  Decimal decimal;
  if (!text.empty() && text.front() == '-') {
    decimal.negative = true;
    text.remove_prefix(1);
  }
  const std::size_t point = text.find('.');
  decimal.whole = text.substr(0, point);
  if (point != std::string_view::npos) {
    decimal.fraction = text.substr(point + 1);
    if (decimal.fraction.empty()) {
      return std::nullopt;
    }
  }
  const bool leading_zero = decimal.whole.size() > 1 && decimal.whole.front() == '0';
  if (decimal.whole.empty() || leading_zero || !std::all_of(decimal.whole.begin(), decimal.whole.end(), is_digit) ||
      !std::all_of(decimal.fraction.begin(), decimal.fraction.end(), is_digit)) {
    return std::nullopt;
  }
  return decimal;
}

// The value in micro-units; nothing when it has too many decimals or 128 bits do not hold it.
std::optional<Int128> micro_of(const Decimal& decimal)
{
  if (decimal.fraction.size() > kDecimals) {
    return std::nullopt;
  }
  Int128 micro = 0;
  const auto push = [&micro, &decimal](int digit) {
    return !__builtin_mul_overflow(micro, Int128{10}, &micro) &&
           !__builtin_add_overflow(micro, Int128{decimal.negative ? -digit : digit}, &micro);
  };
  for (const char c : decimal.whole) {
    if (!push(c - '0')) {
      return std::nullopt;
    }
  }
  for (std::size_t i = 0; i < kDecimals; ++i) {
    if (!push(i < decimal.fraction.size() ? decimal.fraction[i] - '0' : 0)) {
      return std::nullopt;
    }
  }
  return micro;
}

} // namespace

bool is_decimal(std::string_view text)
{
  return cut_decimal(text).has_value();
}

std::optional<Money> parse_money(std::string_view text)
{
  const auto total = parse_total(text);
  if (!total || total->micro > std::numeric_limits<std::int64_t>::max() ||
      total->micro < std::numeric_limits<std::int64_t>::min()) {
    return std::nullopt;
  }
  return Money{static_cast<std::int64_t>(total->micro)};
}

std::optional<Total> parse_total(std::string_view text)
{
  const auto decimal = cut_decimal(text);
  if (!decimal) {
    return std::nullopt;
  }
  const auto micro = micro_of(*decimal);
  return micro ? std::optional<Total>(Total{*micro}) : std::nullopt;
}

void append_money(Int128 micro, std::string& out)
{
  // Digits come out last first. Remainders keep the sign of `micro`, so the smallest value needs no negation.
  char digits[48];
  char* begin = digits + sizeof digits;
  char* const end = begin;
  Int128 whole = micro / kMicroPerUnit;
  int fraction = static_cast<int>(micro % kMicroPerUnit);
  fraction = fraction < 0 ? -fraction : fraction;
  if (fraction != 0) {
    std::size_t decimals = kDecimals;
    for (; fraction % 10 == 0; fraction /= 10) {
      --decimals;
    }
    for (; decimals > 0; --decimals, fraction /= 10) {
      *--begin = static_cast<char>('0' + fraction % 10);
    }
    *--begin = '.';
  }
  do {
    const int digit = static_cast<int>(whole % 10);
    *--begin = static_cast<char>('0' + (digit < 0 ? -digit : digit));
    whole /= 10;
  } while (whole != 0);
  if (micro < 0) {
    *--begin = '-';
  }
  out.append(begin, end);
}

std::string to_string(Money amount)
{
  return to_string(Total{amount.micro});
}

std::string to_string(const Total& amount)
{
  std::string text;
  append_money(amount.micro, text);
  return text;
}

std::optional<Currency> parse_currency(std::string_view text)
{
  if (text.size() != 3 || !std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return std::nullopt;
  }
  return Currency{{text[0], text[1], text[2]}};
}

} // namespace attune
