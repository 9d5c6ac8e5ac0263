#include "pipeline/probe_report.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "core/canonical_json.h"

namespace attune {

namespace {

struct Column {
  std::string_view name; // of the table
  std::string_view key; // of the JSON
  double share;
};
constexpr std::array<Column, 6> kColumns{Column{"p50", "p50_ms", 0.5},         Column{"p90", "p90_ms", 0.9},
                                         Column{"p99", "p99_ms", 0.99},        Column{"p99.9", "p999_ms", 0.999},
                                         Column{"p99.99", "p9999_ms", 0.9999}, Column{"max", "max_ms", 1}};

std::string milliseconds(std::chrono::nanoseconds time)
{
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", static_cast<double>(time.count()) / 1e6);
  return text;
}

std::chrono::nanoseconds value(const LatencyHistogram& times, const Column& column)
{
  return column.share < 1 ? times.percentile(column.share) : times.max();
}

void append_times(std::string_view name, const LatencyHistogram& times, std::string& out)
{
  out += '"';
  out += name;
  out += "\":{\"count\":" + std::to_string(times.count());
  for (const auto& column : kColumns) {
    out += ",\"";
    out += column.key;
    out += "\":" + milliseconds(value(times, column));
  }
  out += '}';
}

void append_row(std::string_view name, const LatencyHistogram& times, std::string& out)
{
  char text[64];
  std::snprintf(text, sizeof text, "%-9.*s", static_cast<int>(name.size()), name.data());
  out += text;
  for (const auto& column : kColumns) {
    std::snprintf(text, sizeof text, "%12s", times.count() > 0 ? milliseconds(value(times, column)).c_str() : "-");
    out += text;
  }
  out += '\n';
}

} // namespace

Result<ProbeTarget> parse_probe_target(std::string_view text, const DurationParser& duration)
{
  const Error wrong{Code::usage, "not like p99=50ms, accepted.p99.9=10ms or max=1s: " + std::string(text)};
  ProbeTarget target;
  target.text = text;
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return wrong;
  auto what = text.substr(0, equals);
  for (std::size_t i = 0; i < kProbeStages; ++i)
    if (what.starts_with(kProbeStageNames[i]) && what.substr(kProbeStageNames[i].size()).starts_with('.')) {
      target.stage = static_cast<ProbeStage>(i);
      what.remove_prefix(kProbeStageNames[i].size() + 1);
      break;
    }
  if (what == "max") {
    target.share = 1;
  } else {
    if (!what.starts_with('p')) return wrong;
    what.remove_prefix(1);
    double percent = 0;
    const auto [end, failed] = std::from_chars(what.data(), what.data() + what.size(), percent, std::chars_format::fixed);
    if (failed != std::errc() || end != what.data() + what.size() || !(percent > 0 && percent <= 100)) return wrong;
    target.share = percent / 100;
  }
  const auto most = duration(text.substr(equals + 1));
  if (!most) return most.error();
  target.most = *most;
  return target;
}

std::optional<std::string> missed(const ProbeTarget& target, const ProbeReport& report)
{
  const auto& times = report.stage(target.stage);
  const auto name = target.text.substr(0, target.text.find('='));
  const auto stage = std::string(kProbeStageNames[static_cast<std::size_t>(target.stage)]);
  const auto title = name.starts_with(stage) ? name : stage + ' ' + name;
  // The service's own stages are told of what got through.
  const bool of_all = target.stage == ProbeStage::accepted || target.stage == ProbeStage::answer;
  const auto total = of_all ? std::max(report.events, times.count()) : times.count();
  const auto rank = LatencyHistogram::rank(target.share, total);
  if (rank > times.count())
    return title + " is no time: " + std::to_string(total - times.count()) + " of " + std::to_string(total) +
           " events did not get there";
  const auto value = times.value_at(rank);
  if (value <= target.most) return {};
  return title + " is " + milliseconds(value) + " ms, more than " + std::to_string(target.most.count()) + " ms";
}

void append_probe_json(const ProbeReport& report, std::string& out)
{
  const auto member = [&out](std::string_view name, const std::string& value) {
    out += out.back() == '{' ? "\"" : ",\"";
    out += name;
    out += "\":" + value;
  };
  const auto count = [&](std::string_view name, std::uint64_t value) { member(name, std::to_string(value)); };
  out += '{';
  member("until_s", milliseconds(report.until / 1000));
  count("events", report.events);
  count("answers", report.answers);
  if (report.final) count("lost", report.lost);
  count("duplicates", report.duplicates);
  count("stale", report.stale);
  count("degraded", report.degraded);
  count("failed", report.failed);
  if (report.final) {
    count("unverified", report.unverified);
    count("customers", report.customers);
    count("removed", report.removed);
  }
  member("slip_p99_ms", milliseconds(report.slip.percentile(0.99)));
  member("slip_max_ms", milliseconds(report.slip.max()));
  out += ",\"stages\":{";
  for (std::size_t i = 0; i < kProbeStages; ++i) {
    if (i > 0) out += ',';
    append_times(kProbeStageNames[i], report.stages[i], out);
  }
  out += '}';
  if (!report.trouble.empty()) {
    out += ",\"trouble\":";
    append_json_string(report.trouble, out);
  }
  out += '}';
}

std::string probe_table(const ProbeReport& report)
{
  std::string out = "ms       ";
  for (const auto& column : kColumns) {
    char text[32];
    std::snprintf(text, sizeof text, "%12.*s", static_cast<int>(column.name.size()), column.name.data());
    out += text;
  }
  out += '\n';
  for (std::size_t i = 0; i < kProbeStages; ++i) append_row(kProbeStageNames[i], report.stages[i], out);
  append_row("slip", report.slip, out);
  out += std::to_string(report.events) + " events, " + std::to_string(report.answers) + " answers; " + std::to_string(report.lost) +
         " lost, " + std::to_string(report.duplicates) + " duplicates, " + std::to_string(report.stale) + " stale, " +
         std::to_string(report.degraded) + " degraded, " + std::to_string(report.failed) + " failed; " +
         std::to_string(report.removed) + " of " + std::to_string(report.customers) + " customers removed\n";
  return out;
}

} // namespace attune
