#include "pipeline/log_range.h"

#include <algorithm>

#include "core/field_rules.h"

namespace attune {

namespace {

bool all_digits(std::string_view text)
{
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<LogBound> parse_moment(std::string_view text, Timestamp now, const DurationParser& duration)
{
  LogBound bound{LogBound::Kind::time, 0, {}};
  if (text.starts_with('-') || text.starts_with('+')) {
    auto distance = duration(text.substr(1));
    if (!distance) return distance.error();
    bound.time = text.front() == '-' ? now - *distance : now + *distance;
    return bound;
  }
  const auto time = all_digits(text) ? read_milliseconds(text) : read_rfc3339(text);
  if (!time) return Error{Code::usage, "not a time: @" + std::string(text)};
  bound.time = *time;
  return bound;
}

Result<std::int64_t> place(LogReader& log, const TopicPartition& at, const PartitionEnds& ends, const LogBound& bound)
{
  switch (bound.kind) {
    case LogBound::Kind::earliest:
      return ends.begin;
    case LogBound::Kind::latest:
      return ends.end;
    case LogBound::Kind::offset:
      return bound.offset;
    case LogBound::Kind::time:
      return log.offset_at(at, bound.time);
  }
  return ends.begin;
}

} // namespace

Result<LogBound> parse_log_bound(std::string_view text, Timestamp now, const DurationParser& duration)
{
  if (text == "earliest") return LogBound{LogBound::Kind::earliest, 0, {}};
  if (text == "latest") return LogBound{LogBound::Kind::latest, 0, {}};
  if (text.starts_with('@')) return parse_moment(text.substr(1), now, duration);
  if (all_digits(text) && text.size() <= 18) return LogBound{LogBound::Kind::offset, std::stoll(std::string(text)), {}};
  return Error{Code::usage, "not earliest, latest, an offset or @TIME: " + std::string(text)};
}

Error gap_before(const LogRange& range)
{
  return {Code::gap, to_string(range.at) + ": " + std::to_string(range.lost) +
                         " records are gone before they were read (position " + std::to_string(range.from - range.lost) +
                         ", earliest " + std::to_string(range.from) + ")"};
}

Error gap_behind(const TopicPartition& at, std::int64_t position, std::int64_t end)
{
  return {Code::gap, to_string(at) + ": the log lost " + std::to_string(position - end) + " records that were read (position " +
                         std::to_string(position) + ", end " + std::to_string(end) + ")"};
}

Result<bool> is_reached(LogReader& log, const TopicPartition& at, std::int64_t position, std::int64_t end)
{
  if (position == end) return true;
  const auto now = log.ends(at);
  if (!now) return now.error();
  return position <= now->end;
}

Result<std::vector<LogRange>> resolve_log_ranges(LogReader& log, std::span<const TopicPartition> partitions, const LogBound& from,
                                                 const std::optional<LogBound>& to)
{
  std::vector<LogRange> ranges;
  for (const auto& at : partitions) {
    auto ends = log.ends(at);
    if (!ends) return ends.error();
    auto start = place(log, at, *ends, from);
    if (!start) return start.error();
    LogRange range{at, std::clamp(*start, ends->begin, ends->end), {}, std::max<std::int64_t>(0, ends->begin - *start)};
    if (to) {
      auto stop = place(log, at, *ends, *to);
      if (!stop) return stop.error();
      // What was asked for and is gone is only what stood before `to`.
      range.lost = std::max<std::int64_t>(0, std::min(ends->begin, *stop) - *start);
      range.to = std::clamp(*stop, range.from, ends->end);
    }
    ranges.push_back(std::move(range));
  }
  return ranges;
}

} // namespace attune
