#include "service/pace.h"

#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>

#include "service/signals.h"

namespace attune {

namespace {

using std::chrono::steady_clock;
constexpr std::chrono::milliseconds kMostBehind{100};

} // namespace

bool wait_until(steady_clock::time_point due)
{
  // The kernel puts wake-ups of a thread together within 50 us unless it is told not to.
  static thread_local const int exact = prctl(PR_SET_TIMERSLACK, 1UL);
  static_cast<void>(exact);
  for (;;) {
    const auto left = due - steady_clock::now();
    if (left <= steady_clock::duration::zero()) return !stop_requested();
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
    const timespec time{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    pollfd stop{stop_fd(), POLLIN, 0};
    if (ppoll(&stop, 1, &time, nullptr) > 0) return false;
  }
}

bool Pace::wait()
{
  if (rate_.per_second <= 0) return true;
  const auto step = std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(1 / rate_.per_second));
  due_ = std::max(due_, steady_clock::now() - kMostBehind);
  if (!wait_until(due_)) return false;
  due_ += step;
  return true;
}

} // namespace attune
