// The files of one partition: which segments there are, the durable mark, and the repair of what a crash left behind.
// Thread rule: immutable once made; the mark is written by whoever holds the partition's lock. ERRORS: io, and those named.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/durable_file.h"
#include "base/clock.h"
#include "base/position.h"

namespace attune {

inline constexpr Timestamp kLongAgo{std::numeric_limits<std::int64_t>::min()};

// What is durable of a partition: segments below `segment` as a whole, of that one its first `bytes`, and nothing above.
// One line of text of constant length with a checksum, written in one pwrite; a reader that meets it half written reads again.
struct Mark {
  std::int64_t segment = 0; // base offset of the active segment
  std::int64_t bytes = 0;
  std::int64_t next = 0; // offset of the next record
  Timestamp opened = kLongAgo; // when the segment got its first record
  Timestamp newest = kLongAgo; // no timestamp in the segment is larger
  Timestamp clock = kLongAgo; // the newest time the log itself gave
  std::string boot; // the boot of the machine it was written in: after another, it may be older than the data
};

class PartitionFiles {
 public:
  PartitionFiles(const std::string& log_dir, const TopicPartition& at);

  // Makes the directory of a partition with what every partition has.
  static Status make(const std::string& path, const TopicPartition& at, const FileSync& sync);

  [[nodiscard]] const TopicPartition& at() const { return at_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& head() const { return head_; } // of every line: EnvelopeWriter::append_head
  [[nodiscard]] std::string mark_path() const { return path_ + "/mark"; }
  [[nodiscard]] std::string lock_path() const { return path_ + "/lock"; }
  [[nodiscard]] std::string clean_path() const { return path_ + "/clean"; }
  [[nodiscard]] std::string segment_path(std::int64_t base) const;
  [[nodiscard]] std::string newest_path(std::int64_t base) const;

  // Base offsets of all segments, sorted; those above the mark's are not part of the log.
  [[nodiscard]] Result<std::vector<std::int64_t>> segments() const;
  // The same up to and including the mark's.
  [[nodiscard]] Result<std::vector<std::int64_t>> segments(const Mark& mark) const;

  // The largest timestamp of a sealed segment, from its .newest file, else by reading it.
  [[nodiscard]] Result<Timestamp> newest_of(std::int64_t base) const;
  [[nodiscard]] Status write_newest(std::int64_t base, Timestamp newest, const FileSync& sync) const;

  // Nothing: it is broken or was never written (a crash of the machine).
  [[nodiscard]] Result<std::optional<Mark>> read_mark(int fd) const;
  [[nodiscard]] Status write_mark(int fd, const Mark& mark) const;

  // Makes files and mark agree after a crash, as adapters/file_log.h promises. REQUIRES: the partition's lock is held.
  // Cost: nothing to speak of within one boot; after another the bytes behind the mark are read.
  // ERRORS: io: acknowledged records are missing or damaged (the message names file and byte); nothing is changed then.
  [[nodiscard]] Result<Mark> settle(int mark_fd, const FileSync& sync) const;
  // For readers: the mark, settled first if it is from another boot and nobody is at it; without write permission it is taken as it
  // is.
  [[nodiscard]] Result<Mark> open_mark(FileDescriptor& mark_file, const FileSync& sync) const;

 private:
  [[nodiscard]] Result<Mark> settle_in_this_boot(Mark mark, const FileSync& sync) const;
  [[nodiscard]] Result<Mark> settle_after_boot(std::optional<Mark> found, int mark_fd, const FileSync& sync) const;
  // Takes into `mark` the whole lines of its segment behind it; whether they reach the end of the file.
  [[nodiscard]] Result<bool> count_lines(Mark& mark) const;
  [[nodiscard]] Status remove_segments_above(std::int64_t base, const FileSync& sync) const;

  TopicPartition at_;
  std::string path_;
  std::string head_;
};

[[nodiscard]] const std::string& this_boot();

} // namespace attune
