// Refreshes: profiles of customers who asked lately, read again when somebody else changed them, before they ask again: their next answer waits for
// nothing. After those who look just now (pipeline/watchers.h), whose requests read them anyway; and those of a priority segment before the others.
//
// Coalesced: one who changes again while waiting is read once. Bounded: beyond `most` who wait, whoever comes is read when it is asked for;
// kAtOnce are read at a time, so that requests of others do not stand behind them.
//
// Thread rule: changed() from any thread. The readers and `priority` outlive it, and it outlives what the readers have of it: let the readers end first.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_set>

#include "base/ids.h"
#include "pipeline/profile_readers.h"

namespace attune {

class Refreshes {
 public:
  static constexpr std::size_t kAtOnce = 16;

  // `priority`: whether this customer comes before others; called without any lock of the caller's.
  Refreshes(ProfileReaders& readers, std::function<bool(const CustomerId&)> priority, std::size_t most = 10'000)
      : readers_(readers), priority_(std::move(priority)), most_(most)
  {
  }

  void changed(const CustomerId& customer);

  [[nodiscard]] std::uint64_t read() const { return read_.load(); } // ever

 private:
  void go_on();

  ProfileReaders& readers_;
  std::function<bool(const CustomerId&)> priority_;
  std::size_t most_;
  std::mutex mutex_;
  std::deque<CustomerId> first_, others_; // who waits
  std::unordered_set<CustomerId> waiting_; // all of them
  std::size_t under_way_ = 0;
  std::atomic<std::uint64_t> read_{0};
};

} // namespace attune
