// UnderwayEvents: events that this process has acknowledged and that profiles may not hold yet. Who collects and answers in one process need not
// wait until its own events have come round through log and store: a token that names them is answered with them applied in memory.
//
// Bounded: beyond `most` events, or kMostOfOne of one customer, the oldest are let go, and who waits for one of those waits for the profile.
// identify is not kept: what it brings is the alias's history, which only the store has.
//
// Thread rule: any thread. Cost: some 0.5 us an event and about 700 bytes while it is kept.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/event.h"
#include "core/profile.h"
#include "core/token.h"

namespace attune {

class UnderwayEvents {
 public:
  static constexpr std::size_t kMostOfOne = 32;

  explicit UnderwayEvents(std::size_t most = 20'000) : most_(most) {}

  // REQUIRES: the events are durable, and complete.
  void put(std::vector<Event> events);

  // The customer's events that `profile` (which may be null) does not answer for, in the order they came, if they are all that the token waits
  // for; else nothing.
  [[nodiscard]] std::optional<std::vector<Event>> completing(const Token& token, const CustomerId& customer,
                                                             const Profile* profile) const;

  [[nodiscard]] std::size_t size() const;

 private:
  using Kept = std::shared_ptr<const Event>;
  void let_go_of_oldest();

  std::size_t most_;
  mutable std::mutex mutex_;
  std::deque<Kept> all_; // in the order they came
  std::unordered_map<std::string, std::vector<Kept>> by_customer_; // likewise
};

} // namespace attune
