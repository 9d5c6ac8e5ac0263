// The embedded log, `file:///dir`: the ports of a log over a directory that anyone can read (DESIGN section 6).
//
//   dir/TOPIC/settings.json                     partitions, retention, compaction
//   dir/TOPIC/PARTITION/<base offset>.ndjson    segments, 20 digits; a record is a line, the envelope of adapters/envelope.h
//   dir/TOPIC/PARTITION/<base offset>.newest    of a sealed segment: no timestamp in it is larger
//   dir/TOPIC/PARTITION/mark                    the durable mark: readers stop there
//   dir/TOPIC/PARTITION/lock, clean             held (flock) while appending; while retention or compaction runs
//   dir/.groups/GROUP/TOPIC.PARTITION           a stored position, replaced as a whole
//   dir/.groups/GROUP/owners/TOPIC.PARTITION    whoever holds its lock owns the partition
//   dir/.groups/GROUP/members/ID                whoever holds its lock is that member
//
// Promises. A record is delivered once fdatasync has returned for its bytes (and for the directory of a new segment); the mark
// moves only then. What stands behind the mark was never acknowledged: the next append cuts it off, except after a reboot, when the
// mark may be older than the data: then whole lines are kept and counted, and a torn one is cut. A failed write or fdatasync ends
// the writer: nothing of it is acknowledged (Code::io) and every later append fails.
//
// Timestamps: a record without one gets the time of append(), never smaller than the log's last one in that partition. Given ones
// stand as they are, in any order; "the first record at or after T" is the one of smallest offset whose timestamp is T or later.
// Offsets count records. In a compacted topic the kept records keep their offsets, so there are gaps; `begin` stays.
// A topic that does not exist is created by the first append, with the default settings. Retention goes by the records' timestamps:
// a log that is given old ones keeps them no longer than their age allows.
// Group members share partitions evenly: of the members sorted by id, partition i goes to member i % members. A member gives up
// what is not its own (revoked) and takes what is its own once its lock is free; a killed member's locks vanish with it. They
// notice at once through inotify, and look by themselves every second.
//
// One machine, one file system that has flock, fdatasync and rename; not NFS. After a fork the child must not use the handles.
// Thread rules: those of pipeline/ports.h. LogAdmin: one thread. `delivered` is called from a commit thread and must not call the
// writer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "pipeline/ports.h"

namespace attune {

// Makes what was written to a file or directory durable; 0 or an errno. Must be callable from several threads.
using FileSync = std::function<int(int fd)>;
[[nodiscard]] FileSync fdatasync_file();

struct FileLogOptions {
  std::string dir;
  std::int64_t segment_bytes = 64 << 20;
  std::int64_t queue_bytes = 32 << 20; // append() waits while more than this is pending
  std::int64_t max_record_bytes = 1 << 20; // key, value and headers together
  int commit_threads = 4; // partitions are dealt to them, so that their fdatasyncs overlap
  Milliseconds lock_limit = std::chrono::seconds(30); // how long an append waits for a partition another process holds
  // Of topics created by the first append.
  std::int32_t partitions = 4;
  std::optional<Milliseconds> retention = std::chrono::hours(24 * 7);
  std::optional<std::int64_t> retention_bytes;
  // Compacted topics: how long a tombstone is kept, so that every reader meets it.
  Milliseconds tombstone_retention = std::chrono::hours(24);
  std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
  FileSync sync = fdatasync_file();
};

// The directory is made when there is none. ERRORS: io; usage: a directory that can not be.
[[nodiscard]] Result<std::unique_ptr<LogWriter>> open_file_log_writer(const FileLogOptions& options);
[[nodiscard]] Result<std::unique_ptr<LogReader>> open_file_log_reader(const FileLogOptions& options);
[[nodiscard]] Result<std::unique_ptr<LogGroup>> open_file_log_group(const FileLogOptions& options, std::string_view group);
[[nodiscard]] Result<std::unique_ptr<LogAdmin>> open_file_log_admin(const FileLogOptions& options);

} // namespace attune
