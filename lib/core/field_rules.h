// FieldRules: the name, the place and the limits of each field of an event (DESIGN section 3), once for every wire and dialect.
// Rules that span fields are validate()'s (core/event.h). Pure; a refusal is a static text, so refusing costs nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/event.h"

namespace attune {

// In the order of their names, which is also their order in the canonical JSON.
enum class Field : std::uint8_t {
  alias,
  category,
  currency,
  customer,
  granted,
  id,
  item,
  items,
  order,
  price,
  properties,
  quantity,
  query,
  recommendation,
  sent,
  session,
  slot,
  time,
  type,
};
inline constexpr std::size_t kFields = 19;

[[nodiscard]] std::string_view field_name(Field field);
[[nodiscard]] std::optional<Field> field_named(std::string_view name);

// Why a value is refused: a static text such as "not a decimal".
using Check = Result<void, std::string_view>;
template <class T>
using Checked = Result<T, std::string_view>;

// A string of 1 to `max` bytes without NUL. UTF-8 is the codec's to check. `max` is one of the limits of core/event.h.
[[nodiscard]] Check check_text(std::string_view text, std::size_t max);

// A decimal of 0 to 10^9, at most 6 decimals, no exponent.
[[nodiscard]] Checked<Money> read_price(std::string_view text);
[[nodiscard]] Check check_price(Money price);
// A whole number of 1 to 10^6, in digits.
[[nodiscard]] Checked<std::int64_t> read_quantity(std::string_view digits);
[[nodiscard]] Check check_quantity(std::int64_t quantity);
// RFC 3339: `2024-02-29T12:00:00.5+01:00`. Digits beyond milliseconds are cut off; 23:59:60 UTC is the second after it.
[[nodiscard]] Checked<Timestamp> read_rfc3339(std::string_view text);
// Whole milliseconds since 1970 UTC, in digits, a leading '-' before 1970.
[[nodiscard]] Checked<Timestamp> read_milliseconds(std::string_view digits);
[[nodiscard]] Check check_time(Timestamp time);
inline constexpr std::string_view kNotATime = "not RFC 3339 and not integer milliseconds";

inline constexpr std::string_view kNotACurrency = "not three capital letters of ISO 4217";

// Whether the field's value is a string of the JSON form.
[[nodiscard]] bool is_text(Field field);
// REQUIRES: is_text(field). Valid UTF-8 in `text`.
[[nodiscard]] Check set_text(Event& event, Field field, std::string_view text);

// Any text; kept as it is when it is a JSON object within the limits.
[[nodiscard]] Check set_properties(Event& event, std::string_view json);
// What JsonTree says of properties, with their own limit in it.
[[nodiscard]] Check properties_fault(const Check& check);

// Sets any field but items and properties from the text of a table's cell: numbers in digits, `true` and `false`, times in either form.
[[nodiscard]] Check set_from_cell(Event& event, Field field, std::string_view text);

// "items[3].price"; "items[3]" when `name` is empty.
[[nodiscard]] std::string line_field(std::size_t index, std::string_view name);
[[nodiscard]] Reject rejected(std::string_view field, std::string_view reason);

// `name` as a message may show it: at most 64 bytes, cut between characters, controls replaced.
[[nodiscard]] std::string shown(std::string_view name);

} // namespace attune
