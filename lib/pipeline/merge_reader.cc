#include "pipeline/merge_reader.h"

#include <queue>
#include <vector>

namespace attune {

MergeReader::MergeReader(LogReader& log, const MergeOptions& options) : log_(log), options_(options) {}

Status MergeReader::add(const TopicPartition& at, std::int64_t from, std::optional<std::int64_t> to)
{
  Lane lane;
  lane.next = from;
  lane.to = to;
  if (!lane.at_end())
    if (auto sought = log_.seek(at, from); !sought) return sought;
  lanes_[at] = std::move(lane);
  return {};
}

void MergeReader::remove(const TopicPartition& at)
{
  if (lanes_.erase(at) > 0) log_.stop(at);
}

void MergeReader::clear()
{
  for (const auto& [at, lane] : lanes_) log_.stop(at);
  lanes_.clear();
}

Status MergeReader::skip_to(const TopicPartition& at, std::int64_t offset)
{
  auto& lane = lanes_.at(at);
  lane.block = nullptr;
  lane.next = offset;
  return log_.seek(at, offset);
}

Status MergeReader::refill(const TopicPartition& at, Lane& lane, SteadyTime now)
{
  if (lane.block || lane.at_end()) return {};
  auto read = log_.read(at, options_.block_records);
  if (!read) return read.error();
  if (*read) {
    lane.block = std::move(*read);
    lane.index = 0;
    lane.next = lane.head().offset; // compaction leaves holes
    lane.empty_since.reset();
    if (lane.at_end()) lane.block = nullptr;
  } else if (log_.caught_up(at)) {
    lane.empty_since.reset();
    if (lane.to) lane.next = *lane.to; // what is left below it are holes: compacted away, or control records
  } else if (!lane.empty_since) {
    lane.empty_since = now;
  }
  return {};
}

bool MergeReader::held_back(Timestamp candidate, const Lane& behind, SteadyTime now) const
{
  const auto waited = now - *behind.empty_since;
  if (waited < options_.patience) return true;
  if (waited >= options_.abandon) return false;
  return !behind.last || candidate > *behind.last + options_.align;
}

Result<std::size_t> MergeReader::take(std::size_t max, SteadyTime now, const Visit& visit)
{
  struct Head {
    Timestamp time;
    const TopicPartition* at;
    Lane* lane;
  };
  const auto later = [](const Head& a, const Head& b) { return a.time != b.time ? a.time > b.time : *a.at > *b.at; };
  std::priority_queue<Head, std::vector<Head>, decltype(later)> heads(later);
  std::vector<const Lane*> behind;

  for (auto& [at, lane] : lanes_) {
    if (auto filled = refill(at, lane, now); !filled) return filled.error();
    if (lane.block)
      heads.push({lane.head().timestamp, &at, &lane});
    else if (lane.empty_since)
      behind.push_back(&lane);
  }

  std::size_t taken = 0;
  while (taken < max && !heads.empty()) {
    const auto [time, at, lane] = heads.top();
    for (const auto* other : behind)
      if (held_back(time, *other, now)) return taken;
    heads.pop();
    // The run of this partition that precedes every other head.
    const auto bound = heads.empty() ? kMaxTime : heads.top().time;
    do {
      visit(lane->block, lane->index);
      lane->last = lane->head().timestamp;
      lane->next = lane->head().offset + 1;
      if (++lane->index < lane->block->records.size()) lane->next = lane->head().offset;
      ++taken;
    } while (taken < max && lane->index < lane->block->records.size() && !lane->at_end() && lane->head().timestamp <= bound &&
             behind.empty());
    if (lane->index == lane->block->records.size() || lane->at_end()) {
      lane->block = nullptr;
      if (auto filled = refill(*at, *lane, now); !filled) {
        // What was handed over stands; the error comes again with the next call.
        if (taken > 0) return taken;
        return filled.error();
      }
      if (!lane->block && lane->empty_since) behind.push_back(lane);
    }
    if (lane->block) heads.push({lane->head().timestamp, at, lane});
  }
  return taken;
}

bool MergeReader::drained()
{
  for (auto& [at, lane] : lanes_)
    if (!lane.at_end() && (lane.block || !log_.caught_up(at))) return false;
  return true;
}

bool MergeReader::finished() const
{
  for (const auto& [at, lane] : lanes_)
    if (lane.to && !lane.at_end()) return false;
  return true;
}

std::optional<std::int64_t> MergeReader::next_offset(const TopicPartition& at) const
{
  const auto found = lanes_.find(at);
  if (found == lanes_.end()) return {};
  return found->second.next;
}

} // namespace attune
