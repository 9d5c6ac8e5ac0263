// attune-evaluate: how good recommendations are, on events that have happened.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "event_source.h"
#include "model_settings.h"
#include "pipeline/evaluation_report.h"
#include "pipeline/model_contender.h"
#include "service/progress.h"
#include "service/signals.h"

namespace attune {
namespace {

constexpr std::string_view kExamples =
    "Examples:\n"
    "  attune-evaluate --prequential --source popular < events.ndjson\n"
    "  attune-evaluate --format csv --map rsc15.toml --test test.tsv train.tsv\n"
    "  attune-evaluate --split 2026-01-08T00:00:00Z --fail-below mrr=0.25,mrr.diff=-0.003 events.ndjson\n";

enum class Learn { as_prequential, on, off };
enum class Asked { before, after, both };
enum class BasketKind { none, orders, sessions };

struct Settings {
  EventSource events;
  std::vector<std::string> files, test_files;
  std::optional<Timestamp> split;
  double test_share = 0.1;
  bool prequential = false;
  Learn learn = Learn::as_prequential;
  BasketKind baskets = BasketKind::none;
  Asked asked = Asked::both;
  ModelOptions model;
  std::vector<std::string> sources, compared;
  ProbeOptions probes;
  Milliseconds min_gap{0};
  EvaluateOptions evaluate;
  ReportOptions report;
  std::vector<Target> targets;
};

// What was read.
struct Heard {
  Lessons train, test;
  Baskets baskets;
  std::uint64_t rejected = 0;
};

std::string source_names()
{
  std::string names;
  for (std::size_t i = 0; i < kSources; ++i) names += ' ' + std::string(source_name(static_cast<Source>(i)));
  return names;
}

Result<std::vector<ModelEntry>> entries_of(const Settings& settings)
{
  const std::string first = settings.baskets == BasketKind::none ? "blend" : "complements";
  std::vector<std::string> names{first};
  for (const auto& name : settings.sources)
    if (name != first) names.push_back(name);
  std::vector<ModelEntry> entries;
  for (const auto& name : names) {
    const auto source = parse_source(name);
    if (!source) return Error{Code::usage, "not a source: " + name + "; there are" + source_names()};
    entries.push_back({name, settings.model, *source});
  }
  for (const auto& file : settings.compared) {
    auto options = read_model_options(file, "attune-train", ModelOptions{});
    if (!options) return options.error();
    entries.push_back({file, *options, entries.front().source});
  }
  return entries;
}

Status settle(Settings& settings)
{
  const auto usage = [](std::string message) { return Error{Code::usage, std::move(message)}; };
  if (!settings.model.valid()) return usage("the model's options: a time out of range");
  if (settings.split && !settings.test_files.empty()) return usage("--split and --test exclude each other");
  if (!settings.events.log.url.empty() && !settings.test_files.empty()) return usage("--test: not with --log");
  if (settings.learn != Learn::as_prequential) settings.prequential = settings.learn == Learn::on;
  if (settings.baskets != BasketKind::none && settings.prequential)
    return usage("--baskets learns nothing of the test range: not with --prequential or --learn on");
  if (settings.baskets != BasketKind::none && !settings.test_files.empty()) return usage("--test: not with --baskets");
  if (!(settings.test_share > 0 && settings.test_share <= 1)) return usage("--test-share: not above 0 and at most 1");
  const bool compared = !settings.sources.empty() || !settings.compared.empty();
  for (const auto& target : settings.targets)
    if (target.difference && !compared) return usage("--fail-below: a difference needs a --source or --compare");
  settings.probes.idle_ms = settings.model.idle.count();
  settings.probes.min_gap_ms = settings.min_gap.count();
  settings.evaluate.before = settings.asked != Asked::after;
  settings.evaluate.after = settings.asked != Asked::before;
  settings.report.k = settings.evaluate.k;
  settings.report.threads = settings.evaluate.threads;
  settings.report.protocol = settings.baskets != BasketKind::none ? "baskets" : settings.prequential ? "prequential" : "frozen";
  return {};
}

Result<Heard> listen(Tool& tool, const Settings& settings)
{
  Heard heard;
  auto read = settings.events.read(tool, settings.files, [&](const Event& event) {
    heard.train.add(event);
    if (settings.baskets == BasketKind::orders) heard.baskets.add_order(event);
  });
  if (!read) return read.error();
  heard.rejected = read->rejected;
  if (!settings.test_files.empty()) {
    auto more = settings.events.read(tool, settings.test_files, [&](const Event& event) { heard.test.add(event); });
    if (!more) return more.error();
    heard.rejected += more->rejected;
  }
  Refusals refusals = heard.train.refusals();
  refusals.merge(heard.test.refusals());
  heard.baskets.refuse(refusals);
  heard.train = in_order(std::move(heard.train), refusals);
  heard.test = in_order(std::move(heard.test), refusals);
  return heard;
}

// The first lesson of the test range.
std::size_t test_begin(const LessonStream& lessons, const Heard& heard, const Settings& settings)
{
  if (!settings.test_files.empty()) return heard.train.size();
  if (settings.split) return lessons.place_of(settings.split->ms);
  if (lessons.size() == 0) return 0;
  const auto first = lessons[0].time, last = lessons[lessons.size() - 1].time;
  return lessons.place_of(last - static_cast<std::int64_t>(static_cast<double>(last - first) * settings.test_share));
}

// The first basket of the test range.
std::size_t first_basket(const Baskets& baskets, const Settings& settings)
{
  const auto& list = baskets.list();
  if (!settings.split) return list.size() - static_cast<std::size_t>(static_cast<double>(list.size()) * settings.test_share);
  const auto at = std::find_if(list.begin(), list.end(), [&](const Basket& basket) { return basket.time >= settings.split->ms; });
  return static_cast<std::size_t>(at - list.begin());
}

Result<Evaluation> ask(Heard& heard, const Settings& settings, const Lineup& lineup)
{
  const auto lessons = settings.test_files.empty() ? LessonStream(heard.train) : LessonStream(heard.train, heard.test);
  auto options = settings.probes;
  options.from = test_begin(lessons, heard, settings);
  if (settings.baskets != BasketKind::none) {
    if (settings.baskets == BasketKind::sessions) heard.baskets.add_sessions(lessons, Probes(lessons, options));
    heard.baskets.sort();
    return evaluate_baskets(lessons, heard.baskets, first_basket(heard.baskets, settings), lineup, settings.evaluate);
  }
  const Probes probes(lessons, options);
  return settings.prequential ? evaluate_prequential(lessons, probes, lineup, settings.evaluate)
                              : evaluate_frozen(lessons, probes, options.from, lineup, settings.evaluate);
}

Result<ExitStatus> run(Tool& tool, Settings& settings)
{
  if (auto settled = settle(settings); !settled) return settled.error();
  auto entries = entries_of(settings);
  if (!entries) return entries.error();
  auto heard = listen(tool, settings);
  if (!heard) return heard.error();

  auto evaluated = [&] {
    Progress progress("steps", !tool.quiet());
    settings.evaluate.stop = stop_requested;
    settings.evaluate.progress = [&](std::uint64_t done, std::uint64_t total) {
      progress.update(done, double(done) / double(std::max<std::uint64_t>(total, 1)));
    };
    return ask(*heard, settings, model_lineup(*entries));
  }();
  // Half an answer is none, and must not look like success.
  if (!evaluated) return Error{Code::busy, evaluated.error().message};
  if (evaluated->clusters.empty())
    return Error{Code::bad_data,
                 std::to_string(heard->train.size() + heard->test.size()) + " clicks, and nothing of the test range to ask for"};

  std::vector<std::string> names;
  for (const auto& entry : *entries) names.push_back(entry.name);
  const EvaluationReport report(*evaluated, names, settings.report);
  for (std::size_t e = 0; e < names.size(); ++e)
    if (auto told = tool.out().line(report.json(e)); !told) return told.error();
  if (auto flushed = tool.out().flush(); !flushed) return flushed.error();
  if (!tool.quiet() && isatty(STDERR_FILENO)) std::fputs(report.table().c_str(), stderr);
  const auto missed = report.missed(settings.targets);
  for (const auto& sentence : missed) tool.warn(sentence);
  if (!missed.empty()) return ExitStatus::no;
  return heard->rejected == 0 ? ExitStatus::done : ExitStatus::bad_data;
}

void declare_protocol(Tool& tool, Settings& settings)
{
  tool.option("--test", settings.test_files, "FILE", "ask about the events of this file, and learn from the others (repeatable)");
  tool.parsed("--split", "TIME", "ask about what happened from this moment on: RFC 3339, or ms since 1970",
              [&](const std::string& text) { return parse_time(text, settings.split); });
  tool.option("--test-share", settings.test_share, "SHARE",
              "without --test and --split: ask about this last share of the time span");
  tool.flag("--prequential", settings.prequential,
            "ask at every click of the test range and learn it then, instead of learning none of it");
  tool.option("--learn", settings.learn, "on|off", "whether the test range is learned: on is --prequential, and off the default",
              {{"on", Learn::on}, {"off", Learn::off}});
  tool.option("--asked", settings.asked, "WHEN",
              "prequential: just before the click is learned, right after the one before it, or both",
              {{"before", Asked::before}, {"after", Asked::after}, {"both", Asked::both}});
  tool.option("--baskets", settings.baskets, "KIND",
              "judge complements: hold out each item of the test range's orders, or of what sessions put into the cart and bought",
              {{"none", BasketKind::none}, {"orders", BasketKind::orders}, {"sessions", BasketKind::sessions}});
  tool.option("--min-gap", settings.min_gap, "TIME",
              "a click less than this after the one before it in its session is learned, not asked for");
  tool.option("--every", settings.probes.every, "N", "ask one question in so many").range(1, 1'000'000'000);
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool("attune-evaluate", "measure recommendations on events that have happened", std::string(kExamples));
  Settings settings;
  settings.evaluate.threads = std::max(1U, std::thread::hardware_concurrency());
  settings.events.declare(tool);
  declare_protocol(tool, settings);
  tool.option("-k,--list", settings.evaluate.k, "K", "length of a list").range(1, 500);
  tool.option("--source", settings.sources, "NAME", "ask this source alone too, beside all of them together (repeatable)");
  tool.option("--compare", settings.compared, "FILE", "ask a model with the options of this TOML file too (repeatable)");
  declare_model_options(tool, settings.model);
  tool.parsed("--fail-below", "METRIC=X,...", "exit 1 where the first configuration misses one: mrr=0.25, hr.diff=-0.003",
              [&](const std::string& text) -> Status {
                auto targets = parse_targets(text);
                if (!targets) return targets.error();
                settings.targets = *targets;
                return {};
              });
  tool.option("--draws", settings.report.bootstrap.draws, "N", "samples an interval is made from").range(1, 1'000'000);
  tool.option("--seed", settings.report.bootstrap.seed, "N", "of --every and of the intervals");
  tool.option("--workers", settings.evaluate.threads, "N", "threads; the figures do not depend on it").range(1, 256);
  tool.operands("FILE", settings.files, "events, instead of standard input");
  declare_libraries(tool);
  return tool.run(argc, argv, [&] {
    settings.probes.seed = settings.report.bootstrap.seed;
    return run(tool, settings);
  });
}
