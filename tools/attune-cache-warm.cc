// attune-cache-warm: recommendations asked for customer after customer, so that a service has them at hand.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <unordered_map>
#include <unordered_set>

#include "adapters/dead_letter_place.h"
#include "adapters/places.h"
#include "core/canonical_json.h"
#include "core/customer_line.h"
#include "pipeline/probe_customer.h"
#include "pipeline/train.h"
#include "pipeline/warm.h"
#include "places_options.h"
#include "remote_options.h"
#include "service/pace.h"
#include "service/progress.h"
#include "service/resume_file.h"
#include "service/signals.h"

namespace attune {
namespace {

constexpr std::string_view kExamples =
    "Examples:\n"
    "  attune-cache-warm --url http://127.0.0.1:8080 --log file:///var/lib/attune/log --since 1h --slot home --slot cart\n"
    "  attune-cache-warm --url http://127.0.0.1:8080 --rate 200/s --resume warm.done customers.txt\n";

struct Settings {
  RemoteSettings remote;
  LogPlace log;
  Milliseconds since = std::chrono::hours(1);
  std::vector<std::string> slots;
  Rate rate;
  std::size_t connections = 4;
  std::optional<std::string> resume;
  bool dry_run = false;
  std::string dead_letters = "stderr";
  Milliseconds give_up = std::chrono::seconds(60);
  std::vector<std::string> files;
};

class Program {
 public:
  Program(Tool& tool, const Settings& settings) : tool_(tool), settings_(settings), lines_(settings.files), pace_(settings.rate)
  {
    for (const auto& slot : settings.slots) options_.slots.emplace_back(slot);
    if (options_.slots.empty()) options_.slots.emplace_back();
  }

  Result<ExitStatus> run();

 private:
  Status open();
  Status read_log();
  Result<std::optional<CustomerId>> next();
  Result<std::optional<CustomerId>> next_line();
  Status print();
  Status summary(const WarmReport& report);

