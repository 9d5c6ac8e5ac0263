// attune-replay: a range of one log into another; with --rebuild, profiles made anew from a log.
#include <poll.h>

#include <algorithm>

#include "adapters/places.h"
#include "core/event.h"
#include "pipeline/rebuild.h"
#include "pipeline/replay.h"
#include "places_options.h"
#include "service/progress.h"
#include "service/signals.h"
#include "service/tool.h"

namespace attune {
namespace {

struct Settings {
  LogPlace source;
  StorePlace store;
  std::string to;
  std::string to_namespace;
  std::vector<std::string> topics;
  std::string from = "earliest";
  std::string until = "latest";
  bool follow = false;
  std::string speed = "max";
  Rate rate;
  Milliseconds shift{0};
  std::optional<std::string> shift_to;
  std::vector<std::string> types, customers, items;
  bool keep_partition = false;
  std::optional<Milliseconds> give_up = std::chrono::seconds(60);
  bool rebuild = false;
  std::vector<std::string> groups;
  std::optional<std::string> late;
  ByteSize memory{512u << 20};
};

std::optional<double> share(std::uint64_t done, std::optional<std::uint64_t> total)
{
  if (!total || *total == 0) return {};
  return static_cast<double>(done) / static_cast<double>(*total);
}

// Waits, unless a stop comes first.
bool pause_for(Milliseconds time)
{
  pollfd stop{stop_fd(), POLLIN, 0};
  ::poll(&stop, 1, static_cast<int>(time.count()));
  return !stop_requested();
}

Status parse_shift(std::string_view text, Milliseconds& shift)
{
  const bool back = text.starts_with('-');
  const auto distance = parse_duration(text.substr(back ? 1 : 0));
  if (!distance) return distance.error();
  shift = back ? -*distance : *distance;
  return {};
}

Result<double> parse_speed(const std::string& text)
{
  if (text == "max") return 0.0;
  const bool has_x = !text.empty() && text.back() == 'x';
  auto factor = parse_number(std::string_view(text).substr(0, text.size() - (has_x ? 1 : 0)));
  if (!factor || *factor <= 0) return Error{Code::usage, "--speed: neither max nor a factor like 1x or 10x: " + text};
  return *factor;
}

// A name mistyped should not pass for a topic with nothing in it.
Status check_topics(const Settings& settings, LogReader& log)
{
  for (const auto& topic : words_of(settings.topics)) {
    const auto name = settings.source.name_of(topic);
    const auto partitions = log.partitions({&name, 1});
    if (!partitions) return partitions.error();
    if (partitions->empty()) return Error{Code::config, settings.source.url + ": no such topic: " + name};
  }
  return {};
}

Result<ExitStatus> copy(Tool& tool, const Settings& settings)
{
  if (!settings.to_namespace.empty() && !valid_namespace(settings.to_namespace))
    return Error{Code::usage, "--to-namespace: not [a-z0-9-]+: " + settings.to_namespace};
  ReplayOptions options;
  auto speed = parse_speed(settings.speed);
  if (!speed) return speed.error();
  options.speed = *speed;
  options.rate = settings.rate.per_second;
  options.shift = settings.shift;
  if (settings.shift_to) {
    auto bound = parse_log_bound("@" + *settings.shift_to, SystemClock().now(), parse_duration);
    if (!bound) return Error{Code::usage, "--shift-to: not a time: " + *settings.shift_to};
    options.shift_to = bound->time;
  }
  options.types = {settings.types.begin(), settings.types.end()};
  options.customers = {settings.customers.begin(), settings.customers.end()};
  options.items = {settings.items.begin(), settings.items.end()};
  options.keep_partition = settings.keep_partition;
  options.give_up = settings.give_up;

  auto source = open_log_reader(settings.source.url, settings.source.options());
  if (!source) return source.error();
  auto target = open_log_writer(settings.to, options_beside(settings.to, settings.source.options()));
  if (!target) return target.error();
  if (auto checked = check_topics(settings, **source); !checked) return checked.error();
  auto ranges = settings.source.ranges(**source, settings.topics, settings.from,
                                       settings.follow ? std::nullopt : std::optional(settings.until));
  if (!ranges) return ranges.error();
  options.ranges = std::move(*ranges);

  const auto prefix = in_namespace(settings.source.name_space, "");
  options.topic_for = [&](const std::string& topic) {
    const auto bare = topic.starts_with(prefix) ? topic.substr(prefix.size()) : topic;
    return in_namespace(settings.to_namespace, bare);
  };
  const auto& from_log = *source;
  OnStop wake([&] { from_log->wake(); });
  Progress progress("records", !tool.quiet());
  options.pause = pause_for;
  options.stop = stop_requested;
  options.progress = [&](std::uint64_t done, std::optional<std::uint64_t> total) { progress.update(done, share(done, total)); };
  auto report = replay(**source, **target, options);
  if (!report) return report.error();
  if (auto told = tool.out().line("{\"read\":" + std::to_string(report->read) + ",\"written\":" + std::to_string(report->written) +
                                  ",\"filtered\":" + std::to_string(report->filtered) +
                                  ",\"unreadable\":" + std::to_string(report->unreadable) + "}");
      !told)
    return told.error();
  if (report->unreadable == 0) return ExitStatus::done;
  const bool left_out = !options.types.empty() || !options.customers.empty() || !options.items.empty();
  tool.warn(std::to_string(report->unreadable) + " records are no events: " + (left_out ? "left out" : "passed on as they are"));
  return ExitStatus::bad_data;
}

Result<ExitStatus> make_anew(Tool& tool, const Settings& settings)
{
  if (settings.store.url.empty()) return Error{Code::usage, "--rebuild: needs --store"};
  RebuildOptions options;
  options.event_topics = settings.source.event_topics();
  options.identity_topic = in_namespace(settings.source.name_space, kIdentityTopic);
  options.late_topic = in_namespace(settings.source.name_space, kLateTopic);
  for (const auto& group : settings.groups) options.groups.push_back(in_namespace(settings.source.name_space, group));
  options.memory_bytes = settings.memory.bytes;
  options.give_up = settings.give_up;
  options.stop = stop_requested;
  Progress progress("records", !tool.quiet());
  options.progress = [&](std::uint64_t done, std::uint64_t total) { progress.update(done, share(done, total)); };
  if (settings.late)
    options.more_late = [&](const std::function<void(std::string_view)>& take) -> Status {
      LineReader lines({*settings.late});
      for (;;) {
        auto line = lines.next();
        if (!line) return line.error();
        if (!*line) return {};
        take((*line)->text);
      }
    };

  auto log = open_log_reader(settings.source.url, settings.source.options());
  if (!log) return log.error();
  auto admin = open_log_admin(settings.source.url, settings.source.options());
  if (!admin) return admin.error();
  auto store = settings.store.open(settings.source.name_space);
  if (!store) return store.error();
  const auto& reader = *log;
  OnStop wake([&] { reader->wake(); });
  auto report = rebuild(**log, **admin, **store, options);
  if (!report) return report.error();
  if (auto told = tool.out().line(
          "{\"records\":" + std::to_string(report->records) + ",\"events\":" + std::to_string(report->events) +
          ",\"refused\":" + std::to_string(report->refused) + ",\"unreadable\":" + std::to_string(report->unreadable) +
          ",\"conflicts\":" + std::to_string(report->conflicts) + ",\"profiles\":" + std::to_string(report->profiles) + "}");
      !told)
    return told.error();
  return ExitStatus::done;
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool(
      "attune-replay", "send a range of a log into another, or make profiles anew from it",
      "Examples:\n"
      "  attune-replay --log file:///var/lib/attune/log --to file:///tmp/copy --from @-1h --speed 10x\n"
      "  attune-replay --rebuild --log file:///var/lib/attune/log --store rocksdb:///var/lib/attune/profiles --group profiles\n");
  Settings settings;
  settings.source.declare(tool);
  settings.store.declare(tool, "with --rebuild: the store whose profiles are made anew");
  tool.option("--to", settings.to, "URL", "the log to write to");
  tool.option("--to-namespace", settings.to_namespace, "NAME", "the namespace to write to (default: none)");
  tool.option("--topics", settings.topics, "TOPIC,…",
              "only these topics, without namespace (repeatable; default: those of events)");
  tool.option("--from", settings.from, "BOUND", "where to begin: earliest, latest, an offset, @TIME or @-1h");
  tool.option("--until", settings.until, "BOUND", "where to end, likewise; never beyond the end the log has at the start");
  tool.flag("--follow", settings.follow, "go on with what arrives, until stopped");
  tool.option("--speed", settings.speed, "FACTOR", "pace by event time: 1x, 10x, …; max: as fast as it goes");
  tool.option("--rate", settings.rate, "RATE", "at most so many records a second");
  tool.parsed("--shift", "TIME", "added to every event's time, such as 24h, or taken from it: -24h",
              [&](const std::string& text) { return parse_shift(text, settings.shift); });
  tool.option("--shift-to", settings.shift_to, "TIME", "shift times so that the first event happens then (RFC 3339)");
  tool.option("--type", settings.types, "TYPE", "only events of this type (repeatable)");
  tool.option("--customer", settings.customers, "ID", "only events of this customer (repeatable)");
  tool.option("--item", settings.items, "ID", "only events that name this item (repeatable)");
  tool.flag("--keep-partition", settings.keep_partition, "write each record to the partition of its number, not by its key");
  tool.option("--give-up", settings.give_up, "TIME", "how long to retry when a log or the store is away; 0: for ever");
  tool.flag("--rebuild", settings.rebuild, "make all profiles of --store anew, exactly, and swap them in");
  tool.option("--group", settings.groups, "NAME", "with --rebuild: groups that go on from where it ended (repeatable)");
  tool.option("--late", settings.late, "FILE", "with --rebuild: a late sink that is a file, beside the log's topic");
  tool.option("--memory", settings.memory, "SIZE", "with --rebuild: for sorting; more passes are made over a larger log");
  declare_libraries(tool);
  return tool.run(argc, argv, [&]() -> Result<ExitStatus> {
    if (settings.rebuild == !settings.to.empty()) return Error{Code::usage, "one of --to and --rebuild is needed"};
    if (auto checked = settings.source.check(); !checked) return checked.error();
    if (settings.give_up && settings.give_up->count() == 0) settings.give_up.reset();
    return settings.rebuild ? make_anew(tool, settings) : copy(tool, settings);
  });
}
