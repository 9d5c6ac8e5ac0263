// SupportedTime: how late it is, as far as several customers say so: the latest time at or after which kWitnesses customers were active. By it
// a model tells what is too old. One clock that is wrong by years moves it by nothing, and so do kWitnesses - 1 of them.
//
// A function of the set of (customer, time) it was shown, in any order. Not synchronized. Cost: some 20 ns; memory: 300 bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

namespace attune {

class SupportedTime {
 public:
  static constexpr std::size_t kWitnesses = 16;

  struct Witness {
    std::int64_t time = 0; // ms since 1970: the customer's newest
    std::uint64_t customer = 0; // a hash, core/lesson.h
    friend auto operator<=>(const Witness&, const Witness&) = default;
  };

  void see(std::uint64_t customer, std::int64_t time)
  {
    const Witness seen{time, customer};
    if (newest_.size() == kWitnesses && seen <= newest_.front()) return;
    const auto known = find(customer);
    if (known != newest_.end()) {
      if (time <= known->time) return;
      newest_.erase(known);
    } else if (newest_.size() == kWitnesses) {
      newest_.erase(newest_.begin());
    }
    newest_.insert(std::upper_bound(newest_.begin(), newest_.end(), seen), seen);
  }
  // Who is forgotten is no witness; the next customer that comes takes the place.
  void drop(std::uint64_t customer)
  {
    if (const auto known = find(customer); known != newest_.end()) newest_.erase(known);
  }
  // INT64_MIN before kWitnesses customers came.
  [[nodiscard]] std::int64_t time() const { return newest_.size() < kWitnesses ? INT64_MIN : newest_.front().time; }

  // What a snapshot holds, sorted.
  [[nodiscard]] std::span<const Witness> all() const { return newest_; }
  void merge(const SupportedTime& other)
  {
    for (const auto& witness : other.newest_) see(witness.customer, witness.time);
  }

 private:
  [[nodiscard]] std::vector<Witness>::iterator find(std::uint64_t customer)
  {
    return std::find_if(newest_.begin(), newest_.end(), [customer](const Witness& each) { return each.customer == customer; });
  }

  std::vector<Witness> newest_; // the newest of each of kWitnesses customers, the oldest of them first
};

} // namespace attune
