// One partition of an embedded log being read: segment by segment, in large pieces, up to the durable mark.
// Thread rule: one thread. ERRORS: io, and those named.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "adapters/envelope.h"
#include "adapters/file_log.h"
#include "adapters/file_log_partition.h"
#include "adapters/file_log_segment.h"

namespace attune {

class PartitionTail {
 public:
  // ERRORS: usage: there is no such partition.
  static Result<std::unique_ptr<PartitionTail>> open(const FileLogOptions& options, const TopicPartition& at);

  [[nodiscard]] const PartitionFiles& files() const { return files_; }
  [[nodiscard]] Result<PartitionEnds> ends();
  [[nodiscard]] Result<std::int64_t> offset_at(Timestamp time);

  // Where somebody watches the mark for it: what is set when the mark has changed. While it is not, the mark is not read again. Before that
  // the mark is read at every look.
  [[nodiscard]] bool& mark_changed() { return mark_changed_; }
  void trust_the_watch(bool trusted) { watched_ = trusted; }

  void seek(std::int64_t offset);
  // As LogReader::read.
  [[nodiscard]] Result<RecordBlockPtr> read(std::size_t max);
  [[nodiscard]] bool caught_up();
  // Whether read() left records behind because of its `max`.
  [[nodiscard]] bool left_some() const { return piece_ && consumed_ < piece_whole_; }

 private:
  PartitionTail(const FileLogOptions& options, const TopicPartition& at) : options_(options), files_(options.dir, at) {}

  Status refresh_mark();
  [[nodiscard]] Result<bool> compacted() const;
  // Finds segment and byte of next_. False: it is the end, and there is no segment yet.
  Result<bool> locate();
  Result<bool> open_segment(std::int64_t base);
  Result<std::int64_t> first_segment_for(const std::vector<std::int64_t>& bases);
  // Moves to the segment after this one. False: there is none.
  Result<bool> next_segment();
  // Sees to it that piece_ has a whole line that was not handed out. False: nothing is there now.
  Result<bool> fill();
  Status read_piece(std::int64_t limit);
  Status decode(std::size_t max, class FileBlock& block);
  [[nodiscard]] Error gap(std::int64_t there) const;

  const FileLogOptions& options_;
  PartitionFiles files_;
  FileDescriptor mark_file_;
  Mark mark_;
  bool watched_ = false;
  bool mark_changed_ = true;
  std::int64_t next_ = 0; // offset

  std::optional<SegmentFile> segment_;
  std::int64_t base_ = -1;
  std::optional<std::int64_t> sealed_bytes_;
  std::int64_t position_ = 0; // of the first byte of the segment that is not in piece_

  std::shared_ptr<char[]> piece_; // blocks hold on to it
  std::size_t piece_bytes_ = 0;
  std::size_t piece_whole_ = 0; // up to the end of the last whole line
  std::size_t consumed_ = 0;
  std::size_t line_bytes_ = 256; // of late, to reserve by

  EnvelopeReader envelope_;
};

} // namespace attune
