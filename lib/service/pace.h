// Pace: no more than so many steps a second, evenly spaced, and none saved up: a step that comes late does not make the next ones hurry
// by more than a tenth of a second.
// Thread rule: one thread. Cost: a clock reading and a sleep a step; nothing without a limit.
#pragma once

#include <chrono>

#include "service/quantity.h"

namespace attune {

// Sleeps until then, as exactly as the kernel wakes (some 50 us late on an idle machine). False: a stop was requested (service/signals.h), at once.
// Thread rule: any thread.
[[nodiscard]] bool wait_until(std::chrono::steady_clock::time_point due);

class Pace {
 public:
  explicit Pace(Rate rate) : rate_(rate) {}

  // Waits until the next step is due. False: a stop was requested (service/signals.h), at once.
  [[nodiscard]] bool wait();

 private:
  using Instant = std::chrono::steady_clock::time_point;

  Rate rate_;
  Instant due_{};
};

} // namespace attune
