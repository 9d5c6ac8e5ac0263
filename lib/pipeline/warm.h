// Warming: recommendations asked for customer after customer, so that a service that was just started, or a cache that was just emptied, has their
// profiles and answers at hand before they come themselves.
//
// A service that is away is waited for; the customer under way is asked for again. Thread rule: warm() on one thread; it starts one per
// connection. `next` is called by one of them at a time, and so are, beside it, `pace` and `done`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "pipeline/remote_service.h"

namespace attune {

struct WarmOptions {
  std::vector<Slot> slots; // of each customer; an empty one: the service's default. Not empty
  std::size_t n = 10;
  std::size_t connections = 4; // > 0
  std::optional<Milliseconds> give_up = std::chrono::seconds(60); // nothing: never
  RemoteServices connect;
  std::function<Result<std::optional<CustomerId>>()> next; // nothing: that was all
  std::function<bool()> pace; // before each request; false: a stop was requested
  std::function<bool(std::chrono::steady_clock::time_point)> wait_until; // false: likewise. Any thread
  std::function<Status(const CustomerId&)> done; // all slots of the customer were answered
};

struct WarmReport {
  std::uint64_t customers = 0;
  std::uint64_t answers = 0;
  std::uint64_t degraded = 0; // of them
  bool stopped = false; // before the end
};

// ERRORS: those of `next` and `done`; of the service: what will not pass, or did not for `give_up`.
[[nodiscard]] Result<WarmReport> warm(const WarmOptions& options);

} // namespace attune
