// Collector: events that came over a network into a log, acknowledged once they are durable (DESIGN promise 3).
//
//   body → texts (core/event_batch.h) → events, each made whole → whoever asks may look at them → log → all durable: done
//
// What is no event is told to the sender with its index, field and reason, and stands in the dead letters. What is being written is
// bounded in bytes and number, so that nothing waits here while memory grows: beyond the bound a batch is refused (busy) and the sender
// tries again. A failure after some were written is no harm to events that came with an id or a time: sent again they have the same id, and
// count once. One with neither gets an id here that its sender does not know: sent again it counts twice. What the log has neither taken
// nor refused within `patience` (a broker that is away says nothing at all) is told to be `unreachable`: the sender tries again.
//
// What is acknowledged and has a token (events of one customer) is put among the events under way before `done`, so that the token's very next
// request finds it.
//
// Thread rule: any thread. `done` is called once, on a thread of the log, on the collector's own or before collect() returns, and must only
// hand the news on. The destructor tells `stopped` to whoever still waits; the log may outlive the collector.
// ERRORS given to `done`: busy; unreachable; stopped; those of the log. Then nothing is acknowledged.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/event.h"
#include "core/token.h"
#include "pipeline/dead_letter.h"
#include "pipeline/ports.h"
#include "pipeline/underway_events.h"

namespace attune {

// An input that is no event.
struct Refused {
  std::size_t index = 0; // in the batch, from 0
  EventId id; // when it had one
  Reject why;
  std::string_view text;
};

struct EventBatch {
  std::vector<Event> events; // whole
  std::vector<std::string_view> texts; // of each event as it came, when it was whole already; else empty
  std::vector<Refused> refused;
  std::size_t size = 0; // inputs
  // Whose they all are; empty when there are several customers, or none.
  [[nodiscard]] CustomerId customer() const;
  [[nodiscard]] Token token() const; // empty when there are several customers
};

struct CollectorParts {
  LogWriter* log = nullptr; // never null
  DeadLetterSink* dead_letters = nullptr; // never null
  UnderwayEvents* underway = nullptr; // null: this process answers nobody. It outlives the log
  const Clock* clock = nullptr; // never null
  std::function<void(std::array<std::uint8_t, 10>&)> randomness;
  std::string name_space;
  Currency currency; // for events with a price and no currency
  std::size_t most_bytes = 16u << 20; // being written
  std::size_t most_events = 50'000;
  Milliseconds patience = std::chrono::seconds(10); // with the log, for a batch
};

struct CollectorCounts {
  std::atomic<std::uint64_t> acknowledged{0}, refused{0}, turned_away{0}, failed{0};
};

class Collector {
 public:
  explicit Collector(CollectorParts parts);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // Views into `body`. ERRORS: of cut_batch(): the body is no batch at all.
  [[nodiscard]] Result<EventBatch, Reject> read(std::string_view body) const;
  // `source` names the sender in dead letters ("http 10.1.2.3").
  using Done = std::function<void(const Status&)>;
  void collect(const EventBatch& batch, std::string_view source, Done done);

  [[nodiscard]] const CollectorCounts& counts() const;
  [[nodiscard]] std::size_t bytes_in_flight() const;
  // ERRORS: what the log (or its spool) said that is neither one record's fault nor passes by itself (a failed sync, a broker that refuses
  // us): it is at its end, and so is whoever collects.
  [[nodiscard]] Status log_ended() const;

 private:
  struct Flight;
  struct Flights; // shared with what the log still holds
  void watch();

  CollectorParts parts_;
  std::array<std::string, 13> topics_; // whole names, by type
  std::shared_ptr<Flights> flights_;
  std::thread watching_; // flights that take too long
};

} // namespace attune
