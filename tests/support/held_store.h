// A store that can be made to hang or to fail at reading, for tests of what is done then. Everything else is the store's it stands before.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "pipeline/ports.h"

namespace attune::testing {

// Shared by all handles.
class Hold {
 public:
  void hang(bool yes)
  {
    {
      const std::lock_guard lock(mutex_);
      hanging_ = yes;
    }
    changed_.notify_all();
  }
  std::atomic<bool> failing{false};
  std::atomic<int> reads{0};

  // Whom the store was asked for, in order.
  std::vector<std::string> asked()
  {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  Status pass(std::span<const CustomerId> customers)
  {
    std::unique_lock lock(mutex_);
    ++reads;
    for (const auto& customer : customers) asked_.push_back(customer.text);
    changed_.wait(lock, [this] { return !hanging_; });
    if (failing) return Error{Code::unreachable, "the store is away"};
    return {};
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hanging_ = false;
  std::vector<std::string> asked_;
};

class HeldStore final : public ProfileStore {
 public:
  HeldStore(std::unique_ptr<ProfileStore> store, std::shared_ptr<Hold> hold) : store_(std::move(store)), hold_(std::move(hold)) {}

  Result<std::unique_ptr<ProfileStore>> another() override
  {
    auto made = store_->another();
    if (!made) return made.error();
    return std::unique_ptr<ProfileStore>(std::make_unique<HeldStore>(std::move(*made), hold_));
  }
  Result<Incarnation> incarnation() override { return store_->incarnation(); }
  Status get(std::span<const CustomerId> customers, std::vector<StoredProfile>& out) override
  {
    if (auto passed = hold_->pass(customers); !passed) return passed;
    return store_->get(customers, out);
  }
  Status compare_and_set(std::span<const ProfileWrite> writes, std::vector<WriteOutcome>& out) override
  {
    return store_->compare_and_set(writes, out);
  }
  Status scan(const std::function<bool(const CustomerId&, const StoredProfile&)>& visit) override { return store_->scan(visit); }
  Result<std::unique_ptr<ProfileStore>> fresh_generation() override { return store_->fresh_generation(); }
  Status publish_generation() override { return store_->publish_generation(); }

 private:
  std::unique_ptr<ProfileStore> store_;
  std::shared_ptr<Hold> hold_;
};

} // namespace attune::testing
