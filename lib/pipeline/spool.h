// Spool: a log writer that never lies and seldom refuses. As long as the log takes records they go there. When it has delivered nothing of what
// waits for `patience`, says that it is away, or leaves more waiting than fits in memory, everything that waits and all that comes is written
// to a second, local log instead, acknowledged once synced there, and brought to the first in its order when that answers again. Until
// the spool is empty, new records go behind those in it.
//
//   append → log ── delivered → acknowledged
//             └── nothing for `patience` → spool (synced) → acknowledged … later → log
//
// A record that waited in the log's own writer may reach the log from there too, and what was brought but not yet noted is brought again by
// the next Spool: with the same bytes, so that what reached it twice is recognised by its id. Whoever drops repeats sees a partition in the
// order of append(); the repeats themselves may come late (a b c a b). Excepted: a log that delivers a record and says `unreachable` of one
// before it has changed their order itself. A record without a time that went through the spool brings the time it was written there.
//
// The spool is bounded; when it is full append() fails (busy) and nothing of that record is acknowledged. What it holds survives a crash: the
// next Spool over the same directory brings it to the log first. A record the log refuses for good when it is brought is never dropped: it is
// tried again and again and said, and what stands behind it waits.
//
// Thread rule: append() and flush() from any thread, as of any LogWriter; append() waits for the local disk at most, never for the log. Two
// threads of its own: one hands to the log, one writes the spool and speaks. `delivered` is called once per record, never two at a time, and
// says Placed{-1, -1} for a record that stands in the spool. What a record does wrong is told by `delivered`, but for its size.
// The destructor takes as long as an append to the log may (its own limit); what is in the spool stays, what waits outside is told `stopped`.
// Cost: of a record that goes straight through, a copy kept until it is delivered, two locks and a change of thread. Memory: most_waiting, and
// once more what the log's writer still holds of before it was away.
// ERRORS: busy: the spool is full; bad_data: a record of more than most_record_bytes; io: the spool can not be written (then this writer is at
// its end and says so from then on, and only brings what was synced) or read; else those of the log, while bringing meets one that is
// neither worth a retry nor about one record.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "pipeline/ports.h"

namespace attune {

struct SpoolOptions {
  Milliseconds patience = std::chrono::seconds(2);
  std::uint64_t most_bytes = 1u << 30; // on disk, as far as can be foreseen: JSON makes some bytes more
  Milliseconds try_every = std::chrono::seconds(1); // the log, while it says that it is away
  std::uint64_t most_waiting_bytes = 32u << 20; // in memory, neither in the log nor in the spool; half of most_bytes at most
  std::uint64_t most_waiting_records = 100'000;
  std::uint64_t most_record_bytes =
      960u << 10; // topic, key, value and headers: a Kafka broker takes 1,000,000 unless told otherwise
  std::function<void(const std::string&)> say; // lines for people: it is away, it is back, so much was brought there. Of one thread
};

struct SpoolParts {
  std::unique_ptr<LogWriter> log; // where records belong
  std::string name; // of the spool, for people: where it is
  TopicPartition at; // all records of the spool are there
  std::unique_ptr<LogWriter> spool; // a local log
  std::unique_ptr<LogGroup> reader; // of the spool, with its position; nobody else is in the group
  std::function<Result<std::uint64_t>()> bytes; // of the spool, on disk now. Any thread
  std::function<Status(std::int64_t before)> trim; // what stands before this offset of the spool is not needed any more. Any thread
};

class Spool : public LogWriter {
 public:
  // Brings what an earlier one left before anything else. ERRORS: io; busy: somebody else reads the spool.
  static Result<std::unique_ptr<Spool>> start(SpoolParts parts, SpoolOptions options);

  [[nodiscard]] virtual bool spooling() const = 0; // what is appended now does not go straight to the log
  [[nodiscard]] virtual std::uint64_t waiting() const = 0; // records in the spool
};

} // namespace attune
