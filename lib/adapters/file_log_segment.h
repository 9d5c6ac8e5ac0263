// A segment of the embedded log, read: its lines, and where an offset or a time stands among them.
// Thread rule: one thread per object. ERRORS: io; a line that is no record names the file and the byte.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/durable_file.h"
#include "adapters/envelope.h"
#include "base/clock.h"

namespace attune {

class SegmentFile {
 public:
  // `head` must outlive it. Nothing: there is no such file.
  static Result<std::optional<SegmentFile>> open(const std::string& path, const std::string& head);

  [[nodiscard]] int fd() const { return file_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Result<std::int64_t> size() const { return file_size(file_.get(), path_); }

  // Calls `visit(line, byte position)` for each line, without its newline, that begins at or after `from` (which must be where one
  // begins) and ends before `to`, until it returns false. Reads in large pieces.
  using Visit = std::function<bool(std::string_view line, std::int64_t at)>;
  [[nodiscard]] Status each_line(std::int64_t from, std::int64_t to, const Visit& visit) const;

  // Where the first record at or after `offset` begins, in [0, limit]; limit when there is none. Cost: a bisection over the bytes.
  [[nodiscard]] Result<std::int64_t> find(std::int64_t offset, std::int64_t limit);
  // The offset of the first record at or after `time`. Cost: reads the segment up to there.
  [[nodiscard]] Result<std::optional<std::int64_t>> first_at(Timestamp time, std::int64_t limit);
  // The largest timestamp; kLongAgo when it is empty. Cost: reads the segment.
  [[nodiscard]] Result<Timestamp> newest(std::int64_t limit);

  // The stamp of a line, also of one that is not exactly as it was written.
  [[nodiscard]] Result<EnvelopeStamp> stamp_of(std::string_view line, std::int64_t at);
  [[nodiscard]] Error damaged(std::int64_t at) const;

 private:
  SegmentFile(FileDescriptor file, std::string path, const std::string& head)
      : file_(std::move(file)), path_(std::move(path)), head_(&head)
  {
  }

  FileDescriptor file_;
  std::string path_;
  const std::string* head_;
};

} // namespace attune
