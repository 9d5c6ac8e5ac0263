// Appends records to one partition of an embedded log: lock, repair, write, fdatasync, move the mark, unlock.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/file_log.h"
#include "adapters/file_log_partition.h"

namespace attune {

// Records on their way to one partition. A line is head + offset + time + tail; offset and time are known under the lock.
struct PendingRecord {
  std::size_t tail_bytes = 0;
  Timestamp timestamp; // when append() was called, or the one the record brought
  bool brought_time = false;
  LogWriter::Delivered delivered;
};
struct PendingRecords {
  std::string tails; // one after the other
  std::vector<PendingRecord> records;
};

struct Appended {
  std::size_t count = 0; // so many of the first records are durable
  std::int64_t first_offset = 0; // and have offsets from here on
  bool sealed_a_segment = false; // retention and compaction have something to do
  Status status; // why not all
};

class PartitionAppender {
 public:
  static Result<std::unique_ptr<PartitionAppender>> open(const FileLogOptions& options, const TopicPartition& at);

  [[nodiscard]] const PartitionFiles& files() const { return files_; }

  // One fdatasync, and one more for each segment that fills up. After an error of Code::io nothing more may be appended by this
  // process handle: what the disk took is unknown. `retention`: of the topic now; a segment older than that is sealed.
  // ERRORS (in Appended): busy: another process held the partition too long; io.
  Appended append(const PendingRecords& pending, std::optional<Milliseconds> retention);

 private:
  PartitionAppender(const FileLogOptions& options, const TopicPartition& at) : options_(options), files_(options.dir, at) {}

  Appended append_locked(const PendingRecords& pending, std::optional<Milliseconds> retention);
  Status open_segment();
  Status seal_segment();
  // Writes what fits into the segment, from the record at `index` on, which begins at `tail`; moves both.
  Status write_lines(const PendingRecords& pending, std::size_t& index, std::size_t& tail, Mark& mark);
  std::size_t build_line(const PendingRecord& record, std::string_view tail, Mark& mark);

  const FileLogOptions& options_;
  PartitionFiles files_;
  FileDescriptor lock_;
  FileDescriptor mark_file_;
  FileDescriptor segment_;
  std::int64_t segment_base_ = -1;
  bool directory_changed_ = false; // a segment was made, and its directory is not durable yet
  Mark mark_;
  std::string lines_;
};

} // namespace attune
