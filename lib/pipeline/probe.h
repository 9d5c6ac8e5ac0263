// LatencyProbe: how long it takes from an event to the answer that knows it, measured on a running service with customers of the probe's own
// (pipeline/probe_customer.h), through the path that real ones take.
//
// Open loop: event i is due at the begin + i / rate, whatever became of those before it, and all its times count from then: a service that
// stands still for a second is seen to have kept everybody waiting who came in that second (no coordinated omission). An event that begins late
// counts as slip, whose cause is the probe: too few connections for the service's pace, or a machine that is too busy.
//
//   accepted   until the event's receipt is there, which says that it is durable
//   durable    of it, by the service's clock: until the log said so
//   profile    by the service's clock: until the profile held the event
//   answer     until an answer is there that knows the event: sent, receipt, asked with its token; or all in one call
//
// Nothing is believed: an answer has to show a profile version that counts all events of its customer that were acknowledged before. At the end
// every customer is asked once more: what was acknowledged and is not there is lost; what is there beyond what was sent is a duplicate.
//
// Thread rule: probe_latency() on one thread; it starts one per connection. Clock: CLOCK_MONOTONIC (std::chrono::steady_clock).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/latency_histogram.h"
#include "pipeline/remote_service.h"

namespace attune {

enum class ProbeStage : std::uint8_t { accepted, durable, profile, answer };
inline constexpr std::size_t kProbeStages = 4;
inline constexpr std::array<std::string_view, kProbeStages> kProbeStageNames{"accepted", "durable", "profile", "answer"};

// Of the whole time, or of an interval.
struct ProbeReport {
  std::chrono::nanoseconds until{0}; // since the begin
  std::uint64_t events = 0; // that came due
  std::uint64_t answers = 0; // that knew their event
  std::uint64_t degraded = 0; // answers that said they fell short
  std::uint64_t stale = 0; // answers that did not, and yet did not know an event acknowledged before
  std::uint64_t failed = 0; // events without a receipt, or without any answer; those that never got a connection among them
  std::uint64_t duplicates = 0; // counted in a profile and never sent
  LatencyHistogram slip; // of the begin of each event
  std::array<LatencyHistogram, kProbeStages> stages;

  // Known at the end alone.
  bool final = false;
  std::uint64_t lost = 0; // acknowledged, and not in the profile
  std::uint64_t unverified = 0; // customers that could not be asked at the end
  std::uint64_t customers = 0; // that took part
  std::uint64_t removed = 0; // of them
  std::string trouble; // the first failure; empty: there was none

  [[nodiscard]] const LatencyHistogram& stage(ProbeStage stage) const { return stages[static_cast<std::size_t>(stage)]; }
  void merge(const ProbeReport& other); // counts and histograms
};

struct LatencyProbeOptions {
  double rate = 100; // events a second
  std::chrono::nanoseconds duration{0};
  std::chrono::nanoseconds grace =
      std::chrono::seconds(5); // after the end; an event that found no connection until then has failed
  std::size_t customers = 100; // who take turns. > 0
  std::size_t connections = 16; // how many events may be under way. > 0
  std::string run; // in the customers' names and the events' ids: unlike that of any other run
  Slot slot; // empty: the service's default
  std::size_t n = 10;
  bool one_call = false;
  bool remove = true; // forget the customers at the end
  // Sleeps until then; false, at once: a stop was requested. Any thread.
  std::function<bool(std::chrono::steady_clock::time_point)> wait_until;
  RemoteServices connect;
  std::chrono::nanoseconds interval{0}; // of `told`; zero: never
  std::function<Status(const ProbeReport&)> told; // of the interval that ended
  std::function<void(std::uint64_t events, double fraction)> progress; // may be empty
};

// After a stop: the report of what was measured until then, customers removed.
// ERRORS: those of RemoteService for the first request, which asks for items to view, and for connecting; of `told`.
[[nodiscard]] Result<ProbeReport> probe_latency(const LatencyProbeOptions& options);

} // namespace attune
