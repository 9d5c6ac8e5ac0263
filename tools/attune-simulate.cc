// attune-simulate: a crowd of customers who shop, made up (core/crowd.h): to standard output, into a log, or to a running service.
#include <cmath>
#include <fstream>

#include "adapters/dead_letter_place.h"
#include "adapters/http_client.h"
#include "adapters/places.h"
#include "core/canonical_json.h"
#include "core/catalog.h"
#include "core/crowd.h"
#include "core/event_json.h"
#include "pipeline/produce.h"
#include "places_options.h"
#include "service/pace.h"
#include "service/progress.h"
#include "service/random.h"
#include "service/signals.h"
#include "service/tool.h"

namespace attune {
namespace {

constexpr std::string_view kExamples =
    "Examples:\n"
    "  attune-simulate --catalog catalog.ndjson --customers 2000 --days 14 >events.ndjson\n"
    "  attune-simulate --catalog catalog.ndjson --live --rate 20 --url http://127.0.0.1:8080\n"
    "  attune-simulate --catalog catalog.ndjson --events 100000 --truth truth.ndjson | attune-train -o model\n";

constexpr std::size_t kMostInOne = 500; // events of a request
constexpr Milliseconds kTellEvery{100}; // … which waits so long for them

struct Settings {
  std::string catalog;
  CrowdOptions crowd;
  std::optional<std::int64_t> events;
  double days = 7;
  std::optional<Timestamp> start;
  bool live = false;
  Rate rate; // 0: as fast as can be; live, ten a second
  LogPlace log;
  std::optional<std::string> url, truth;
  std::string write_key;
  Milliseconds give_up = std::chrono::seconds(60);
};

// Where events go.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status put(std::string_view line) = 0;
  virtual Status finish() = 0;
};

class OutSink final : public Sink {
 public:
  OutSink(Tool& tool, bool live) : tool_(tool), live_(live) {}
  Status put(std::string_view line) override
  {
    auto written = tool_.out().line(line);
    return written && live_ ? tool_.out().flush() : written;
  }
  Status finish() override { return tool_.out().flush(); }

 private:
  Tool& tool_;
  bool live_;
};

class LogSink final : public Sink {
 public:
  static Result<std::unique_ptr<Sink>> open(const Tool& tool, const Settings& settings)
  {
    auto sink = std::make_unique<LogSink>();
    auto options = settings.log.options();
    options.limit = settings.give_up;
    auto opened = open_log_writer(settings.log.url, options);
    if (!opened) return opened.error();
    sink->log_ = std::move(*opened);
    auto letters = open_dead_letters({"stderr", tool.name(), settings.log.name_space, sink->log_.get(), options});
    if (!letters) return letters.error();
    sink->dead_letters_ = std::move(*letters);
    sink->give_up_ = settings.give_up;
    ProduceOptions produce;
    produce.name_space = settings.log.name_space;
    ProduceParts parts;
    parts.log = sink->log_.get();
    parts.dead_letters = sink->dead_letters_.get();
    parts.clock = &sink->clock_;
    parts.randomness = [](std::array<std::uint8_t, 10>& bits) { random_bytes(std::as_writable_bytes(std::span(bits))); };
    sink->producer_.emplace(produce, std::move(parts));
    return std::unique_ptr<Sink>(std::move(sink));
  }
  Status put(std::string_view line) override { return producer_->take({line, "crowd", ++number_, line.size(), false}); }
  Status finish() override { return producer_->finish(give_up_); }

 private:
  SystemClock clock_;
  std::optional<Producer> producer_; // outlives the log, which calls it back
  std::unique_ptr<LogWriter> log_;
  std::unique_ptr<DeadLetterSink> dead_letters_;
  Milliseconds give_up_{0};
  std::uint64_t number_ = 0;
};

// Requests to a service, each sent again, with the same events, until it is acknowledged.
class ServiceSink final : public Sink {
 public:
  explicit ServiceSink(const Settings& settings) : give_up_(settings.give_up)
  {
    request_.method = "POST";
    request_.url = *base_url(*settings.url) + "/v1/events";
    request_.headers = {"Content-Type: application/x-ndjson"};
    if (!settings.write_key.empty()) request_.headers.push_back("X-Attune-Key: " + settings.write_key);
  }
  Status put(std::string_view line) override
  {
    if (count_++ == 0) begun_ = Steady::now();
    request_.body += line;
    request_.body += '\n';
    return count_ < kMostInOne && Steady::now() - begun_ < kTellEvery ? Status() : finish();
  }
  Status finish() override
  {
    if (count_ == 0) return {};
    const auto until = Steady::now() + give_up_;
    for (Milliseconds pause{100};; pause = std::min(2 * pause, Milliseconds(5000))) {
      const auto reply = client_.send(request_);
      const bool done = reply.ok() && (*reply)->status == 202;
      const bool again = reply.ok() ? (*reply)->status == 503 || (*reply)->status == 429 : worth_retry(reply.error());
      if (done) break;
      const Error error = reply.ok() ? Error{again ? Code::unreachable : Code::bad_data,
                                             request_.url + ": " + std::to_string((*reply)->status) + ": " + (*reply)->body}
                                     : reply.error();
      if (!again || Steady::now() >= until || !wait_until(Steady::now() + pause)) return error;
    }
    request_.body.clear();
    count_ = 0;
    return {};
  }

