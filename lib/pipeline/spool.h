// Spool: a log writer that never lies and seldom refuses. As long as the log takes records they go there. When it has delivered nothing of what
// waits for `patience`, everything that waits and all that comes is written to a second, local log instead, acknowledged once synced there, and
// brought to the first in its order when that answers again: with the same bytes, so that what reached it twice is recognised by
// its id. Until the spool is empty, new records go behind those in it.
//
//   append → log ── delivered → acknowledged
//             └── nothing for `patience` → spool (synced) → acknowledged … later → log
//
// The spool is bounded; when it is full append() fails (busy) and nothing of that record is acknowledged. What it holds survives a crash: the
// next Spool over the same directory brings it to the log first.
//
// Thread rule: append() and flush() from any thread, as of any LogWriter. `delivered` says Placed{-1, -1} for a record that stands in the spool.
// Cost: of a record that goes straight through, a copy kept until it is delivered, and a lock. Memory: bounded by what the log's writer bounds.
// ERRORS: busy: the spool is full; io: it can not be written (then that writer is at its end and says so from then on); else those of the log.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "pipeline/ports.h"

namespace attune {

struct SpoolOptions {
  Milliseconds patience = std::chrono::seconds(2);
  std::uint64_t most_bytes = 1u << 30; // on disk
  Milliseconds try_every = std::chrono::seconds(1); // the log, while it is away
  std::function<void(const std::string&)> say; // lines for people: it is away, it is back, so much was brought there
};

struct SpoolParts {
  std::unique_ptr<LogWriter> log; // where records belong
  std::unique_ptr<LogWriter> spool; // a local log, all records in one topic and partition
  std::unique_ptr<LogGroup> reader; // of the spool, with its position
  std::function<std::uint64_t()> spool_bytes; // on disk now
  std::function<void(std::int64_t before)> trim; // what stands before this offset of the spool is not needed any more
};

class Spool : public LogWriter {
 public:
  // Brings what an earlier one left before anything else.
  static Result<std::unique_ptr<Spool>> start(SpoolParts parts, SpoolOptions options);

  [[nodiscard]] virtual bool spooling() const = 0; // records go to the disk just now
  [[nodiscard]] virtual std::uint64_t waiting() const = 0; // records in the spool
};

} // namespace attune
