#include "service/pace.h"

#include <poll.h>

#include <algorithm>

#include "service/signals.h"

namespace attune {

namespace {

using std::chrono::steady_clock;
constexpr std::chrono::milliseconds kMostBehind{100};

} // namespace

bool Pace::wait()
{
  if (rate_.per_second <= 0) return true;
  const auto step = std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(1 / rate_.per_second));
  due_ = std::max(due_, steady_clock::now() - kMostBehind);
  for (;;) {
    const auto left = due_ - steady_clock::now();
    if (left <= steady_clock::duration::zero()) break;
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
    const timespec time{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    pollfd stop{stop_fd(), POLLIN, 0};
    if (ppoll(&stop, 1, &time, nullptr) > 0) return false;
  }
  due_ += step;
  return true;
}

} // namespace attune
