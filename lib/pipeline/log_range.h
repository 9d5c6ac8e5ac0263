// LogRange: from where to where a partition is read, and what people write for it (`--from`, `--to`).
//
//   earliest   the first record the log has            latest      its end
//   1234       that offset                             @TIME       the first record at or after it: RFC 3339, or ms since 1970
//   @-1h       that long ago
//
// A range never includes its end. Pure, but for resolve_log_ranges().
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pipeline/ports.h"

namespace attune {

struct LogBound {
  enum class Kind { earliest, latest, offset, time };
  Kind kind = Kind::earliest;
  std::int64_t offset = 0;
  Timestamp time;
};

// `duration` reads "1h" (service/quantity.h). ERRORS: usage, the reason alone.
using DurationParser = std::function<Result<Milliseconds>(std::string_view)>;
[[nodiscard]] Result<LogBound> parse_log_bound(std::string_view text, Timestamp now, const DurationParser& duration);

struct LogRange {
  TopicPartition at;
  std::int64_t from = 0;
  std::optional<std::int64_t> to; // nothing: without end
  std::int64_t lost = 0; // records asked for by offset that are gone: they stood before `from`
};
// What to say of a range some of which is lost: gap, with the number and the place.
[[nodiscard]] Error gap_before(const LogRange& range);
// What to say of a position that the log does not reach: it lost records, or is another log under the old name. Also a gap.
[[nodiscard]] Error gap_behind(const TopicPartition& at, std::int64_t position, std::int64_t end);

// Whether the log reaches a group's position that is at or beyond `end`; if not, it is a gap, for the member that has the partition to tell.
[[nodiscard]] Result<bool> is_reached(LogReader& log, const TopicPartition& at, std::int64_t position, std::int64_t end);

// Both ends as offsets of each partition, as it is now. `from` beyond the end is the end. With a `to` the range is one that can be read to its
// end without waiting for anything: it goes no further than the end the partition has now. One call or two to the log per partition.
[[nodiscard]] Result<std::vector<LogRange>> resolve_log_ranges(LogReader& log, std::span<const TopicPartition> partitions,
                                                               const LogBound& from, const std::optional<LogBound>& to);

} // namespace attune
