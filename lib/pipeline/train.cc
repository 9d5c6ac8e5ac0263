#include "pipeline/train.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/assert.h"

namespace attune {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kBlockRecords = 4096;
constexpr Milliseconds kWait{100};

} // namespace

// One partition being read.
struct Trainer::Lane {
  TopicPartition at;
  std::int64_t next = 0;
  std::int64_t to = 0;

  [[nodiscard]] bool done() const { return next >= to; }
};

Status Trainer::bury(const std::string& source, const Reject& reject, std::string_view value, Timestamp received,
                     std::string_view format)
{
  ++rejected_;
  return dead_letters_.put({source, reject.field, reject.reason, value, received, format});
}

Status Trainer::line(std::string_view text, const std::string& source, const Entry& entry)
{
  if (auto parsed = decoder_.decode(text, event_); !parsed) return bury(source, parsed.error(), text, entry.received);
  if (auto completed = complete(event_, entry); !completed) return bury(source, completed.error(), text, entry.received);
  take_(event_);
  ++events_;
  return {};
}

Status Trainer::take(const RecordBlock& block, Lane& lane)
{
  for (const auto& record : block.records) {
    if (record.offset >= lane.to) break;
    lane.next = record.offset + 1;
    if (auto understood = decoder_.decode(block.from, record, event_); !understood) {
      const auto source = to_string(block.from) + "@" + std::to_string(record.offset);
      auto buried =
          bury(source, understood.error(), record.value.value_or(std::string_view{}), record.timestamp, letter_format(record));
      if (!buried) return buried;
      continue;
    }
    take_(event_);
    ++events_;
  }
  if (block.records.back().offset >= lane.to) lane.next = lane.to;
  return {};
}

// Reads what the log has at hand of this partition; returns by how much it moved.
Result<std::uint64_t> Trainer::advance(LogReader& log, Lane& lane)
{
  const auto before = lane.next;
  auto block = log.read(lane.at, kBlockRecords);
  if (!block) return block.error();
  if (*block) {
    if (auto taken = take(**block, lane); !taken) return taken.error();
  } else if (log.caught_up(lane.at)) {
    lane.next = lane.to; // what is left are holes: compacted away, or records of the log's own
  }
  if (lane.done()) log.stop(lane.at);
  return static_cast<std::uint64_t>(lane.next - before);
}

Status Trainer::log(LogReader& log, std::span<const LogRange> ranges, const TrainOptions& options)
{
  std::vector<Lane> lanes;
  std::uint64_t total = 0;
  for (const auto& range : ranges) {
    ATTUNE_ASSERT(range.to);
    lanes.push_back({range.at, range.from, *range.to});
    if (lanes.back().done()) continue;
    if (auto sought = log.seek(range.at, range.from); !sought) return sought;
    total += static_cast<std::uint64_t>(*range.to - range.from);
  }

  std::uint64_t done = 0;
  auto moved_at = Steady::now();
  while (done < total && !options.stop()) {
    std::uint64_t moved = 0;
    for (auto& lane : lanes) {
      if (lane.done()) continue;
      auto advanced = advance(log, lane);
      if (!advanced) return advanced.error();
      moved += *advanced;
    }
    done += moved;
    if (options.progress) options.progress(done, total);
    if (moved > 0) {
      moved_at = Steady::now();
      continue;
    }
    if (Steady::now() - moved_at > options.give_up)
      return Error{Code::unreachable,
                   "nothing came for " + std::to_string(options.give_up.count() / 1000) + " s, and more is there"};
    if (auto waited = log.wait(kWait); !waited) return waited;
  }

  positions_.clear();
  for (const auto& lane : lanes) positions_.push_back({lane.at, lane.next});
  std::sort(positions_.begin(), positions_.end());
  return {};
}

} // namespace attune