 private:
  using Steady = std::chrono::steady_clock;
  HttpClient client_;
  ClientRequest request_;
  Milliseconds give_up_;
  std::size_t count_ = 0;
  Steady::time_point begun_;
};

Result<std::unique_ptr<Sink>> open_sink(Tool& tool, const Settings& settings)
{
  if (!settings.log.url.empty()) return LogSink::open(tool, settings);
  if (settings.url) return std::unique_ptr<Sink>(std::make_unique<ServiceSink>(settings));
  return std::unique_ptr<Sink>(std::make_unique<OutSink>(tool, settings.live));
}

Result<std::vector<CatalogItem>> read_items(const std::string& path)
{
  std::vector<CatalogItem> items;
  LineReader lines({path});
  for (;;) {
    auto line = lines.next();
    if (!line) return line.error();
    if (!*line) break;
    auto item = parse_catalog_item((*line)->text);
    if (!item) return Error{Code::bad_data, (*line)->place() + ": " + item.error().text()};
    std::erase_if(items, [&](const CatalogItem& each) { return each.item == item->item; });
    if (!item->deleted) items.push_back(std::move(*item));
  }
  if (items.size() < 2) return Error{Code::bad_data, path + ": a crowd needs two items at least"};
  return items;
}

// How well whoever knows the rules of the crowd would have done, and each look's chances (--truth).
class Truth {
 public:
  static Result<std::optional<Truth>> open(const std::optional<std::string>& path)
  {
    std::optional<Truth> truth;
    if (!path) return truth;
    truth.emplace();
    truth->path_ = *path;
    truth->out_.open(*path, std::ios::binary | std::ios::trunc);
    if (!truth->out_) return Error{Code::io, *path + ": can not be written"};
    return truth;
  }
  void note(const Event& event, const Crowd& crowd)
  {
    const auto* truth = crowd.truth();
    if (!truth) return;
    ++looks_;
    expected_hits_ += truth->expected_hit();
    expected_ranks_ += truth->expected_reciprocal_rank();
    if (truth->rank > 0) {
      ++hits_;
      ranks_ += 1 / static_cast<double>(truth->rank);
    }
    line_ = "{\"id\":";
    append_json_string(event.id.text, line_);
    line_ += ",\"rank\":" + std::to_string(truth->rank) + ",\"probability\":";
    append_json_number(truth->probability, line_);
    line_ += ",\"best\":[";
    for (const auto& [item, probability] : truth->best) {
      if (line_.back() != '[') line_ += ',';
      line_ += "{\"item\":";
      append_json_string(crowd.catalog()[item].item.text, line_);
      line_ += ",\"probability\":";
      append_json_number(probability, line_);
      line_ += '}';
    }
    line_ += "]}\n";
    out_ << line_;
  }
  Status finish(const Tool& tool)
  {
    const double n = static_cast<double>(std::max<std::uint64_t>(looks_, 1));
    std::string summary = "{\"looks\":" + std::to_string(looks_);
    for (const auto& [name, hit, rank] :
         {std::tuple("expected", expected_hits_, expected_ranks_), std::tuple("reached", static_cast<double>(hits_), ranks_)}) {
      summary += std::string(",\"") + name + "\":{\"hr\":";
      append_json_number(std::round(hit / n * 1e4) / 1e4, summary);
      summary += ",\"mrr\":";
      append_json_number(std::round(rank / n * 1e4) / 1e4, summary);
      summary += '}';
    }
    out_ << summary << "}\n";
    out_.close();
    if (!out_) return Error{Code::io, path_ + ": can not be written"};
    if (!tool.quiet()) tool.warn("to whoever knows the crowd: " + summary + "} at 20");
    return {};
  }

