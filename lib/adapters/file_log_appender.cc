#include "adapters/file_log_appender.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "adapters/envelope.h"

namespace attune {
namespace {

constexpr std::size_t kWriteBytes = 1 << 20;

} // namespace

Result<std::unique_ptr<PartitionAppender>> PartitionAppender::open(const FileLogOptions& options, const TopicPartition& at)
{
  std::unique_ptr<PartitionAppender> appender(new PartitionAppender(options, at));
  auto lock = open_file(appender->files_.lock_path(), O_RDWR);
  if (!lock.ok()) {
    return lock.error();
  }
  appender->lock_ = std::move(*lock);
  auto mark = open_file(appender->files_.mark_path(), O_RDWR);
  if (!mark.ok()) {
    return mark.error();
  }
  appender->mark_file_ = std::move(*mark);
  return appender;
}

Appended PartitionAppender::append(const PendingRecords& pending, std::optional<Milliseconds> retention)
{
  Appended out;
  out.status = lock_within(lock_.get(), files_.lock_path(), options_.lock_limit);
  if (!out.status.ok()) {
    return out;
  }
  out = append_locked(pending, retention);
  unlock(lock_.get());
  return out;
}

// Makes segment_ the mark's, its end the mark's: cheap when the last append was ours, a repair when somebody died in the middle of
// his.
Status PartitionAppender::open_segment()
{
  auto mark = files_.read_mark(mark_file_.get());
  if (!mark.ok()) {
    return mark.error();
  }
  if (!*mark || (*mark)->boot != this_boot()) {
    auto settled = files_.settle(mark_file_.get(), options_.sync);
    if (!settled.ok()) {
      return settled.error();
    }
    *mark = std::move(*settled);
  }
  mark_ = std::move(**mark);
  if (!segment_ || segment_base_ != mark_.segment) {
    auto segment = open_file(files_.segment_path(mark_.segment), O_RDWR | O_CREAT);
    if (!segment.ok()) {
      return segment.error();
    }
    segment_ = std::move(*segment);
    segment_base_ = mark_.segment;
    directory_changed_ = mark_.bytes == 0;
  }
  const auto size = file_size(segment_.get(), files_.segment_path(segment_base_));
  if (!size.ok()) {
    return size.error();
  }
  if (*size != mark_.bytes) {
    auto settled = files_.settle(mark_file_.get(), options_.sync);
    return settled.ok() ? Status() : Status(settled.error());
  }
  return {};
}

// Begins the next segment. The mark moves to it with its first records, not before: so a crash in between leaves a file that the
// log does not know, and whoever seals next takes it away.
Status PartitionAppender::seal_segment()
{
  if (auto status = files_.write_newest(mark_.segment, mark_.newest, options_.sync); !status.ok()) {
    return status;
  }
  if (auto settled = files_.settle(mark_file_.get(), options_.sync); !settled.ok()) {
    return settled.error();
  }
  auto segment = open_file(files_.segment_path(mark_.next), O_RDWR | O_CREAT | O_TRUNC);
  if (!segment.ok()) {
    return segment.error();
  }
  segment_ = std::move(*segment);
  segment_base_ = mark_.next;
  directory_changed_ = true;
  mark_.segment = mark_.next;
  mark_.bytes = 0;
  mark_.newest = kLongAgo;
  mark_.opened = kLongAgo;
  return {};
}

std::size_t PartitionAppender::build_line(const PendingRecord& record, std::string_view tail, Mark& mark)
{
  const std::size_t begin = lines_.size();
  const Timestamp timestamp = record.brought_time ? record.timestamp : std::max(record.timestamp, mark.clock);
  char offset[24];
  lines_ += files_.head();
  lines_.append(offset, std::to_chars(offset, offset + sizeof offset, mark.next).ptr);
  EnvelopeWriter::append_time(timestamp, lines_);
  lines_ += tail;
  lines_ += '\n';
  mark.clock = record.brought_time ? mark.clock : timestamp;
  mark.newest = std::max(mark.newest, timestamp);
  mark.next += 1;
  return lines_.size() - begin;
}

Status PartitionAppender::write_lines(const PendingRecords& pending, std::size_t& index, std::size_t& tail, Mark& mark)
{
  const std::string path = files_.segment_path(segment_base_);
  std::int64_t written = mark.bytes;
  lines_.clear();
  while (index < pending.records.size()) {
    const PendingRecord& record = pending.records[index];
    const Mark before = mark;
    const auto bytes =
        static_cast<std::int64_t>(build_line(record, std::string_view(pending.tails).substr(tail, record.tail_bytes), mark));
    if (before.bytes > 0 && before.bytes + bytes > options_.segment_bytes) {
      lines_.resize(lines_.size() - static_cast<std::size_t>(bytes));
      mark = before;
      break;
    }
    mark.bytes += bytes;
    tail += record.tail_bytes;
    ++index;
    if (lines_.size() >= kWriteBytes) {
      if (auto status = write_at(segment_.get(), path, lines_, written); !status.ok()) {
        return status;
      }
      written = mark.bytes;
      lines_.clear();
    }
  }
  return write_at(segment_.get(), path, lines_, written);
}

Appended PartitionAppender::append_locked(const PendingRecords& pending, std::optional<Milliseconds> retention)
{
  Appended out;
  out.status = open_segment();
  if (!out.status.ok()) {
    return out;
  }
  const Timestamp now = options_.clock->now();
  const bool expired = retention && mark_.bytes > 0 && mark_.opened != kLongAgo && mark_.opened < now - *retention;
  bool full = expired;
  out.first_offset = mark_.next;
  std::size_t tail = 0;
  for (std::size_t index = 0; index < pending.records.size();) {
    if (full) {
      out.status = seal_segment();
      if (!out.status.ok()) {
        return out;
      }
      out.sealed_a_segment = true;
    }
    full = true; // if anything is left after this, it did not fit
    const std::size_t from = index;
    Mark mark = mark_;
    mark.opened = mark.bytes == 0 ? now : mark.opened;
    out.status = write_lines(pending, index, tail, mark);
    if (out.status.ok() && index > from) {
      out.status = sync_file(segment_.get(), files_.segment_path(segment_base_), options_.sync);
    }
    if (out.status.ok() && directory_changed_) {
      out.status = sync_directory(files_.path(), options_.sync);
      directory_changed_ = !out.status.ok();
    }
    if (out.status.ok() && index > from) {
      out.status = files_.write_mark(mark_file_.get(), mark);
    }
    if (!out.status.ok()) {
      // Whoever appends next cuts these bytes in any case; doing it now keeps them from lying about.
      [[maybe_unused]] const int ignored = ::ftruncate(segment_.get(), mark_.bytes);
      return out;
    }
    mark_ = mark;
    out.count = index;
  }
  return out;
}

} // namespace attune
