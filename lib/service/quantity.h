// Quantities as people type them: durations (50ms, 30s, 30m, 1h, 7d), byte sizes (64k, 1M: powers of 1024), rates (2000/s, 2k, 10/m).
// Thread rule: pure functions. ERRORS: usage, with the reason and the text ("not a duration: x").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace attune {

struct ByteSize {
  std::uint64_t bytes = 0;
  friend constexpr auto operator<=>(ByteSize, ByteSize) = default;
};

// Zero means as fast as it goes, written `max`.
struct Rate {
  double per_second = 0;
  friend constexpr auto operator<=>(Rate, Rate) = default;
};

// A whole number >= 0 with a unit: ms, s, m, h, d, w. `0` needs none. Nothing else does without: seconds or milliseconds is a guess.
Result<Milliseconds> parse_duration(std::string_view text);

// A whole number with k, M, G or T (a B or iB may follow), or none for bytes.
Result<ByteSize> parse_byte_size(std::string_view text);

// A number > 0, with k or M (thousands, millions), then /s (understood when missing), /m or /h; or `max`.
Result<Rate> parse_rate(std::string_view text);

Result<std::int64_t> parse_integer(std::string_view text);
Result<double> parse_number(std::string_view text);

// true, false, yes, no, on, off, 1, 0.
Result<bool> parse_truth(std::string_view text);

// The shortest spelling that parses to the same value.
std::string to_text(Milliseconds duration);
std::string to_text(ByteSize size);
std::string to_text(Rate rate);
std::string to_text(double number);

} // namespace attune
