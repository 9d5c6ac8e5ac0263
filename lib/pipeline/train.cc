#include "pipeline/train.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/assert.h"
#include "pipeline/merge_reader.h"

namespace attune {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kBlockRecords = 4096;
constexpr Milliseconds kWait{100};

// How many offsets of the ranges are still to be read.
std::uint64_t left(const MergeReader& merge, std::span<const LogRange> ranges)
{
  std::uint64_t left = 0;
  for (const auto& range : ranges)
    if (const auto next = *merge.next_offset(range.at); next < *range.to) left += static_cast<std::uint64_t>(*range.to - next);
  return left;
}

} // namespace

Status Trainer::take(const RecordBlock& block, const Record& record)
{
  if (auto understood = decoder_.decode(block.from, record, event_); !understood) {
    ++rejected_;
    const auto place = to_string(block.from) + "@" + std::to_string(record.offset);
    return dead_letters_.put({place, understood.error().field, understood.error().reason, record.value.value_or(std::string_view{}),
                              record.timestamp, letter_format(record)});
  }
  take_(event_);
  return {};
}

Status Trainer::log(LogReader& log, std::span<const LogRange> ranges, const TrainOptions& options)
{
  MergeReader merge(log, {});
  std::uint64_t total = 0;
  for (const auto& range : ranges) {
    ATTUNE_ASSERT(range.to);
    if (auto added = merge.add(range.at, range.from, range.to); !added) return added;
    if (range.from < *range.to) total += static_cast<std::uint64_t>(*range.to - range.from);
  }

  auto moved_at = Steady::now();
  Status taken_all;
  const auto take_one = [&](const RecordBlockPtr& block, std::size_t index) {
    if (taken_all) taken_all = take(*block, block->records[index]);
  };
  while (!merge.finished() && !options.stop()) {
    auto taken = merge.take(kBlockRecords, Steady::now(), take_one);
    if (!taken) return taken.error();
    if (!taken_all) return taken_all;
    if (options.progress) options.progress(total - left(merge, ranges), total);
    if (*taken > 0) {
      moved_at = Steady::now();
      continue;
    }
    if (merge.finished()) break;
    if (Steady::now() - moved_at > options.give_up)
      return Error{Code::unreachable,
                   "nothing came for " + std::to_string(options.give_up.count() / 1000) + " s, and more is there"};
    if (auto waited = log.wait(kWait); !waited) return waited;
  }

  positions_.clear();
  for (const auto& range : ranges) positions_.push_back({range.at, *merge.next_offset(range.at)});
  std::sort(positions_.begin(), positions_.end());
  merge.clear();
  return {};
}

} // namespace attune
