#include "adapters/file_log_tail.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "adapters/file_log_topics.h"

namespace attune {

class FileBlock final : public RecordBlock {
 public:
  std::shared_ptr<char[]> piece; // what most views point into
  EnvelopeArena arena; // the rest
};

namespace {

constexpr std::int64_t kPieceBytes = 512 * 1024;

} // namespace

Result<std::unique_ptr<PartitionTail>> PartitionTail::open(const FileLogOptions& options, const TopicPartition& at)
{
  std::unique_ptr<PartitionTail> tail(new PartitionTail(options, at));
  auto mark_file = open_if_there(tail->files_.mark_path(), O_RDONLY);
  if (!mark_file.ok()) {
    return mark_file.error();
  }
  if (!*mark_file) {
    return Error{Code::usage, to_string(at) + ": no such partition"};
  }
  tail->mark_file_ = std::move(**mark_file);
  auto mark = tail->files_.open_mark(tail->mark_file_, options.sync);
  if (!mark.ok()) {
    return mark.error();
  }
  tail->mark_ = std::move(*mark);
  return tail;
}

Status PartitionTail::refresh_mark()
{
  if (watched_ && !mark_changed_) {
    return {};
  }
  mark_changed_ = false; // first: what changes while we read is a change
  auto mark = files_.read_mark(mark_file_.get());
  if (!mark.ok()) {
    return mark.error();
  }
  if (!*mark) {
    return Error{Code::io, files_.mark_path() + ": broken"};
  }
  mark_ = std::move(**mark);
  return {};
}

Result<bool> PartitionTail::compacted() const
{
  const auto settings = read_topic_settings(options_.dir, files_.at().topic);
  return settings.ok() ? Result<bool>(*settings && (*settings)->compacted) : Result<bool>(settings.error());
}

Error PartitionTail::gap(std::int64_t there) const
{
  if (there < next_) {
    return {Code::gap,
            to_string(files_.at()) + ": offset " + std::to_string(next_) + " is beyond the end, " + std::to_string(there)};
  }
  return {Code::gap, to_string(files_.at()) + ": " + std::to_string(there - next_) + " records from offset " +
                         std::to_string(next_) + " on are gone from the log"};
}

Result<PartitionEnds> PartitionTail::ends()
{
  if (auto status = refresh_mark(); !status.ok()) {
    return status.error();
  }
  const auto bases = files_.segments(mark_);
  if (!bases.ok()) {
    return bases.error();
  }
  return PartitionEnds{bases->empty() ? mark_.next : bases->front(), mark_.next};
}

// The first segment with a timestamp that large has the record, and no earlier one can: exact whatever the order of timestamps.
Result<std::int64_t> PartitionTail::offset_at(Timestamp time)
{
  if (auto status = refresh_mark(); !status.ok()) {
    return status.error();
  }
  const auto bases = files_.segments(mark_);
  if (!bases.ok()) {
    return bases.error();
  }
  for (const std::int64_t base : *bases) {
    const auto newest = base == mark_.segment ? Result<Timestamp>(mark_.newest) : files_.newest_of(base);
    if (!newest.ok()) {
      return newest.error();
    }
    if (*newest < time) {
      continue;
    }
    auto segment = SegmentFile::open(files_.segment_path(base), files_.head());
    if (!segment.ok()) {
      return segment.error();
    }
    if (!*segment) {
      continue;
    }
    const auto limit = base == mark_.segment ? Result<std::int64_t>(mark_.bytes) : (*segment)->size();
    if (!limit.ok()) {
      return limit.error();
    }
    const auto found = (*segment)->first_at(time, *limit);
    if (!found.ok()) {
      return found.error();
    }
    if (*found) {
      return **found;
    }
  }
  return mark_.next;
}

void PartitionTail::seek(std::int64_t offset)
{
  next_ = offset;
  segment_.reset();
  base_ = -1;
  piece_.reset();
  piece_bytes_ = piece_whole_ = consumed_ = 0;
}

Result<bool> PartitionTail::open_segment(std::int64_t base)
{
  auto segment = SegmentFile::open(files_.segment_path(base), files_.head());
  if (!segment.ok()) {
    return segment.error();
  }
  if (!*segment) {
    return false;
  }
  segment_ = std::move(*segment);
  base_ = base;
  sealed_bytes_.reset();
  position_ = 0;
  piece_.reset();
  piece_bytes_ = piece_whole_ = consumed_ = 0;
  return true;
}

// Where reading of next_ begins. In a compacted topic what is missing at the front was compacted away; elsewhere it was lost.
Result<std::int64_t> PartitionTail::first_segment_for(const std::vector<std::int64_t>& bases)
{
  if (next_ > mark_.next) {
    return gap(mark_.next);
  }
  if (next_ < bases.front()) {
    const auto may_be_missing = compacted();
    if (!may_be_missing.ok()) {
      return may_be_missing.error();
    }
    if (!*may_be_missing) {
      return gap(bases.front());
    }
    next_ = bases.front();
  }
  return *(std::upper_bound(bases.begin(), bases.end(), next_) - 1);
}

Result<bool> PartitionTail::locate()
{
  for (;;) {
    if (auto status = refresh_mark(); !status.ok()) {
      return status.error();
    }
    const auto bases = files_.segments(mark_);
    if (!bases.ok()) {
      return bases.error();
    }
    if (bases->empty()) {
      return next_ > mark_.next ? Result<bool>(gap(mark_.next)) : Result<bool>(false);
    }
    const auto base = first_segment_for(*bases);
    if (!base.ok()) {
      return base.error();
    }
    const auto opened = open_segment(*base);
    if (!opened.ok()) {
      return opened.error();
    }
    if (!*opened) {
      continue; // retention was faster: look again
    }
    const auto limit = base_ == mark_.segment ? Result<std::int64_t>(mark_.bytes) : segment_->size();
    if (!limit.ok()) {
      return limit.error();
    }
    const auto position = next_ == mark_.next && base_ == mark_.segment ? limit : segment_->find(next_, *limit);
    if (!position.ok()) {
      segment_.reset();
      return position.error();
    }
    position_ = *position;
    return true;
  }
}

Result<bool> PartitionTail::next_segment()
{
  const auto bases = files_.segments(mark_);
  if (!bases.ok()) {
    return bases.error();
  }
  const auto following = std::upper_bound(bases->begin(), bases->end(), base_);
  if (following == bases->end()) {
    return false;
  }
  if (*following > next_) {
    const auto may_be_missing = compacted();
    if (!may_be_missing.ok()) {
      return may_be_missing.error();
    }
    if (!*may_be_missing) {
      segment_.reset();
      return gap(*following);
    }
    next_ = *following;
  }
  const auto opened = open_segment(*following);
  if (opened.ok() && !*opened) {
    segment_.reset(); // retention was faster: locate() will say what is lost
  }
  return opened.ok() ? Result<bool>(true) : opened;
}

// Reads on to `limit`, or a piece of it, behind the part of a line that is left over.
Status PartitionTail::read_piece(std::int64_t limit)
{
  const std::size_t left = piece_bytes_ - consumed_;
  const auto want =
      static_cast<std::size_t>(std::min(limit - position_, std::max<std::int64_t>(kPieceBytes, static_cast<std::int64_t>(left))));
  std::shared_ptr<char[]> piece(new char[left + want]);
  if (left > 0) {
    std::memcpy(piece.get(), piece_.get() + consumed_, left);
  }
  const auto read = read_at(segment_->fd(), segment_->path(), piece.get() + left, want, position_);
  if (!read.ok()) {
    return read.error();
  }
  if (*read != want) {
    return Error{Code::io, segment_->path() + ": " + std::to_string(want - *read) + " bytes of acknowledged records are missing"};
  }
  piece_ = std::move(piece);
  piece_bytes_ = left + want;
  consumed_ = 0;
  position_ += static_cast<std::int64_t>(want);
  const void* last = ::memrchr(piece_.get(), '\n', piece_bytes_);
  piece_whole_ = last == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(last) - piece_.get()) + 1;
  return {};
}

