// Timestamp: a moment, in whole milliseconds UTC since 1970-01-01 (negative before it). Clock: where `now` comes from.
// Only programs and adapters hold a Clock; lib/core takes times as arguments and never reads one.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace attune {

using Milliseconds = std::chrono::milliseconds;

struct Timestamp {
  std::int64_t ms = 0;

  friend constexpr auto operator<=>(Timestamp, Timestamp) = default;
  friend constexpr Timestamp operator+(Timestamp t, Milliseconds d) { return {t.ms + d.count()}; }
  friend constexpr Timestamp operator-(Timestamp t, Milliseconds d) { return {t.ms - d.count()}; }
  friend constexpr Milliseconds operator-(Timestamp a, Timestamp b) { return Milliseconds(a.ms - b.ms); }
};

// Thread rule: now() may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Timestamp now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override
  {
    return {std::chrono::duration_cast<Milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
  }
};

} // namespace attune
