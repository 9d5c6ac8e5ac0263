// attune-profile-update: events into profiles: from a pipe, or as a member of a log's group, when it owns both ends.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "adapters/dead_letter_place.h"
#include "adapters/late_place.h"
#include "core/profile_json.h"
#include "pipeline/group_feed.h"
#include "pipeline/line_feed.h"
#include "places_options.h"
#include "service/progress.h"
#include "service/random.h"
#include "service/signals.h"
#include "service/tool.h"

namespace attune {
namespace {

constexpr Milliseconds kFlushLimit = std::chrono::seconds(60); // of dead letters and late events, in a pipe

enum class Emit { profiles, none };
enum class OnGap { stop, go_on };

struct Settings {
  LogPlace log;
  StorePlace store;
  std::string group;
  bool until_end = false;
  Emit emit = Emit::profiles;
  std::optional<std::string> dead_letters, late;
  std::size_t workers = std::max(2u, std::thread::hardware_concurrency());
  Milliseconds align = std::chrono::hours(1);
  Milliseconds rewind = std::chrono::seconds(60);
  std::optional<Milliseconds> give_up = std::chrono::seconds(60);
  ByteSize cache{48u << 20};
  OnGap on_gap = OnGap::stop;
  std::optional<std::string> currency;
  std::vector<std::string> files;
};

// Changed profiles to standard output, from any shard.
class Emitter {
 public:
  explicit Emitter(LineWriter& out) : out_(out) {}
  void operator()(const Profile& profile)
  {
    thread_local std::string record;
    record.clear();
    append_profile_record(profile, record);
    const std::lock_guard lock(mutex_);
    written_ = out_.line(record);
  }
  Status flush()
  {
    const std::lock_guard lock(mutex_);
    return written_ ? out_.flush() : written_;
  }

