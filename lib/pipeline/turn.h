// Turn: a lock that is given in the order it was asked for. A std::mutex may be taken again by whoever has just let go of it, as often as that one
// likes, while others wait.
//
// Thread rule: any thread. Cost: two atomics when nobody waits; who waits sleeps. For few threads: each release wakes all that wait.
#pragma once

#include <atomic>
#include <cstdint>

namespace attune {

class Turn {
 public:
  void lock()
  {
    const auto mine = next_.fetch_add(1, std::memory_order_relaxed);
    for (auto now = serving_.load(std::memory_order_acquire); now != mine; now = serving_.load(std::memory_order_acquire))
      serving_.wait(now, std::memory_order_acquire);
  }
  void unlock()
  {
    serving_.fetch_add(1, std::memory_order_release);
    serving_.notify_all();
  }
  // Who has asked and not let go: whoever has it, and those who wait.
  [[nodiscard]] std::uint32_t asked() const { return next_.load() - serving_.load(); }

 private:
  std::atomic<std::uint32_t> next_{0}, serving_{0};
};

} // namespace attune
