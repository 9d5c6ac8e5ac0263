// Breaker: a circuit breaker. After `failures` in a row nothing is asked of a peer for `pause`; then one call is let through to try it, and
// what becomes of that decides. (M. Nygard, "Release It!", 2007.) Thread rule: any thread. Cost: an atomic or two.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace attune {

class Breaker {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  explicit Breaker(std::uint32_t failures = 5, std::chrono::milliseconds pause = std::chrono::seconds(1))
      : most_(failures), pause_(pause)
  {
  }

  // Whether to ask the peer. True once per pause while it is open.
  [[nodiscard]] bool allows(Instant now)
  {
    if (failed_.load(std::memory_order_relaxed) < most_) return true;
    auto until = until_.load();
    return now.time_since_epoch().count() >= until &&
           until_.compare_exchange_strong(until, (now + pause_).time_since_epoch().count());
  }
  void succeeded()
  {
    if (failed_.load(std::memory_order_relaxed) != 0) failed_.store(0);
  }
  void failed(Instant now)
  {
    if (failed_.fetch_add(1) + 1 == most_) until_.store((now + pause_).time_since_epoch().count());
  }
  [[nodiscard]] bool open() const { return failed_.load() >= most_; }

 private:
  std::uint32_t most_;
  std::chrono::steady_clock::duration pause_;
  std::atomic<std::uint32_t> failed_{0}; // in a row
  std::atomic<Instant::rep> until_{0};
};

} // namespace attune
