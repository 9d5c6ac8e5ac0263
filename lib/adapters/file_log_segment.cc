#include "adapters/file_log_segment.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "adapters/file_log_partition.h"

namespace attune {
namespace {

constexpr std::int64_t kPiece = 256 * 1024;

} // namespace

Result<std::optional<SegmentFile>> SegmentFile::open(const std::string& path, const std::string& head)
{
  auto file = open_if_there(path, O_RDONLY);
  if (!file.ok()) {
    return file.error();
  }
  if (!*file) {
    return std::optional<SegmentFile>();
  }
  return std::optional(SegmentFile(std::move(**file), path, head));
}

Error SegmentFile::damaged(std::int64_t at) const
{
  return {Code::io, path_ + ": byte " + std::to_string(at) + ": not a record of this partition"};
}

Status SegmentFile::each_line(std::int64_t from, std::int64_t to, const Visit& visit) const
{
  std::string buffer;
  std::int64_t buffer_at = from; // file position of the buffer's first byte
  while (buffer_at + static_cast<std::int64_t>(buffer.size()) < to) {
    const std::size_t kept = buffer.size();
    const std::int64_t read_from = buffer_at + static_cast<std::int64_t>(kept);
    const auto want =
        static_cast<std::size_t>(std::min(to - read_from, std::max<std::int64_t>(kPiece, static_cast<std::int64_t>(kept))));
    buffer.resize(kept + want);
    const auto read = read_at(file_.get(), path_, buffer.data() + kept, want, read_from);
    if (!read.ok()) {
      return read.error();
    }
    if (*read == 0) {
      return {};
    }
    buffer.resize(kept + *read);
    std::size_t begin = 0;
    std::size_t search = kept;
    while (const void* found = std::memchr(buffer.data() + search, '\n', buffer.size() - search)) {
      const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - buffer.data());
      if (!visit(std::string_view(buffer).substr(begin, end - begin), buffer_at + static_cast<std::int64_t>(begin))) {
        return {};
      }
      begin = search = end + 1;
    }
    buffer.erase(0, begin);
    buffer_at += static_cast<std::int64_t>(begin);
  }
  return {};
}

Result<EnvelopeStamp> SegmentFile::stamp_of(std::string_view line, std::int64_t at)
{
  if (const auto stamp = envelope_stamp(*head_, line)) {
    return *stamp;
  }
  EnvelopeReader reader;
  EnvelopeArena arena;
  Record record;
  if (!reader.parse_own(*head_, line, record, arena).ok()) {
    return damaged(at);
  }
  return EnvelopeStamp{record.offset, record.timestamp};
}

Result<std::int64_t> SegmentFile::find(std::int64_t offset, std::int64_t limit)
{
  // Every record that begins before `low` is too early; the one wanted begins at or before `high`, or is not there.
  std::int64_t low = 0;
  std::int64_t high = limit;
  while (high - low > kPiece) {
    const std::int64_t middle = low + (high - low) / 2;
    bool partial = true; // the first line seen is the rest of one that begins before `middle`
    std::int64_t line_at = -1;
    std::int64_t line_end = 0;
    Result<EnvelopeStamp> stamp{EnvelopeStamp{}};
    const auto status = each_line(middle, high, [&](std::string_view line, std::int64_t at) {
      if (partial) {
        partial = false;
        return true;
      }
      line_at = at;
      line_end = at + static_cast<std::int64_t>(line.size()) + 1;
      stamp = stamp_of(line, at);
      return false;
    });
    if (!status.ok()) {
      return status.error();
    }
    if (!stamp.ok()) {
      return stamp.error();
    }
    if (line_at < 0) {
      break;
    }
    (stamp->offset < offset ? low : high) = stamp->offset < offset ? line_end : line_at;
  }
  std::int64_t found = limit;
  std::optional<Error> error;
  const auto status = each_line(low, limit, [&](std::string_view line, std::int64_t at) {
    const auto stamp = stamp_of(line, at);
    if (!stamp.ok()) {
      error = stamp.error();
    } else if (stamp->offset >= offset) {
      found = at;
    }
    return !error && found == limit;
  });
  if (error) {
    return *error;
  }
  if (!status.ok()) {
    return status.error();
  }
  return found;
}

Result<std::optional<std::int64_t>> SegmentFile::first_at(Timestamp time, std::int64_t limit)
{
  std::optional<std::int64_t> found;
  std::optional<Error> error;
  const auto status = each_line(0, limit, [&](std::string_view line, std::int64_t at) {
    const auto stamp = stamp_of(line, at);
    if (!stamp.ok()) {
      error = stamp.error();
    } else if (stamp->timestamp >= time) {
      found = stamp->offset;
    }
    return !error && !found;
  });
  if (error) {
    return *error;
  }
  if (!status.ok()) {
    return status.error();
  }
  return found;
}

Result<Timestamp> SegmentFile::newest(std::int64_t limit)
{
  Timestamp newest = kLongAgo;
  std::optional<Error> error;
  const auto status = each_line(0, limit, [&](std::string_view line, std::int64_t at) {
    const auto stamp = stamp_of(line, at);
    if (!stamp.ok()) {
      error = stamp.error();
      return false;
    }
    newest = std::max(newest, stamp->timestamp);
    return true;
  });
  if (error) {
    return *error;
  }
  if (!status.ok()) {
    return status.error();
  }
  return newest;
}

} // namespace attune
