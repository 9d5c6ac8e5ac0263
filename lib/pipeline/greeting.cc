#include "pipeline/greeting.h"

#include <chrono>

namespace attune {

namespace {

constexpr Milliseconds kEvery{200};

} // namespace

void Greeting::ask_log()
{
  if (log_answered_ || !log_->partitions(topics_)) return;
  log_answered_ = true;
  log_.reset();
}

void Greeting::ask_store()
{
  const auto now = std::chrono::steady_clock::now();
  const bool resting = breaker_ && breaker_->open();
  if (!store_ || (store_answered_ && !(resting && breaker_->allows(now)))) return;
  const bool answers = store_->incarnation().ok();
  if (answers) store_answered_ = true;
  if (resting && answers) breaker_->succeeded();
  if (resting && !answers) breaker_->failed(now);
}

void Greeting::run()
{
  std::unique_lock lock(mutex_);
  do {
    lock.unlock();
    ask_log();
    ask_store();
    lock.lock();
  } while (!stopped_.wait_for(lock, kEvery, [this] { return stopping_; }));
}

void Greeting::stop()
{
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
}

} // namespace attune