  Tool& tool_;
  const Settings& settings_;
  const SystemClock clock_;
  LineReader lines_;
  Pace pace_;
  std::unique_ptr<LogWriter> letters_log_;
  std::unique_ptr<DeadLetterSink> dead_letters_;
  std::unique_ptr<ResumeFile> resume_;
  std::unordered_set<CustomerId> seen_; // each is asked for once
  std::vector<CustomerId> active_; // of the log
  std::size_t taken_ = 0; // of them
  std::uint64_t rejected_ = 0, skipped_ = 0;
  std::atomic<double> fraction_{0};
  WarmOptions options_;
};

Status Program::open()
{
  if (settings_.dead_letters == "topic" && !settings_.log.url.empty()) {
    auto writer = open_log_writer(settings_.log.url, settings_.log.options());
    if (!writer) return writer.error();
    letters_log_ = std::move(*writer);
  }
  auto letters = open_dead_letters(
      {settings_.dead_letters, tool_.name(), settings_.log.name_space, letters_log_.get(), settings_.log.options()});
  if (!letters) return letters.error();
  dead_letters_ = std::move(*letters);
  // A dry run leaves no file.
  if (settings_.resume && !(settings_.dry_run && ::access(settings_.resume->c_str(), F_OK) != 0)) {
    auto file = ResumeFile::open(*settings_.resume);
    if (!file) return file.error();
    resume_ = std::move(*file);
  }
  if (!settings_.log.url.empty()) return read_log();
  if (settings_.files.empty() && isatty(STDIN_FILENO))
    tool_.warn("reading customers from the terminal, one a line; end with Ctrl-D");
  return {};
}

// Who did something since then, the last ones first: they are the likeliest to come back.
Status Program::read_log()
{
  auto log = open_log_reader(settings_.log.url, settings_.log.options());
  if (!log) return log.error();
  const auto ranges = settings_.log.ranges(**log, {}, "@-" + to_text(settings_.since), "latest");
  if (!ranges) return ranges.error();
  std::unordered_map<CustomerId, Timestamp> last;
  Trainer reader(
      [&last](const Event& event) {
        if (is_identity(event.type) || is_probe_customer(event.customer)) return;
        auto& time = last[event.customer];
        time = std::max(time, *event.time);
      },
      *dead_letters_);
  Progress progress("records", !tool_.quiet());
  OnStop wake([&log] { (*log)->wake(); });
  TrainOptions options;
  options.stop = stop_requested;
  options.give_up = settings_.give_up;
  options.progress = [&](std::uint64_t done, std::uint64_t total) { progress.update(done, double(done) / double(total)); };
  if (auto read = reader.log(**log, *ranges, options); !read) return read;
  rejected_ = reader.rejected();
  for (const auto& [customer, time] : last) active_.push_back(customer);
  std::sort(active_.begin(), active_.end(),
            [&last](const CustomerId& a, const CustomerId& b) { return std::pair(last[b], a) < std::pair(last[a], b); });
  return {};
}

Result<std::optional<CustomerId>> Program::next_line()
{
  for (;;) {
    auto line = lines_.next();
    if (!line) return line.error();
    if (!*line) return std::optional<CustomerId>();
    if (const auto total = lines_.bytes_total(); total && *total > 0) fraction_ = double(lines_.bytes_read()) / double(*total);
    const auto& text = (*line)->text;
    auto customer = (*line)->over ? Result<CustomerId, Reject>(Reject{"", "too long"}) : parse_customer_line(text);
    if (customer) return std::optional(std::move(*customer));
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    ++rejected_;
    const auto& [field, reason] = customer.error();
    if (auto buried = dead_letters_->put({(*line)->place(), field, reason, text, clock_.now()}); !buried) return buried.error();
  }
}

Result<std::optional<CustomerId>> Program::next()
{
  for (;;) {
    Result<std::optional<CustomerId>> customer = std::optional<CustomerId>();
    if (settings_.log.url.empty()) {
      customer = next_line();
    } else if (taken_ < active_.size()) {
      customer = std::optional(active_[taken_++]);
      fraction_ = double(taken_) / double(active_.size());
    }
    if (!customer || !*customer) return customer;
    if (!(resume_ && resume_->contains((*customer)->text)) && seen_.insert(**customer).second) return customer;
    ++skipped_;
  }
}

// The requests that would be made, as attune-recommend reads them.
Status Program::print()
{
  for (;;) {
    const auto customer = next();
    if (!customer) return customer.error();
    if (!*customer || stop_requested()) return {};
    for (const auto& slot : options_.slots) {
      std::string line = "{\"customer\":";
      append_json_string((*customer)->text, line);
      if (!slot.empty()) {
        line += ",\"slot\":";
        append_json_string(slot.text, line);
      }
      line += ",\"n\":" + std::to_string(settings_.remote.place.n) + '}';
      if (auto written = tool_.out().line(line); !written) return written;
    }
  }
}

Status Program::summary(const WarmReport& report)
{
  return tool_.out().line("{\"customers\":" + std::to_string(report.customers) + ",\"answers\":" + std::to_string(report.answers) +
                          ",\"degraded\":" + std::to_string(report.degraded) + ",\"skipped\":" + std::to_string(skipped_) +
                          ",\"rejected\":" + std::to_string(rejected_) + ",\"finished\":" + (report.stopped ? "false" : "true") +
                          "}");
}

Result<ExitStatus> Program::run()
{
  if (auto opened = open(); !opened) return opened.error();
  if (settings_.dry_run) {
    if (auto printed = print(); !printed) return printed.error();
  } else {
    options_.n = settings_.remote.place.n;
    options_.connections = settings_.connections;
    options_.give_up = settings_.give_up;
    if (options_.give_up->count() == 0) options_.give_up.reset();
    options_.connect = settings_.remote.services();
    options_.next = [this] { return next(); };
    options_.pace = [this] { return pace_.wait(); };
    options_.wait_until = wait_until;
    std::optional<Progress> progress(std::in_place, "customers", !tool_.quiet());
    std::uint64_t done = 0;
    options_.done = [&](const CustomerId& customer) -> Status {
      const double fraction = fraction_;
      progress->update(++done, fraction > 0 ? std::optional(fraction) : std::nullopt);
      return resume_ ? resume_->add(customer.text) : Status();
    };
    auto report = warm(options_);
    progress.reset();
    if (!report) return report.error();
    report->stopped = report->stopped || stop_requested();
    if (resume_)
      if (auto ended = report->stopped ? resume_->flush() : resume_->remove(); !ended) return ended.error();
    if (auto told = summary(*report); !told) return told.error();
  }
  if (auto flushed = dead_letters_->flush(settings_.give_up); !flushed) return flushed.error();
  return rejected_ > 0 ? ExitStatus::bad_data : ExitStatus::done;
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool("attune-cache-warm", "ask for recommendations before customers do", std::string(kExamples));
  Settings settings;
  settings.remote.declare(tool);
  settings.log.declare(
      tool, "warm those who were active in this log: kafka://HOST:PORT or file:///DIR; without one, FILEs or standard input");
  tool.option("--since", settings.since, "TIME", "with --log: active not longer ago than that");
  tool.option("--slot", settings.slots, "SLOT", "a place on a page to ask for (repeatable; default: the service's)");
  tool.option("--rate", settings.rate, "RATE", "at most so many requests a second");
  tool.option("--concurrency", settings.connections, "N", "how many requests may be under way at a time").range(1, 1024);
  tool.option("--resume", settings.resume, "FILE", "who is done is kept there, and a run that was stopped goes on");
  tool.flag("--dry-run", settings.dry_run, "print the requests, make none");
  tool.option("--dead-letters", settings.dead_letters, "PLACE",
              "where lines go that name no customer: stderr, topic, a log's URL, or a file");
  tool.option("--give-up", settings.give_up, "TIME", "how long a service or log that is away is waited for; 0: for ever");
  tool.operands("FILE", settings.files, "read customers from these: an id a line, or JSON with the key customer");
  declare_libraries(tool);
  return tool.run(argc, argv, [&]() -> Result<ExitStatus> {
    if (auto checked = settings.remote.check(); !checked) return checked.error();
    if (auto checked = settings.log.check(); !checked) return checked.error();
    if (!settings.log.url.empty() && !settings.files.empty()) return Error{Code::usage, "files are read without --log"};
    return Program(tool, settings).run();
  });
}
