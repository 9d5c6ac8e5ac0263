// Holdout: a stable share of the customers that is left out, so that what the others get can be compared. Who is in it depends on the
// customer's id and the salt alone: the same customers, on every machine, until the salt changes. Raising the share keeps those who
// were in. Pure; may be shared between threads.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ids.h"

namespace attune {

class Holdout {
 public:
  Holdout() = default; // nobody
  // REQUIRES: 0 <= share <= 1.
  Holdout(double share, std::string_view salt);
  // Nobody known (an empty id) is never in it: there is nothing to tell them by. Cost: some 10 ns.
  [[nodiscard]] bool holds(const CustomerId& customer) const;

 private:
  double share_ = 0;
  std::uint64_t seed_ = 0;
};

} // namespace attune
