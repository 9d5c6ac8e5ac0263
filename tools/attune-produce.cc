// attune-produce: events, catalog lines or whole records into a log, or, without one, into the next program of a pipe.

#include <unistd.h>

#include <mutex>
#include <utility>

#include "adapters/dead_letter_place.h"
#include "adapters/envelope.h"
#include "adapters/places.h"
#include "core/canonical_json.h"
#include "event_source.h"
#include "pipeline/produce.h"
#include "places_options.h"
#include "service/pace.h"
#include "service/progress.h"
#include "service/random.h"
#include "service/tool.h"

namespace attune {
namespace {

constexpr std::string_view kExamples = R"(Examples:
  attune-produce --log file:///var/lib/attune events.ndjson
  attune-produce --log kafka://db1:9092 --format csv --map ga360.toml < events.csv
  attune-produce --log kafka://db1:9092 --catalog catalog.ndjson
  attune-consume --log file:///old --until-end --envelope | attune-produce --log kafka://db1:9092 --envelope
)";

constexpr std::size_t kEnvelopeLine = 16 << 20; // a mebibyte of bytes, each of them escaped, and more

struct Arguments {
  LogPlace log;
  InputFormat format = InputFormat::attune;
  bool catalog = false, envelope = false, keep_partition = false, ack = false, verbose = false;
  std::string map, topic;
  std::string dead_letters = "stderr";
  ProduceOptions produce;
  Rate rate;
  Milliseconds give_up = std::chrono::seconds(60);
  std::vector<std::string> files;
};

Status settle(Arguments& arguments)
{
  const auto usage = [](std::string message) { return Error{Code::usage, std::move(message)}; };
  auto& produce = arguments.produce;
  if (arguments.catalog + arguments.envelope + (arguments.format != InputFormat::attune) > 1)
    return usage("--format, --catalog and --envelope: only one of them");
  if (arguments.catalog) arguments.format = InputFormat::catalog;
  if (arguments.envelope) arguments.format = InputFormat::envelope;
  produce.format = arguments.format;
  produce.keep_partition = arguments.keep_partition;

  if (!arguments.map.empty()) {
    auto columns = read_column_map(arguments.map);
    if (!columns) return columns.error();
    produce.columns = *columns;
  }
  if (produce.format == InputFormat::csv && !produce.columns) return usage("--format csv: needs --map FILE");
  if (produce.format == InputFormat::raw && arguments.topic.empty()) return usage("--format raw: needs --topic");
  if (arguments.log.url.empty()) {
    if (produce.format == InputFormat::envelope || produce.format == InputFormat::raw)
      return usage("--format " + std::string(format_name(produce.format)) + ": needs --log");
    if (produce.wire == WireFormat::protobuf) return usage("--wire protobuf: needs --log");
    if (arguments.ack) return usage("--ack: needs --log");
  }
  produce.name_space = arguments.log.name_space;
  if (!arguments.topic.empty()) produce.topic = arguments.log.name_of(arguments.topic);
  return arguments.log.check();
}

Status read_envelope(EnvelopeReader& reader, EnvelopeArena& arena, std::string_view line, GivenRecord& given)
{
  Envelope envelope;
  arena.clear();
  if (auto parsed = reader.parse(line, envelope, arena); !parsed) return parsed;
  given = {envelope.topic, envelope.partition, envelope.timestamp, envelope.key, envelope.value, std::move(envelope.headers)};
  return {};
}

std::string acknowledgement(const TopicPartition& at, std::int64_t offset, std::string_view id)
{
  std::string line = "{\"topic\":";
  append_json_string(at.topic, line);
  line += ",\"partition\":" + std::to_string(at.partition) + ",\"offset\":" + std::to_string(offset);
  if (!id.empty()) {
    line += ",\"id\":";
    append_json_string(id, line);
  }
  return line + '}';
}

// Everything but the last line of a summary: reads, sends, and waits until all is durable.
Status produce_all(Producer& producer, LineReader& input, const Arguments& arguments, Progress& progress)
{
  Pace pace(arguments.rate);
  const auto total = input.bytes_total();
  std::uint64_t lines = 0;
  Status read;
  while (read && !producer.failed()) {
    auto line = input.next();
    if (!line) read = line.error();
    if (!line || !*line) break;
    // At a stop, what was read already goes out without a pause: nobody else has those lines any more.
    [[maybe_unused]] const bool waited = pace.wait();
    const auto& [text, number, source, size, over] = **line;
    if (auto taken = producer.take({text, source, number, size, over}); !taken) return taken;
    progress.update(++lines, total && *total > 0 ? std::optional(double(input.bytes_read()) / double(*total)) : std::nullopt);
  }
  // An input that ends in an error still owes what stood before it.
  auto finished = producer.finish(arguments.give_up);
  return read ? finished : read;
}

void summarize(const Tool& tool, const Arguments& arguments, const ProduceCounts& counts)
{
  const bool shown = arguments.verbose || isatty(STDERR_FILENO) || (counts.rejected > 0 && arguments.dead_letters != "stderr");
  if (!shown) return;
  std::string text = std::to_string(counts.sent) + (counts.sent == 1 ? " record" : " records") +
                     (arguments.log.url.empty() ? " out" : " in the log");
  if (counts.rejected > 0) text += ", " + std::to_string(counts.rejected) + " rejected (to " + arguments.dead_letters + ")";
  tool.warn(text);
}

Result<ExitStatus> produce(Tool& tool, Arguments& arguments)
{
  if (auto settled = settle(arguments); !settled) return settled.error();

  std::optional<Producer> producer; // outlives the log, which calls it back
  std::unique_ptr<LogWriter> log;
  auto log_options = arguments.log.options();
  log_options.limit = arguments.give_up;
  if (!arguments.log.url.empty()) {
    auto opened = open_log_writer(arguments.log.url, log_options);
    if (!opened) return opened.error();
    log = std::move(*opened);
  }
  auto dead_letters = open_dead_letters({arguments.dead_letters, tool.name(), arguments.log.name_space, log.get(), log_options});
  if (!dead_letters) return dead_letters.error();

  const SystemClock clock;
  EnvelopeReader envelopes;
  EnvelopeArena arena;
  std::mutex out_mutex;
  ProduceParts parts;
  parts.log = log.get();
  parts.lines = [&](std::string_view line) { return tool.out().line(line); };
  parts.dead_letters = dead_letters->get();
  parts.clock = &clock;
  parts.randomness = [](std::array<std::uint8_t, 10>& bits) { random_bytes(std::as_writable_bytes(std::span(bits))); };
  parts.envelope = [&](std::string_view line, GivenRecord& given) { return read_envelope(envelopes, arena, line, given); };
  if (arguments.ack)
    parts.acknowledged = [&](const TopicPartition& at, std::int64_t offset, std::string_view id, bool last) {
      const std::lock_guard lock(out_mutex);
      // An error is remembered by the writer, and told at the end.
      auto written = tool.out().line(acknowledgement(at, offset, id));
      if (last && written) written = tool.out().flush();
    };
  producer.emplace(arguments.produce, std::move(parts));

  LineReader input(arguments.files, arguments.format == InputFormat::envelope ? kEnvelopeLine : LineReader::kDefaultLimit);
  std::uint64_t told = 0; // dead letters that somebody may look for already
  input.on_quiet([&]() -> Status {
    if (const auto rejected = producer->counts().rejected; std::exchange(told, rejected) != rejected)
      if (auto flushed = (*dead_letters)->flush(arguments.give_up); !flushed) return flushed;
    return log ? Status() : tool.out().flush();
  });
  if (arguments.files.empty() && isatty(STDIN_FILENO)) tool.warn("reading events from the terminal, one a line; end with Ctrl-D");
  Status done;
  {
    Progress progress("lines", !tool.quiet());
    done = produce_all(*producer, input, arguments, progress);
  }
  if (!done) return done.error();
  const auto counts = producer->counts();
  summarize(tool, arguments, counts);
  return counts.rejected > 0 ? ExitStatus::bad_data : ExitStatus::done;
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool("attune-produce", "send events into a log", std::string(kExamples));
  Arguments arguments;
  auto& options = arguments.produce;
  arguments.log.declare(tool, "the log to write to: kafka://HOST:PORT or file:///DIR; without one, standard output");
  tool.option("--format", arguments.format, "FORMAT", "what the lines are",
              {{"attune", InputFormat::attune},
               {"segment", InputFormat::segment},
               {"cloudevents", InputFormat::cloudevents},
               {"csv", InputFormat::csv},
               {"catalog", InputFormat::catalog},
               {"envelope", InputFormat::envelope},
               {"raw", InputFormat::raw},
               {"dead-letters", InputFormat::dead_letters}});
  tool.option("--map", arguments.map, "FILE", "csv: how its columns become fields (TOML)");
  tool.flag("--catalog", arguments.catalog, "the lines are catalog items: --format catalog");
  tool.flag("--envelope", arguments.envelope, "the lines are records as attune-consume --envelope prints them: --format envelope");
  tool.flag("--keep-partition", arguments.keep_partition, "envelope: into the partition it names, instead of by key");
  tool.option("--topic", arguments.topic, "TOPIC", "send everything to this topic, instead of by the type of the event");
  tool.option("--wire", options.wire, "FORM", "how events travel",
              {{"json", WireFormat::json}, {"protobuf", WireFormat::protobuf}});
  tool.parsed("--currency", "CODE", "the currency of prices that name none (ISO 4217)", [&](const std::string& text) -> Status {
    const auto currency = parse_currency(text);
    if (!currency) return Error{Code::usage, "not three capital letters: " + text};
    options.currency = *currency;
    return {};
  });
  tool.option("--dead-letters", arguments.dead_letters, "PLACE",
              "where lines that can not be processed go: stderr, topic, a log's URL, or a file");
  tool.option("--rate", arguments.rate, "RATE", "no faster than this, such as 2000/s");
  tool.flag("--ack", arguments.ack, "print where each record stands once it is durable");
  tool.option("--give-up", arguments.give_up, "TIME", "how long a log that does not answer is waited for");
  tool.flag("-v,--verbose", arguments.verbose, "say at the end how many lines there were");
  tool.operands("FILE", arguments.files, "read these instead of standard input; - is standard input");
  declare_libraries(tool);
  return tool.run(argc, argv, [&] { return produce(tool, arguments); });
}
