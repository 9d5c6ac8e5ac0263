// Greeting: asks a log and a store until both have answered once, so that a service can say whether it is ready; and a store that is given a rest
// (pipeline/breaker.h) whether it answers again: who is not ready may be sent no requests that would try it. Their errors are told by whoever
// works with them.
// Thread rule: run() on a thread of its own; the rest from any. A call in progress ends with its adapter's limit.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pipeline/breaker.h"
#include "pipeline/ports.h"

namespace attune {

class Greeting {
 public:
  // `log`, `store` and `breaker` may be null: there is nothing to ask then, and it counts as answered. `breaker` outlives it.
  Greeting(std::unique_ptr<LogReader> log, std::vector<std::string> topics, std::unique_ptr<ProfileStore> store, Breaker* breaker)
      : log_(std::move(log)),
        topics_(std::move(topics)),
        store_(std::move(store)),
        breaker_(breaker),
        log_answered_(!log_),
        store_answered_(!store_)
  {
  }

  void run(); // until stop()
  void stop();
  [[nodiscard]] bool log_answered() const { return log_answered_.load(); }
  [[nodiscard]] bool store_answered() const { return store_answered_.load(); }

 private:
  void ask_log();
  void ask_store();

  std::unique_ptr<LogReader> log_; // until it has answered
  std::vector<std::string> topics_;
  std::unique_ptr<ProfileStore> store_;
  Breaker* breaker_;
  std::atomic<bool> log_answered_, store_answered_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
};

} // namespace attune
