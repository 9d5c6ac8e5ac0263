#include "adapters/file_log_cleaning.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/envelope.h"
#include "adapters/file_log_segment.h"

namespace attune {
namespace {

struct Sealed {
  std::int64_t base = 0;
  std::int64_t bytes = 0;
};

// The newest offset of each key.
using NewestOfKey = std::unordered_map<std::string, std::int64_t>;

Status remove_segment(const PartitionFiles& files, std::int64_t base)
{
  if (::unlink(files.segment_path(base).c_str()) != 0 && errno != ENOENT) {
    return file_error(files.segment_path(base), "unlink", errno);
  }
  ::unlink(files.newest_path(base).c_str());
  return {};
}

// What is durable now; nothing: the mark is broken or was never written.
Result<std::optional<Mark>> mark_of(const PartitionFiles& files)
{
  const auto mark_file = open_file(files.mark_path(), O_RDONLY);
  return mark_file.ok() ? files.read_mark(mark_file->get()) : Result<std::optional<Mark>>(mark_file.error());
}

class Cleaning {
 public:
  Cleaning(const PartitionFiles& files, const TopicSettings& settings, const FileLogOptions& options)
      : files_(files), settings_(settings), options_(options), now_(options.clock->now())
  {
  }

  Status run()
  {
    const auto mark = mark_of(files_);
    if (!mark.ok()) {
      return mark.error();
    }
    if (!*mark) {
      return {};
    }
    mark_ = **mark;
    if (auto status = find_sealed(); !status.ok() || sealed_.empty()) {
      return status;
    }
    return settings_.compacted ? compact() : retain();
  }

 private:
  Status find_sealed()
  {
    const auto bases = files_.segments(mark_);
    if (!bases.ok()) {
      return bases.error();
    }
    for (const std::int64_t base : *bases) {
      const auto segment = SegmentFile::open(files_.segment_path(base), files_.head());
      if (!segment.ok()) {
        return segment.error();
      }
      const auto bytes = *segment ? (*segment)->size() : Result<std::int64_t>(0);
      if (!bytes.ok()) {
        return bytes.error();
      }
      if (base < mark_.segment) {
        sealed_.push_back({base, *bytes});
      }
    }
    return {};
  }

  Result<bool> outlived(const Sealed& segment, std::int64_t total) const
  {
    if (settings_.retention_bytes && total - segment.bytes >= *settings_.retention_bytes) {
      return true;
    }
    if (!settings_.retention) {
      return false;
    }
    const auto newest = files_.newest_of(segment.base);
    return newest.ok() ? Result<bool>(*newest < now_ - *settings_.retention) : Result<bool>(newest.error());
  }

  // From the oldest on, and never one behind one that stays: `begin` moves, no hole opens.
  Status retain()
  {
    std::int64_t total = mark_.bytes;
    for (const Sealed& segment : sealed_) {
      total += segment.bytes;
    }
    for (const Sealed& segment : sealed_) {
      const auto gone = outlived(segment, total);
      if (!gone.ok()) {
        return gone.error();
      }
      if (!*gone) {
        break;
      }
      if (auto status = remove_segment(files_, segment.base); !status.ok()) {
        return status;
      }
      total -= segment.bytes;
    }
    return {};
  }

  template <class Visit>
  Status each_record(std::int64_t base, std::int64_t bytes, Visit visit)
  {
    auto segment = SegmentFile::open(files_.segment_path(base), files_.head());
    if (!segment.ok() || !*segment) {
      return segment.ok() ? Status() : Status(segment.error());
    }
    EnvelopeReader reader;
    EnvelopeArena arena;
    Record record;
    Status damaged;
    const auto status = (*segment)->each_line(0, bytes, [&](std::string_view line, std::int64_t at) {
      arena.clear();
      if (!reader.parse_own(files_.head(), line, record, arena).ok()) {
        damaged = (*segment)->damaged(at);
        return false;
      }
      visit(line, record);
      return true;
    });
    return damaged.ok() ? status : damaged;
  }

  Status compact()
  {
    NewestOfKey newest;
    const auto note = [&](std::string_view, const Record& record) {
      if (record.key) {
        newest[std::string(*record.key)] = record.offset;
      }
    };
    for (const Sealed& segment : sealed_) {
      if (auto status = each_record(segment.base, segment.bytes, note); !status.ok()) {
        return status;
      }
    }
    if (auto status = each_record(mark_.segment, mark_.bytes, note); !status.ok()) {
      return status;
    }
    for (const Sealed& segment : sealed_) {
      if (auto status = rewrite(segment, newest); !status.ok()) {
        return status;
      }
    }
    return {};
  }

  [[nodiscard]] bool stays(const Record& record, const NewestOfKey& newest) const
  {
    if (!record.key) {
      return true;
    }
    const bool old_tombstone = !record.value && record.timestamp < now_ - options_.tombstone_retention;
    return !old_tombstone && newest.at(std::string(*record.key)) == record.offset;
  }

  Status rewrite(const Sealed& segment, const NewestOfKey& newest)
  {
    std::string kept;
    const auto status = each_record(segment.base, segment.bytes, [&](std::string_view line, const Record& record) {
      if (stays(record, newest)) {
        kept += line;
        kept += '\n';
      }
    });
    if (!status.ok() || static_cast<std::int64_t>(kept.size()) == segment.bytes) {
      return status;
    }
    const std::string path = files_.segment_path(segment.base);
    return replace_files(files_.path(), {{path.substr(files_.path().size() + 1), std::move(kept)}}, options_.sync);
  }

  const PartitionFiles& files_;
  const TopicSettings& settings_;
  const FileLogOptions& options_;
  Timestamp now_;
  Mark mark_;
  std::vector<Sealed> sealed_;
};

// One at a time: whoever comes second leaves it to the first.
template <class Work>
Status cleaning_alone(const PartitionFiles& files, Work work)
{
  const auto lock = open_file(files.clean_path(), O_RDWR);
  if (!lock.ok()) {
    return lock.error();
  }
  const auto ours = try_lock(lock->get(), files.clean_path());
  if (!ours.ok()) {
    return ours.error();
  }
  return *ours ? work() : Status();
}

} // namespace

Status clean_partition(const PartitionFiles& files, const TopicSettings& settings, const FileLogOptions& options)
{
  return cleaning_alone(files, [&] { return Cleaning(files, settings, options).run(); });
}

Status remove_before(const PartitionFiles& files, std::int64_t offset)
{
  return cleaning_alone(files, [&]() -> Status {
    const auto mark = mark_of(files);
    if (!mark.ok()) {
      return mark.error();
    }
    if (!*mark) {
      return {};
    }
    const auto bases = files.segments(**mark);
    if (!bases.ok()) {
      return bases.error();
    }
    // A segment ends where the next begins; the last one is the mark's, and stays.
    for (std::size_t i = 0; i + 1 < bases->size() && (*bases)[i + 1] <= offset; ++i) {
      if (auto status = remove_segment(files, (*bases)[i]); !status.ok()) {
        return status;
      }
    }
    return {};
  });
}

} // namespace attune
