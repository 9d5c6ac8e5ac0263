// A request thread of a test: calls run one after the other on a thread of its own, timers included.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "pipeline/request_thread.h"

namespace attune::testing {

class OwnThread final : public RequestThread {
 public:
  OwnThread() : thread_([this] { run(); }) {}
  ~OwnThread() override
  {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    given_.notify_all();
    thread_.join();
  }

  void post(std::function<void()> call) override { after(std::chrono::microseconds(0), std::move(call)); }
  void after(std::chrono::microseconds wait, std::function<void()> call) override
  {
    {
      const std::lock_guard lock(mutex_);
      due_.emplace(Steady::now() + wait, std::move(call));
    }
    given_.notify_all();
  }

 private:
  using Steady = std::chrono::steady_clock;

  void run()
  {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (due_.empty()) {
        given_.wait(lock);
      } else if (const auto first = due_.begin(); first->first <= Steady::now()) {
        const auto call = std::move(first->second);
        due_.erase(first);
        lock.unlock();
        call();
        lock.lock();
      } else {
        given_.wait_until(lock, first->first);
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable given_;
  std::multimap<Steady::time_point, std::function<void()>> due_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace attune::testing
