// Backoff: pauses between tries that double up to a limit, each cut by a random share so that many clients do not come back at once.
// Thread rule: one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "base/clock.h"

namespace attune {

class Backoff {
 public:
  explicit Backoff(Milliseconds first = Milliseconds(5), Milliseconds longest = Milliseconds(500))
      : first_(first), longest_(longest)
  {
  }

  // Of the pause it stands at, between a half and the whole.
  Milliseconds next()
  {
    const Milliseconds whole = std::min(longest_, first_ * (1 << std::min(tries_, 10)));
    ++tries_;
    return Milliseconds(std::uniform_int_distribution<std::int64_t>((whole.count() + 1) / 2, whole.count())(random_));
  }
  void reset() { tries_ = 0; }

 private:
  Milliseconds first_;
  Milliseconds longest_;
  int tries_ = 0;
  std::minstd_rand random_{std::random_device{}()};
};

} // namespace attune