 private:
  std::string path_, line_;
  std::ofstream out_;
  std::uint64_t looks_ = 0, hits_ = 0;
  double expected_hits_ = 0, expected_ranks_ = 0, ranks_ = 0;
};

Result<ExitStatus> run(Tool& tool, Settings& settings)
{
  if (!settings.log.url.empty() && settings.url) return Error{Code::usage, "--log and --url: only one of them"};
  if (auto checked = settings.log.check(); !checked) return checked.error();
  if (settings.url)
    if (const auto base = base_url(*settings.url); !base) return Error{base.error().code, "--url: " + base.error().message};
  if (settings.crowd.bots < 0 || settings.crowd.bots > 1) return Error{Code::usage, "--bots: not a share, 0 to 1"};
  if (!(settings.crowd.visits > 0)) return Error{Code::usage, "--visits: not above 0"};
  if (!(settings.days > 0)) return Error{Code::usage, "--days: not above 0"};
  auto items = read_items(settings.catalog);
  if (!items) return items.error();
  const SystemClock clock;
  auto& crowd_options = settings.crowd;
  if (settings.start || settings.live) crowd_options.start = settings.start.value_or(clock.now());
  crowd_options.truth = settings.truth.has_value();
  auto truth = Truth::open(settings.truth);
  if (!truth) return truth.error();
  auto sink = open_sink(tool, settings);
  if (!sink) return sink.error();

  const auto most = settings.events ? static_cast<std::uint64_t>(*settings.events) : ~std::uint64_t{0};
  const Timestamp end{settings.events || settings.live ? kMaxTime.ms
                                                       : crowd_options.start.ms + std::llround(settings.days * 86'400'000)};
  Crowd crowd(std::move(*items), crowd_options);
  if (settings.live && settings.rate.per_second <= 0) settings.rate = Rate{10};
  Pace pace(settings.rate);
  Event event;
  std::string line;
  Status put;
  {
    Progress progress("events", !tool.quiet());
    for (std::uint64_t made = 0; made < most && !stop_requested();) {
      crowd.next(event);
      if (*event.time >= end || !pace.wait()) break;
      if (settings.live) event.time = clock.now();
      if (*truth) (*truth)->note(event, crowd);
      line.clear();
      append_event_json(event, line);
      if (put = (*sink)->put(line); !put) break;
      ++made;
      progress.update(made, settings.events ? std::optional(static_cast<double>(made) / static_cast<double>(most)) : std::nullopt);
    }
  }
  // What was made before a failure is owed all the same.
  auto finished = (*sink)->finish();
  if (!put) return put.error();
  if (!finished) return finished.error();
  if (*truth)
    if (auto told = (*truth)->finish(tool); !told) return told.error();
  return ExitStatus::done;
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool("attune-simulate", "a crowd of customers who shop, made up", std::string(kExamples));
  Settings settings;
  tool.option("--catalog", settings.catalog, "FILE", "catalog lines: what there is, and what goes with what").required();
  tool.option("--customers", settings.crowd.customers, "N", "how many").range(1, 100'000'000);
  tool.option("--visits", settings.crowd.visits, "N", "of each customer a day, on average");
  tool.option("--days", settings.days, "N", "of simulated time, when no --events says how many");
  tool.option("--events", settings.events, "N", "how many events").range(0, 1'000'000'000'000);
  tool.parsed(
      "--start", "TIME", "of the simulated time: RFC 3339, or ms since 1970",
      [&](const std::string& text) { return parse_time(text, settings.start); }, "2026-01-01T00:00:00Z");
  tool.option("--seed", settings.crowd.seed, "N", "another crowd");
  tool.option("--bots", settings.crowd.bots, "SHARE", "of the visits");
  tool.flag("--live", settings.live, "events happen now, until it is stopped");
  tool.option("--rate", settings.rate, "RATE", "events a second; live 10 when none is given");
  settings.log.declare(tool, "a log they go into: kafka://HOST:PORT or file:///DIR");
  tool.option("--url", settings.url, "URL", "a service they are sent to: its public listener");
  tool.option("--write-key", settings.write_key, "TEXT", "what a sender has to show there").secret();
  tool.option("--give-up", settings.give_up, "TIME", "how long to retry");
  tool.option("--truth", settings.truth, "FILE", "what each look's chances were, and what a perfect recommender would reach");
  declare_libraries(tool);
  return tool.run(argc, argv, [&] { return run(tool, settings); });
}
