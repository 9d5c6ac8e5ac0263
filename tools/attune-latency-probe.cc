// attune-latency-probe: how long it takes from an event to the answer that knows it, on a running service.
#include <unistd.h>

#include <cstdio>

#include "pipeline/probe.h"
#include "pipeline/probe_report.h"
#include "remote_options.h"
#include "service/pace.h"
#include "service/progress.h"
#include "service/random.h"
#include "service/tool.h"

namespace attune {
namespace {

constexpr std::string_view kExamples =
    "Examples:\n"
    "  attune-latency-probe --url http://127.0.0.1:8080 --admin-url http://127.0.0.1:8081 --rate 500 --duration 30s\n"
    "  attune-latency-probe --url https://shop.example --rate 20 --duration 1m --slo p99=50ms --slo max=1s\n";

struct Settings {
  RemoteSettings remote;
  Rate rate{100};
  Milliseconds duration = std::chrono::seconds(10), interval{0};
  std::size_t customers = 100, connections = 64;
  std::string slot;
  bool one_call = false;
  std::vector<std::string> slo;
  std::vector<ProbeTarget> targets; // of them
};

std::string random_name()
{
  std::array<std::byte, 4> bytes{};
  random_bytes(bytes);
  char text[9];
  std::snprintf(text, sizeof text, "%02x%02x%02x%02x", unsigned(bytes[0]), unsigned(bytes[1]), unsigned(bytes[2]),
                unsigned(bytes[3]));
  return text;
}

// What was not as it should be, one line each, and the exit status it makes.
ExitStatus judge(const Tool& tool, const Settings& settings, const ProbeReport& report)
{
  auto status = ExitStatus::done;
  const auto away = [&](const std::string& message) {
    tool.warn(message + (report.trouble.empty() ? "" : ": " + report.trouble));
    status = ExitStatus::unreachable;
  };
  if (report.failed > 0) away(std::to_string(report.failed) + " events failed");
  if (report.unverified > 0) away(std::to_string(report.unverified) + " customers could not be asked at the end");
  const auto left = std::to_string(report.customers - report.removed) + " customers whose names begin with attune-probe- stay";
  if (settings.remote.place.admin_url.empty()) {
    tool.warn(left + ": without --admin-url they can not be removed");
  } else if (report.removed < report.customers) {
    away(left);
  }
  if (report.lost > 0) tool.warn(std::to_string(report.lost) + " events were acknowledged and lost");
  if (report.duplicates > 0) tool.warn(std::to_string(report.duplicates) + " events were counted twice");
  if (report.stale > 0) tool.warn(std::to_string(report.stale) + " answers did not know their event, and did not say so");
  if (report.lost + report.duplicates + report.stale > 0) status = ExitStatus::no;
  for (const auto& target : settings.targets)
    if (const auto miss = missed(target, report)) {
      tool.warn("--slo " + target.text + " is missed: " + *miss);
      status = ExitStatus::no;
    }
  return status;
}

Result<ExitStatus> run(Tool& tool, Settings& settings)
{
  if (auto checked = settings.remote.check(); !checked) return checked.error();
  for (const auto& text : settings.slo) {
    auto target = parse_probe_target(text, parse_duration);
    if (!target) return Error{Code::usage, "--slo: " + target.error().message};
    settings.targets.push_back(std::move(*target));
  }
  if (settings.rate.per_second <= 0) return Error{Code::usage, "--rate: max is no rate that can be kept"};
  LatencyProbeOptions options;
  options.rate = settings.rate.per_second;
  options.duration = settings.duration;
  options.customers = settings.customers;
  options.connections = settings.connections;
  options.run = random_name();
  options.slot = Slot(settings.slot);
  options.n = settings.remote.place.n;
  options.one_call = settings.one_call;
  options.remove = !settings.remote.place.admin_url.empty();
  options.wait_until = wait_until;
  options.connect = settings.remote.services();
  options.interval = settings.interval;
  std::string line;
  options.told = [&](const ProbeReport& report) {
    line.clear();
    append_probe_json(report, line);
    if (auto written = tool.out().line(line); !written) return written;
    return tool.out().flush();
  };
  std::optional<Progress> progress(std::in_place, "events", !tool.quiet());
  options.progress = [&](std::uint64_t events, double fraction) { progress->update(events, fraction); };
  const auto report = probe_latency(options);
  progress.reset();
  if (!report) return report.error();
  if (auto told = options.told(*report); !told) return told.error();
  if (!tool.quiet()) std::fputs(probe_table(*report).c_str(), stderr);
  return judge(tool, settings, *report);
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool("attune-latency-probe", "time the way from an event to the changed answer", std::string(kExamples));
  Settings settings;
  settings.remote.declare(tool);
  settings.remote.declare_sending(tool);
  tool.option("--rate", settings.rate, "RATE", "events a second, each due at its time whatever became of the others");
  tool.option("--duration", settings.duration, "TIME", "for how long");
  tool.option("--customers", settings.customers, "N", "synthetic customers who take turns").range(1, 1'000'000);
  tool.option("--connections", settings.connections, "N", "how many events may be under way at a time").range(1, 4096);
  tool.option("--slot", settings.slot, "SLOT", "the place on a page that is asked for (default: the service's)");
  tool.flag("--one-call", settings.one_call,
            "let the reply to an event carry the changed answer, instead of asking with its token");
  tool.option("--interval", settings.interval, "TIME", "a line of figures at each; 0: only at the end");
  tool.option("--slo", settings.slo, "TARGET",
              "a time to be kept: p99=50ms, accepted.p99.9=10ms, max=1s (repeatable); else exit 1");
  return tool.run(argc, argv, [&] { return run(tool, settings); });
}
