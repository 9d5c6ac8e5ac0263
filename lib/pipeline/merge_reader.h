// MergeReader: the records of several partitions as one stream in record-time order, so that draining a backlog gives a customer's
// events (which cross topics) in the order they were received, and makes none of them late.
//
// Each partition keeps its own order; between partitions the record with the smaller timestamp comes first. Where a partition has
// nothing at hand although it is behind, the others are held back: at most `patience` for records of about the same time, and beyond
// that only those that would run more than `align` ahead of it; after `abandon` it no longer holds anybody back. A partition that is
// caught up never does, so at the end of the log nothing ever waits.
//
// Thread rule: that of the LogReader it stands on. Cost: O(log partitions) a record.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>

#include "pipeline/ports.h"

namespace attune {

struct MergeOptions {
  Milliseconds align = std::chrono::hours(1);
  Milliseconds patience{500};
  Milliseconds abandon = std::chrono::seconds(10);
  std::size_t block_records = 2048; // asked of the log at a time
};

class MergeReader {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;
  // Called for each record; the views in it live as long as the block.
  using Visit = std::function<void(const RecordBlockPtr& block, std::size_t index)>;

  MergeReader(LogReader& log, const MergeOptions& options);

  // Reads `at` from `from` on, up to but not including `to` (nothing: without end). Moves there if it is being read already.
  Status add(const TopicPartition& at, std::int64_t from, std::optional<std::int64_t> to = {});
  void remove(const TopicPartition& at);
  void clear();

  // Hands over what may be handed over now, at most `max` records, without waiting; the number handed over. 0: wait on the log.
  // ERRORS: those of LogReader::read.
  Result<std::size_t> take(std::size_t max, SteadyTime now, const Visit& visit);

  // Nothing is at hand, and each partition is at its `to` or caught up.
  [[nodiscard]] bool drained();
  // Each partition with a `to` has been handed over up to it; those without one do not count.
  [[nodiscard]] bool finished() const;
  // Next offset to hand over; nothing when `at` is not being read.
  [[nodiscard]] std::optional<std::int64_t> next_offset(const TopicPartition& at) const;
  // Drops what is at hand of `at` and goes on at `offset` (after a gap).
  Status skip_to(const TopicPartition& at, std::int64_t offset);

 private:
  struct Lane {
    RecordBlockPtr block;
    std::size_t index = 0;
    std::int64_t next = 0;
    std::optional<std::int64_t> to;
    std::optional<Timestamp> last; // of the newest record handed over
    std::optional<SteadyTime> empty_since; // behind, with nothing at hand, since then

    [[nodiscard]] bool at_end() const { return to && next >= *to; }
    [[nodiscard]] const Record& head() const { return block->records[index]; }
  };

  Status refill(const TopicPartition& at, Lane& lane, SteadyTime now);
  [[nodiscard]] bool held_back(Timestamp candidate, const Lane& behind, SteadyTime now) const;

  LogReader& log_;
  MergeOptions options_;
  std::map<TopicPartition, Lane> lanes_;
};

} // namespace attune
