// Patience: how long a log or store that went away is waited for (`--give-up`). Failures that may pass by themselves are forgiven until
// they have lasted too long without an answer between them.
// Not synchronized.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"
#include "base/result.h"

namespace attune {

class Patience {
 public:
  // Nothing: for ever.
  explicit Patience(std::optional<Milliseconds> limit) : limit_(limit) {}

  // Ok: try again. ERRORS: `error` itself, when it will not pass; busy "… (given up)", when such failures have lasted for the limit.
  Status forgive(const Error& error);
  // It answered: whatever comes next is new.
  void renew() { away_since_.reset(); }

 private:
  std::optional<Milliseconds> limit_;
  std::optional<std::chrono::steady_clock::time_point> away_since_;
};

} // namespace attune
