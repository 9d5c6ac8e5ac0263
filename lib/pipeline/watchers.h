// Watchers: who waits for a change of a customer's profile: requests with a token, once; open streams, until they end.
// Thread rule: any thread. A call is made on the thread of the change and must only hand the news on (RequestThread::post); it may come once more
// after unwatch() has returned. Memory: bounded by `most`; cost: a lock of one of 16 shards.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/ids.h"
#include "core/profile.h"

namespace attune {

class Watchers {
 public:
  explicit Watchers(std::size_t most) : most_(most) {}

  using Ticket = std::uint64_t;
  // Nothing when there are too many.
  [[nodiscard]] std::optional<Ticket> watch(const CustomerId& customer, std::function<void()> call);
  void unwatch(const CustomerId& customer, Ticket ticket);

  void changed(const CustomerId& customer);
  void changed(const Profile& profile); // and whoever became this customer
  void all_changed();

  [[nodiscard]] std::size_t size() const { return size_.load(); }

 private:
  static constexpr std::size_t kShards = 16;
  struct Shard {
    std::mutex mutex;
    std::unordered_multimap<std::string, std::pair<Ticket, std::function<void()>>> calls;
  };
  Shard& shard_of(const CustomerId& customer) { return shards_[std::hash<CustomerId>{}(customer) % kShards]; }

  std::size_t most_;
  std::atomic<std::size_t> size_{0};
  std::atomic<Ticket> next_{1};
  std::array<Shard, kShards> shards_;
};

} // namespace attune