 private:
  LineWriter& out_;
  std::mutex mutex_;
  Status written_;
};

// A bell the shards ring and the feeder waits at, where there is no log to wait on.
class Bell {
 public:
  void ring()
  {
    {
      const std::lock_guard lock(mutex_);
      rung_ = true;
    }
    ringing_.notify_all();
  }
  void wait(Milliseconds limit)
  {
    std::unique_lock lock(mutex_);
    ringing_.wait_for(lock, limit, [this] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable ringing_;
  bool rung_ = false;
};

ExitStatus status_of(const IngestCounts& counts)
{
  return counts.dead_letters > 0 ? ExitStatus::bad_data : ExitStatus::done;
}

Result<ExitStatus> from_lines(Tool& tool, const Settings& settings, ProfileStore& store, const IngestOptions& options,
                              IngestSinks sinks, Emitter& emitter)
{
  Bell bell;
  auto ingest = Ingest::start(store, options, sinks, [&] { bell.ring(); });
  if (!ingest) return ingest.error();
  const auto settle = [&]() -> Status {
    bool idle = false;
    while (!idle) {
      idle = (*ingest)->wait_idle(Milliseconds(1000));
      // After a failure nothing is in flight either: what was is thrown away.
      if (const auto failure = (*ingest)->failure()) return *failure;
    }
    return emitter.flush();
  };

  // What stopped us, where all that is known is that something did.
  const auto reason = [&](const Error& error) { return (*ingest)->failure().value_or(error); };

  Entry entry;
  if (settings.currency) {
    const auto currency = parse_currency(*settings.currency);
    if (!currency) return Error{Code::usage, "--currency: not an ISO 4217 code: " + *settings.currency};
    entry.currency = *currency;
  }
  LineFeed feed(**ingest, *sinks.dead_letters, [&] {
    bell.wait(Milliseconds(100));
    return !(*ingest)->failure();
  });
  LineReader lines(settings.files);
  const auto finish = [&]() -> Status {
    if (auto flushed = feed.flush(); !flushed) return flushed;
    if (auto settled = settle(); !settled) return settled;
    if (auto flushed = sinks.dead_letters->flush(kFlushLimit); !flushed) return flushed;
    return sinks.late->flush(kFlushLimit);
  };
  lines.on_quiet(finish);
  Progress progress("events", !tool.quiet());
  const SystemClock clock;
  std::uint64_t rejected = 0;
  std::uint64_t read = 0;
  for (;;) {
    if (const auto failure = (*ingest)->failure()) return *failure;
    auto line = lines.next();
    if (!line) return reason(line.error());
    if (!*line) break;
    entry.received = clock.now();
    random_bytes(std::as_writable_bytes(std::span(entry.random)));
    auto fed = feed.line((*line)->text, (*line)->place(), entry);
    if (!fed) return reason(fed.error());
    rejected += *fed ? 0 : 1;
    progress.update(++read, lines.bytes_total()
                                ? std::optional(static_cast<double>(lines.bytes_read()) /
                                                static_cast<double>(std::max<std::uint64_t>(1, *lines.bytes_total())))
                                : std::nullopt);
  }
  if (auto finished = finish(); !finished) return reason(finished.error());
  return rejected > 0 ? ExitStatus::bad_data : status_of((*ingest)->counts());
}

Result<ExitStatus> from_log(Tool& tool, const Settings& settings, ProfileStore& store, const IngestOptions& options,
                            const IngestSinks& sinks, Emitter& emitter)
{
  if (settings.group.empty()) return Error{Code::usage, "--log: needs --group"};
  auto log = open_log_group(settings.log.url, settings.log.name_of(settings.group), settings.log.options());
  if (!log) return log.error();
  LogGroup& group = **log;
  auto ingest = Ingest::start(store, options, sinks, [&] { group.wake(); });
  if (!ingest) return ingest.error();
  OnStop wake([&] { group.wake(); });

  Progress progress("events", !tool.quiet());
  FeedOptions feed_options;
  feed_options.topics = settings.log.event_topics();
  feed_options.merge.align = settings.align;
  feed_options.until_end = settings.until_end;
  feed_options.on_gap_continue = settings.on_gap == OnGap::go_on;
  feed_options.rewind = settings.rewind;
  feed_options.give_up = settings.give_up;
  feed_options.stop = stop_requested;
  feed_options.say = [&](const std::string& line) { tool.warn(line); };
  feed_options.progress = [&](std::uint64_t done, std::optional<std::uint64_t> total) {
    progress.update(done, total ? std::optional(static_cast<double>(done) / static_cast<double>(std::max<std::uint64_t>(1, *total)))
                                : std::nullopt);
  };
  feed_options.quiet = [&] { return emitter.flush(); };
  const SystemClock clock;
  GroupFeed feed(group, store, **ingest, clock, std::move(feed_options));
  if (auto ran = feed.run(); !ran) return ran.error();
  if (auto flushed = emitter.flush(); !flushed) return flushed.error();
  return status_of((*ingest)->counts());
}

Result<ExitStatus> update(Tool& tool, const Settings& settings)
{
  if (auto checked = settings.log.check(); !checked) return checked.error();
  const bool has_log = !settings.log.url.empty();
  if (has_log && !settings.files.empty()) return Error{Code::usage, "files are read without --log"};
  if (!has_log && settings.until_end) return Error{Code::usage, "--until-end: needs --log"};
  if (!has_log && !settings.group.empty()) return Error{Code::usage, "--group: needs --log"};
  auto store = settings.store.open(settings.log.name_space);
  if (!store) return store.error();

  // With a log, its topics; in a pipe, standard error.
  std::unique_ptr<LogWriter> writer;
  const std::string dead_place = settings.dead_letters.value_or(has_log ? "topic" : "stderr");
  const std::string late_place = settings.late.value_or(has_log ? "topic" : "stderr");
  if (has_log) {
    auto opened = open_log_writer(settings.log.url, settings.log.options());
    if (!opened) return opened.error();
    writer = std::move(*opened);
  }
  auto dead_letters = open_dead_letters({dead_place, tool.name(), settings.log.name_space, writer.get(), settings.log.options()});
  if (!dead_letters) return dead_letters.error();
  auto late = open_late({late_place, tool.name(), settings.log.name_of(kLateTopic), writer.get(), settings.log.options()});
  if (!late) return late.error();

  Emitter emitter(tool.out());
  IngestOptions options;
  options.workers = settings.workers;
  options.cache_bytes = settings.cache.bytes;
  options.give_up = settings.give_up;
  IngestSinks sinks;
  sinks.dead_letters = dead_letters->get();
  sinks.late = late->get();
  if (settings.emit == Emit::profiles) sinks.on_changed = [&](const Profile& profile) { emitter(profile); };
  return has_log ? from_log(tool, settings, **store, options, sinks, emitter)
                 : from_lines(tool, settings, **store, options, sinks, emitter);
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool("attune-profile-update", "keep profiles up to date with events",
            "Examples:\n"
            "  attune-profile-update --store memory: < events.ndjson\n"
            "  attune-profile-update --log file:///var/lib/attune/log --group profiles --store rocksdb:///var/lib/attune/profiles "
            "--emit none\n");
  Settings settings;
  settings.store.url = "memory:";
  settings.log.declare(tool);
  settings.store.declare(tool);
  tool.option("--group", settings.group, "NAME", "with --log: the group whose positions are kept");
  tool.flag("--until-end", settings.until_end, "with --log: stop at the ends seen at the start");
  tool.option("--emit", settings.emit, "WHAT", "what is written to standard output",
              {{"profiles", Emit::profiles}, {"none", Emit::none}});
  tool.option("--dead-letters", settings.dead_letters, "PLACE",
              "a file, stderr, a log's URL, or topic (default: topic with --log, else stderr)");
  tool.option("--late", settings.late, "PLACE", "where late events go, likewise");
  tool.option("--workers", settings.workers, "N", "threads, each with its share of the customers").range(1, 64);
  tool.option("--cache", settings.cache, "SIZE", "memory for profiles that were written last");
  tool.option("--align", settings.align, "TIME", "how far a partition may run ahead of the others in a backlog");
  tool.option("--rewind", settings.rewind, "TIME", "how far to step back when the store was restarted");
  tool.option("--give-up", settings.give_up, "TIME", "how long to retry when the log or the store is away; 0: for ever");
  tool.option("--on-gap", settings.on_gap, "WHAT", "when records are gone before they were read",
              {{"stop", OnGap::stop}, {"continue", OnGap::go_on}});
  tool.option("--currency", settings.currency, "CODE", "without --log: for events with a price and no currency");
  tool.operands("FILE", settings.files, "without --log: read these instead of standard input");
  declare_libraries(tool);
  return tool.run(argc, argv, [&] {
    if (settings.give_up && settings.give_up->count() == 0) settings.give_up.reset();
    return update(tool, settings);
  });
}
