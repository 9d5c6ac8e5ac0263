// Money: an amount in whole micro-units (10^-6) of some currency; never a floating point number. Currency: ISO 4217 code.
// Sums that could pass 64 bits are kept in Total (128 bits), which adds up in any order.
//
// Text form: decimal, no exponent, no sign but '-', at most 6 decimals, no trailing zeros: "0", "12.5", "-0.000001".
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace attune {

struct Money {
  std::int64_t micro = 0;
  friend constexpr auto operator<=>(Money, Money) = default;
};

// The largest price of one unit an event may carry: 10^9 units.
inline constexpr std::int64_t kMaxPriceMicro = 1'000'000'000LL * 1'000'000LL;

__extension__ typedef __int128 Int128;

// A sum of amounts. Addition commutes and can not overflow with fewer than 2^63 terms.
struct Total {
  Int128 micro = 0;
  friend constexpr bool operator==(const Total&, const Total&) = default;
};

// "19.99", "5", "0.000001" (also "1e3" is not one). Nothing when it is not a decimal, has more than 6 decimals or does not
// fit; a leading '-' is accepted (refusing negatives is the codec's business).
[[nodiscard]] std::optional<Money> parse_money(std::string_view text);

// Whether `text` has the form of a decimal, `-?(0|[1-9][0-9]*)(\.[0-9]+)?`, however long or large.
[[nodiscard]] bool is_decimal(std::string_view text);

void append_money(Int128 micro, std::string& out);
[[nodiscard]] std::string to_string(Money amount);
[[nodiscard]] std::string to_string(const Total& amount);
// The reverse of to_string(Total).
[[nodiscard]] std::optional<Total> parse_total(std::string_view text);

// Three capital letters, ISO 4217's form; {0,0,0} when absent.
struct Currency {
  char code[3] = {0, 0, 0};
  [[nodiscard]] bool empty() const { return code[0] == 0; }
  [[nodiscard]] std::string_view text() const { return empty() ? std::string_view{} : std::string_view(code, 3); }
  friend constexpr auto operator<=>(const Currency&, const Currency&) = default;
};
[[nodiscard]] std::optional<Currency> parse_currency(std::string_view text);

} // namespace attune
