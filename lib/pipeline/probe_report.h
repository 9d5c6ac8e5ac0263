// What a latency probe found (pipeline/probe.h), as a line of JSON, as a table for people, and against what was promised. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "pipeline/log_range.h"
#include "pipeline/probe.h"

namespace attune {

// "p99=50ms", "accepted.p99.9=10ms", "max=1s": so large a share of the events has to be through that stage (the answer, unless one is named) in
// that time. An event without a receipt, or without an answer that knew it, is in no time.
struct ProbeTarget {
  std::string text; // as it was given
  ProbeStage stage = ProbeStage::answer;
  double share = 0.99; // in (0, 1]; 1: max
  Milliseconds most{0};
};
// ERRORS: usage, the reason alone.
[[nodiscard]] Result<ProbeTarget> parse_probe_target(std::string_view text, const DurationParser& duration);

// Nothing: it is met. Else what was instead: "answer p99 is 61.250 ms, more than 50 ms".
[[nodiscard]] std::optional<std::string> missed(const ProbeTarget& target, const ProbeReport& report);

// One object without its newline. Of an interval: without what is known at the end alone.
void append_probe_json(const ProbeReport& report, std::string& out);

// Lines of text, the last one ended. REQUIRES: the final report.
[[nodiscard]] std::string probe_table(const ProbeReport& report);

} // namespace attune
