// Replay: a range of one log into another, in record-time order, as fast as it goes, at a rate, or at the pace its events had.
//
// Records are passed on as they are: key, headers, value. Only when times are shifted is an event written anew (canonical JSON, or
// Protobuf where it was that), with the same id. Filters read events; a record that is no event passes only when no filter is set.
// Thread rule: one thread.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/event.h"
#include "pipeline/log_range.h"
#include "pipeline/ports.h"

namespace attune {

struct ReplayOptions {
  std::vector<LogRange> ranges;
  std::set<std::string> types, customers, items; // empty: all; an item is looked for in `item` and in the lines
  // Pace by event time: 1 as it was, 10 ten times faster, 0 as fast as it goes. A time that goes backwards does not wait.
  double speed = 0;
  double rate = 0; // records a second; 0: no limit
  // Added to every event's time. `shift_to` instead makes the first event's time that moment.
  Milliseconds shift{0};
  std::optional<Timestamp> shift_to;
  bool keep_partition = false;
  std::optional<Milliseconds> give_up; // how long the first log may be away; nothing: for ever
  std::function<std::string(const std::string&)> topic_for; // source topic → target topic
  std::function<bool(Milliseconds)> pause; // waits; false to stop
  std::function<bool()> stop;
  std::function<void(std::uint64_t done, std::optional<std::uint64_t> total)> progress; // may be empty
};

struct ReplayReport {
  std::uint64_t read = 0, written = 0, filtered = 0, unreadable = 0;
};

// Returns when every range with an end is done (and durable in the target), or stopped. ERRORS: those of both logs; gap.
Result<ReplayReport> replay(LogReader& from, LogWriter& to, const ReplayOptions& options);

} // namespace attune
