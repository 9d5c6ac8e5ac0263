// attune-init: creates the topics attune uses, and checks that they are kept as they must be.
#include "adapters/places.h"
#include "core/canonical_json.h"
#include "pipeline/topics.h"
#include "places_options.h"
#include "service/tool.h"

namespace attune {
namespace {

constexpr std::string_view kExamples =
    "Examples:\n"
    "  attune-init --log kafka://db1:9092 --partitions 12 --replication 3 --retention 90d\n"
    "  attune-init --log kafka://db1:9092 --check\n";

struct Arguments {
  LogPlace log;
  TopicWishes wishes;
  std::optional<std::int64_t> partitions, replication;
  bool check = false;
};

std::string_view name_of(TopicReport::State state)
{
  switch (state) {
    case TopicReport::State::as_wanted:
      return "ok";
    case TopicReport::State::created:
      return "created";
    case TopicReport::State::altered:
      return "altered";
    case TopicReport::State::missing:
      return "missing";
    case TopicReport::State::differs:
      return "differs";
  }
  return "";
}

std::string number_or_null(const std::optional<std::int64_t>& number)
{
  return number ? std::to_string(*number) : "null";
}

std::string line_of(const TopicReport& report)
{
  const auto& topic = report.now;
  std::string out = "{\"topic\":";
  append_json_string(topic.topic, out);
  out += ",\"state\":\"" + std::string(name_of(report.state)) + '"';
  out += ",\"partitions\":" + std::to_string(topic.partitions);
  out +=
      ",\"replication\":" + number_or_null(topic.replication > 0 ? std::optional<std::int64_t>(topic.replication) : std::nullopt);
  out += ",\"retention_ms\":" + number_or_null(topic.retention ? std::optional(topic.retention->count()) : std::nullopt);
  out += ",\"retention_bytes\":" + number_or_null(topic.retention_bytes);
  out += std::string(",\"compacted\":") + (topic.compacted ? "true" : "false") + ",\"differences\":[";
  for (const auto& difference : report.differences) {
    if (out.back() != '[') out += ',';
    append_json_string(difference, out);
  }
  return out + "]}";
}

Status parse_retention(const std::string& text, TopicWishes& wishes)
{
  if (text == "forever") {
    wishes.retention.emplace();
    return {};
  }
  auto time = parse_duration(text);
  if (!time) return time.error();
  if (time->count() == 0) return Error{Code::usage, "nothing would be kept"};
  wishes.retention.emplace(*time);
  return {};
}

Result<ExitStatus> init(Tool& tool, Arguments& arguments)
{
  auto& wishes = arguments.wishes;
  if (arguments.log.url.empty()) return Error{Code::usage, "--log: missing"};
  if (auto checked = arguments.log.check(); !checked) return checked.error();
  wishes.name_space = arguments.log.name_space;
  if (arguments.partitions) wishes.partitions = static_cast<std::int32_t>(*arguments.partitions);
  if (arguments.replication) wishes.replication = static_cast<std::int32_t>(*arguments.replication);

  auto log = open_log_admin(arguments.log.url, arguments.log.options());
  if (!log) return log.error();
  const auto reports = init_topics(**log, wishes, arguments.check ? Init::check : Init::mend);
  if (!reports) return reports.error();
  auto status = ExitStatus::done;
  for (const auto& report : *reports) {
    if (auto told = tool.out().line(line_of(report)); !told) return told.error();
    if (report.state == TopicReport::State::missing) tool.warn(report.now.topic + ": missing");
    if (report.state == TopicReport::State::differs)
      for (const auto& difference : report.differences) tool.warn(report.now.topic + ": " + difference);
    if (report.state == TopicReport::State::missing || report.state == TopicReport::State::differs) status = ExitStatus::no;
  }
  return status;
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool("attune-init", "create and check the topics of a log", std::string(kExamples));
  Arguments arguments;
  arguments.log.declare(tool);
  tool.option("--partitions", arguments.partitions, "N", "partitions of the topics of events; new ones get 6 unless told")
      .range(1, 100'000);
  tool.option("--replication", arguments.replication, "N",
              "copies of each partition; new ones get the broker's default unless told")
      .range(1, 100);
  tool.parsed("--retention", "TIME", "how long events are kept, or forever; new topics get 7d unless told",
              [&](const std::string& text) { return parse_retention(text, arguments.wishes); });
  tool.flag("--check", arguments.check, "look only: exit 1 when a topic is missing or differs");
  declare_libraries(tool);
  return tool.run(argc, argv, [&] { return init(tool, arguments); });
}