Result<bool> PartitionTail::fill()
{
  bool fresh = false; // whether the mark was read in this call
  while (consumed_ >= piece_whole_) {
    if (!segment_) {
      const auto located = locate();
      if (!located.ok() || !*located) {
        return located;
      }
      fresh = true;
    }
    if (base_ < mark_.segment && !sealed_bytes_) {
      const auto size = segment_->size();
      if (!size.ok()) {
        return size.error();
      }
      sealed_bytes_ = *size;
    }
    const std::int64_t limit = sealed_bytes_.value_or(mark_.bytes);
    if (position_ < limit) {
      if (auto status = read_piece(limit); !status.ok()) {
        return status.error();
      }
      continue;
    }
    if (sealed_bytes_) {
      const auto moved = next_segment();
      if (!moved.ok() || !*moved) {
        return moved;
      }
      continue;
    }
    if (fresh) {
      next_ = mark_.next;
      return false;
    }
    if (auto status = refresh_mark(); !status.ok()) {
      return status.error();
    }
    fresh = true;
  }
  return true;
}

Status PartitionTail::decode(std::size_t max, FileBlock& block)
{
  const std::size_t expected = (piece_whole_ - consumed_) / line_bytes_ + 1;
  block.records.reserve(std::min(max, expected + expected / 8));
  const std::size_t from = consumed_;
  while (block.records.size() < max && consumed_ < piece_whole_) {
    const char* begin = piece_.get() + consumed_;
    const auto* end = static_cast<const char*>(std::memchr(begin, '\n', piece_whole_ - consumed_));
    Record& record = block.records.emplace_back();
    const std::string_view line(begin, static_cast<std::size_t>(end - begin));
    if (auto status = envelope_.parse_own(files_.head(), line, record, block.arena); !status.ok() || record.offset < next_) {
      block.records.pop_back();
      if (!block.records.empty()) {
        break; // what is whole first, then the error
      }
      return segment_->damaged(position_ - static_cast<std::int64_t>(piece_bytes_ - consumed_));
    }
    next_ = record.offset + 1;
    consumed_ += line.size() + 1;
  }
  line_bytes_ = std::max<std::size_t>(1, (consumed_ - from) / block.records.size());
  return {};
}

Result<RecordBlockPtr> PartitionTail::read(std::size_t max)
{
  const auto filled = fill();
  if (!filled.ok()) {
    return filled.error();
  }
  if (!*filled || max == 0) {
    return RecordBlockPtr();
  }
  auto block = std::make_shared<FileBlock>();
  block->from = files_.at();
  block->piece = piece_;
  if (auto status = decode(max, *block); !status.ok()) {
    return status.error();
  }
  return RecordBlockPtr(std::move(block));
}

bool PartitionTail::caught_up()
{
  if (next_ < mark_.next) {
    return false;
  }
  return refresh_mark().ok() && next_ >= mark_.next;
}

} // namespace attune
