// attune-consume: what a log holds, as lines of JSON.

#include <unistd.h>

#include "adapters/places.h"
#include "adapters/record_lines.h"
#include "pipeline/consume.h"
#include "places_options.h"
#include "service/progress.h"
#include "service/signals.h"
#include "service/tool.h"

namespace attune {
namespace {

// A broker that is not there should be told about before anybody wonders.
constexpr Milliseconds kAnswerLimit = std::chrono::seconds(5);

constexpr std::string_view kExamples = R"(Examples:
  attune-consume --log file:///var/lib/attune --until-end
  attune-consume --log kafka://db1:9092 --topics cart_events,purchase_events --from @-1h
  attune-consume --log kafka://db1:9092 --group audit --envelope >> audit.ndjson
)";

enum class OnGap { stop, go_on };

struct Arguments {
  LogPlace log;
  std::vector<std::string> topics, partitions, operands;
  std::optional<std::string> group;
  std::optional<std::int64_t> count;
  bool until_end = false, envelope = false;
  OnGap on_gap = OnGap::stop;
  ConsumeOptions consume;
};

Status parse_partitions(const std::vector<std::string>& texts, std::vector<std::int32_t>& partitions)
{
  for (const auto& word : words_of(texts)) {
    const auto number = parse_integer(word);
    if (!number || *number < 0 || *number > 1'000'000) return Error{Code::usage, "--partitions: not a partition: " + word};
    partitions.push_back(static_cast<std::int32_t>(*number));
  }
  return {};
}

Status settle(Arguments& arguments)
{
  const auto usage = [](std::string message) { return Error{Code::usage, std::move(message)}; };
  auto& consume = arguments.consume;
  if (arguments.log.url.empty()) return usage("--log: missing");
  if (auto checked = arguments.log.check(); !checked) return checked;
  if (auto parsed = parse_partitions(arguments.partitions, consume.partitions); !parsed) return parsed;
  if (arguments.until_end && consume.to) return usage("--until-end and --to: only one of them");
  if (arguments.group && !consume.partitions.empty())
    return usage("--group and --partitions: a group shares its partitions itself");
  if (arguments.group && consume.to) return usage("--group and --to: a group ends at the end only (--until-end)");
  if (arguments.until_end) consume.to = LogBound{LogBound::Kind::latest, 0, {}};
  if (arguments.count) consume.count = static_cast<std::uint64_t>(*arguments.count);

  consume.topics = words_of(arguments.topics);
  consume.topics.insert(consume.topics.end(), arguments.operands.begin(), arguments.operands.end());
  consume.all_must_exist = !consume.topics.empty();
  for (auto& topic : consume.topics) {
    if (topic.empty()) return usage("a topic without a name");
    topic = arguments.log.name_of(topic);
  }
  if (consume.topics.empty()) consume.topics = arguments.log.event_topics();
  consume.on_gap_continue = arguments.on_gap == OnGap::go_on;
  return {};
}

Result<ExitStatus> consume(Tool& tool, Arguments& arguments)
{
  if (auto settled = settle(arguments); !settled) return settled.error();
  auto log_options = arguments.log.options();
  log_options.limit = kAnswerLimit;

  std::unique_ptr<LogReader> log;
  LogGroup* group = nullptr;
  if (arguments.group) {
    auto opened = open_log_group(arguments.log.url, arguments.log.name_of(*arguments.group), log_options);
    if (!opened) return opened.error();
    group = opened->get();
    log = std::move(*opened);
  } else {
    auto opened = open_log_reader(arguments.log.url, log_options);
    if (!opened) return opened.error();
    log = std::move(*opened);
  }

  RecordLines output(
      arguments.envelope ? RecordLines::Form::envelope : RecordLines::Form::value,
      [&](std::string_view lines) { return tool.out().write(lines); }, [&] { return tool.out().flush(); });
  Progress progress("records", !tool.quiet() && !isatty(STDOUT_FILENO));
  auto& options = arguments.consume;
  options.stop = stop_requested;
  options.say = [&](const std::string& text) { tool.warn(text); };
  options.progress = [&](std::uint64_t done, std::optional<std::uint64_t> total) {
    progress.update(done, total && *total > 0 ? std::optional(double(done) / double(*total)) : std::nullopt);
  };
  const OnStop wake([&] { log->wake(); });
  const auto done = group ? Consumer(*group, output, options).run() : Consumer(*log, output, options).run();
  if (!done) return done.error();
  return ExitStatus::done;
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool("attune-consume", "print the records of a log as lines of JSON", std::string(kExamples));
  Arguments arguments;
  auto& options = arguments.consume;
  const auto bound = [](std::optional<LogBound>& to) {
    return [&to](const std::string& text) -> Status {
      auto parsed = parse_log_bound(text, SystemClock().now(), parse_duration);
      if (!parsed) return parsed.error();
      to = *parsed;
      return {};
    };
  };
  arguments.log.declare(tool);
  tool.option("--topics", arguments.topics, "TOPIC,…",
              "topics to read, as operands are (repeatable; default: the topics of events)");
  tool.option("--partitions", arguments.partitions, "N,…", "only these partitions (repeatable)");
  tool.parsed("--from", "WHERE", "begin at earliest, latest, an offset, @TIME or @-1h; default: earliest, in a group its position",
              bound(options.from));
  tool.parsed("--to", "WHERE", "stop before that; what is not there yet is not waited for", bound(options.to));
  tool.flag("--until-end", arguments.until_end, "stop at the ends the partitions have now, busy or not");
  tool.option("--group", arguments.group, "NAME", "share the partitions with the other members, and keep positions");
  tool.option("-n,--count", arguments.count, "N", "stop after so many records").range(0, std::numeric_limits<std::int64_t>::max());
  tool.flag("--envelope", arguments.envelope, "print whole records: topic, partition, offset, timestamp, key, headers, value");
  tool.option("--on-gap", arguments.on_gap, "WHAT", "when records are gone that should be read",
              {{"stop", OnGap::stop}, {"continue", OnGap::go_on}});
  tool.option("--give-up", options.give_up, "TIME", "how long a log that went away is waited for");
  tool.operands("TOPIC", arguments.operands, "topics to read");
  declare_libraries(tool);
  return tool.run(argc, argv, [&] { return consume(tool, arguments); });
}
