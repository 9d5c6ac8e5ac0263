// RemoteService: a service that runs somewhere, as its customers and its operator see it (DESIGN section 6, HTTP): events in, answers out. What
// attune-latency-probe times and attune-cache-warm asks.
//
// Thread rule: one thread per handle.
// ERRORS: unreachable; busy: it does not take more now; config: it does not know our key, signature or token, or not this request.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace attune {

struct RemoteAnswer {
  std::uint64_t profile_version = 0; // how many events of the customer it knows
  std::string degraded; // the code of why it fell short of what was asked; empty: it did not
  std::vector<ItemId> items;
  std::optional<std::chrono::nanoseconds>
      profile; // by the service's clock: until the profile was there and held the token's events

  // Whether it says that it knows the events of the request's token. A model that has learned nothing answers poorly, but not late.
  [[nodiscard]] bool says_current() const { return degraded.empty() || degraded == "empty_model"; }
};

struct RemoteReceipt {
  std::string token;
  std::optional<std::chrono::nanoseconds> durable; // by the service's clock: until the log said so
  std::optional<RemoteAnswer> answer; // of one call
};

class RemoteService {
 public:
  virtual ~RemoteService() = default;
  // A view of that item, durable when it returns. With `slot` ("one call") the changed answer comes in the reply, and it knows the events of the
  // token `after` too.
  virtual Result<RemoteReceipt> send(const CustomerId& customer, std::string_view event, const ItemId& item,
                                     const std::optional<Slot>& slot, std::string_view after) = 0;
  // What the customer should see next; nobody's where the customer is empty. Waits for the token's events as long as a service may.
  virtual Result<RemoteAnswer> ask(const CustomerId& customer, const Slot& slot, std::size_t n, std::string_view after) = 0;
  // Forgets all of the customer, as the operator.
  virtual Status forget(const CustomerId& customer) = 0;
};

// One more handle, for another thread.
using RemoteServices = std::function<Result<std::unique_ptr<RemoteService>>()>;

} // namespace attune
