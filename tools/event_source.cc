#include "event_source.h"

#include <unistd.h>

#include <algorithm>

#include "adapters/dead_letter_place.h"
#include "pipeline/event_lines.h"
#include "pipeline/train.h"
#include "service/progress.h"
#include "service/random.h"
#include "service/signals.h"

namespace attune {

Result<std::shared_ptr<const ColumnMap>> read_column_map(const std::string& path)
{
  auto text = read_whole(path);
  if (!text) return text.error();
  return ColumnMap::parse(*text, path);
}

void EventSource::declare(Command& command)
{
  log.declare(command, "the log to read: kafka://HOST:PORT or file:///DIR; without one, FILEs or standard input");
  command.option(
      "--topics", topics, "TOPIC",
      "with --log: only this topic (repeatable; default: customer_clicks, cart_events, purchase_events and customer_identity)");
  command.option("--from", from, "WHERE", "with --log: where to begin: earliest, an offset, @TIME or @-1h");
  command.option("--format", format, "FORMAT", "what the lines are",
                 {{"attune", InputFormat::attune},
                  {"segment", InputFormat::segment},
                  {"cloudevents", InputFormat::cloudevents},
                  {"csv", InputFormat::csv}});
  command.option("--map", map, "FILE", "csv: how its columns become fields (TOML)");
  command.parsed("--types", "TYPE,...", "only events of these types: view, click, cart_add, purchase (all of them)",
                 [this](const std::string& text) -> Status {
                   types.clear();
                   for (std::size_t at = 0; at <= text.size();) {
                     const auto comma = std::min(text.find(',', at), text.size());
                     types.push_back(text.substr(at, comma - at));
                     if (const auto type = parse_type(types.back()); !type || !click_kind(*type))
                       return Error{Code::usage, "teaches nothing: " + types.back()};
                     at = comma + 1;
                   }
                   return {};
                 });
  command.option("--dead-letters", dead_letters, "PLACE",
                 "where input that is no event goes: stderr, topic, a log's URL, or a file");
  command.option("--give-up", give_up, "TIME", "how long a log that does not answer is waited for");
}

Result<EventSource::Reading> EventSource::read(Tool& tool, const std::vector<std::string>& files, const Take& take) const
{
  if (auto checked = log.check(); !checked) return checked.error();
  if (format == InputFormat::csv && map.empty()) return Error{Code::usage, "--format csv: needs --map FILE"};
  if (format != InputFormat::csv && !map.empty()) return Error{Code::usage, "--map: only with --format csv"};
  const auto wanted = [&](const Event& event) {
    if (types.empty() || is_identity(event.type) || std::find(types.begin(), types.end(), type_name(event)) != types.end())
      take(event);
  };
  if (log.url.empty()) return read_lines(tool, files, wanted);
  if (!files.empty()) return Error{Code::usage, "files are read without --log"};
  if (format != InputFormat::attune) return Error{Code::usage, "--format: only without --log"};
  return read_log(tool, wanted);
}

Result<EventSource::Reading> EventSource::read_lines(Tool& tool, const std::vector<std::string>& files, const Take& take) const
{
  std::shared_ptr<const ColumnMap> columns;
  if (!map.empty()) {
    auto read = read_column_map(map);
    if (!read) return read.error();
    columns = *read;
  }
  auto letters = open_dead_letters({dead_letters, tool.name(), log.name_space, nullptr, log.options()});
  if (!letters) return letters.error();
  const SystemClock clock;
  const EntryPlace entry{
      &clock, [](std::array<std::uint8_t, 10>& bits) { random_bytes(std::as_writable_bytes(std::span(bits))); }, {}};
  EventLines events(format, columns, entry, **letters, take);
  LineReader lines(files);
  if (files.empty() && isatty(STDIN_FILENO)) tool.warn("reading events from the terminal, one a line; end with Ctrl-D");
  {
    Progress progress("events", !tool.quiet());
    const auto total = lines.bytes_total();
    for (;;) {
      auto line = lines.next();
      if (!line) return line.error();
      if (!*line) break;
      const auto& [text, number, source, size, over] = **line;
      if (auto taken = events.line({text, source, number, size, over}); !taken) return taken.error();
      progress.update(events.events(),
                      total && *total > 0 ? std::optional(double(lines.bytes_read()) / double(*total)) : std::nullopt);
    }
  }
  if (auto ended = events.finish(); !ended) return ended.error();
  if (auto flushed = (*letters)->flush(give_up); !flushed) return flushed.error();
  return Reading{events.rejected(), {}};
}

Result<EventSource::Reading> EventSource::read_log(Tool& tool, const Take& take) const
{
  std::unique_ptr<LogWriter> writer;
  if (dead_letters == "topic") {
    auto opened = open_log_writer(log.url, log.options());
    if (!opened) return opened.error();
    writer = std::move(*opened);
  }
  auto letters = open_dead_letters({dead_letters, tool.name(), log.name_space, writer.get(), log.options()});
  if (!letters) return letters.error();
  auto reader = open_log_reader(log.url, log.options());
  if (!reader) return reader.error();
  auto wanted = topics;
  if (wanted.empty())
    for (const auto topic : {kClicksTopic, kCartTopic, kPurchaseTopic, kIdentityTopic}) wanted.emplace_back(topic);
  auto ranges = log.ranges(**reader, wanted, from, "latest");
  if (!ranges) return ranges.error();
  Progress progress("records", !tool.quiet());
  OnStop wake([&] { (*reader)->wake(); });
  TrainOptions options;
  options.stop = stop_requested;
  options.give_up = give_up;
  options.progress = [&](std::uint64_t done, std::uint64_t total) { progress.update(done, double(done) / double(total)); };
  Trainer trainer(take, **letters);
  auto read = trainer.log(**reader, *ranges, options);
  if (!read) return Error{read.error().code, log.url + ": " + read.error().message};
  if (auto flushed = (*letters)->flush(give_up); !flushed) return flushed.error();
  return Reading{trainer.rejected(), trainer.positions()};
}

Lessons in_order(Lessons lessons, const Refusals& refusals)
{
  if (refusals.all().empty()) {
    lessons.sort();
    return lessons;
  }
  Lessons out;
  for (std::size_t i = 0; i < lessons.size(); ++i)
    if (const auto lesson = lessons[i]; refusals.admits(lesson.key.customer, lesson.time)) out.add(lesson);
  out.sort();
  return out;
}

} // namespace attune
