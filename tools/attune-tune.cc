// attune-tune: a search for the options of a model that suit a shop's own events.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "core/canonical_json.h"
#include "event_source.h"
#include "model_settings.h"
#include "pipeline/evaluation_report.h"
#include "pipeline/model_contender.h"
#include "service/config.h"
#include "service/progress.h"
#include "service/signals.h"

namespace attune {
namespace {

constexpr std::string_view kExamples =
    "Examples:\n"
    "  attune-tune -o tuned.toml < events.ndjson\n"
    "  attune-tune --log file:///var/lib/attune/log --trials 60 -o tuned.toml\n"
    "  attune-evaluate --prequential --compare tuned.toml events.ndjson\n";

struct Settings {
  EventSource events;
  std::vector<std::string> files;
  std::optional<Timestamp> split;
  double test_share = 0.1, validation_share = 0.1;
  std::size_t trials = 30;
  Metric goal = Metric::mrr;
  ModelOptions model;
  ProbeOptions probes;
  Milliseconds min_gap{0};
  EvaluateOptions evaluate;
  BootstrapOptions bootstrap;
  std::string output;
};

// One set of options, and what came of it.
struct Trial {
  TrialSettings settings;
  ModelOptions options;
  Estimates estimates, gain; // gain: over the options the search began with
};

const Estimate& of(const Estimates& estimates, Metric metric)
{
  return estimates[static_cast<std::size_t>(metric)];
}

void append_estimate(std::string_view key, const Estimate& estimate, std::string& out)
{
  char text[160];
  std::snprintf(text, sizeof text, ",\"%.*s\":{\"value\":%.5f,\"low\":%.5f,\"high\":%.5f}", static_cast<int>(key.size()),
                key.data(), estimate.value, estimate.low, estimate.high);
  out += text;
}

bool is_number(const std::string& text)
{
  return text.find_first_not_of("0123456789.") == std::string::npos;
}

void append_settings(const TrialSettings& settings, std::string& out)
{
  out += ",\"options\":{";
  for (const auto& [key, value] : settings) {
    if (out.back() != '{') out += ',';
    append_json_string(key, out);
    out += ':';
    if (is_number(value))
      out += value;
    else
      append_json_string(value, out);
  }
  out += '}';
}

std::string json(const Trial& trial, std::size_t number)
{
  std::string out = "{\"trial\":" + std::to_string(number);
  append_settings(trial.settings, out);
  for (const auto metric : {Metric::hr, Metric::mrr, Metric::ndcg})
    append_estimate(metric_name(metric), of(trial.estimates, metric), out);
  if (number > 0)
    for (const auto metric : {Metric::hr, Metric::mrr})
      append_estimate(std::string(metric_name(metric)) + ".gain", of(trial.gain, metric), out);
  return out + '}';
}

// Asks trials in groups of as many as there are threads, so that each can be told when it is known.
class Search {
 public:
  Search(Tool& tool, const Settings& settings, const LessonStream& lessons, const Probes& probes, std::vector<Trial> trials)
      : tool_(tool), settings_(settings), lessons_(lessons), probes_(probes), trials_(std::move(trials))
  {
  }

  Status run()
  {
    const auto group = std::max<std::size_t>(settings_.evaluate.threads, 1);
    for (std::size_t first = 0; first < trials_.size(); first += group)
      if (auto asked = ask(first, std::min(group, trials_.size() - first)); !asked) return asked;
    return {};
  }
  // The best by the goal, where it is better than the beginning beyond doubt; else the beginning.
  [[nodiscard]] std::size_t recommended() const
  {
    std::size_t best = 0;
    for (std::size_t t = 1; t < trials_.size(); ++t)
      if (of(trials_[t].gain, settings_.goal).low > 0 &&
          of(trials_[t].gain, settings_.goal).value > of(trials_[best].gain, settings_.goal).value)
        best = t;
    return best;
  }
  [[nodiscard]] const std::vector<Trial>& trials() const { return trials_; }

 private:
  Status ask(std::size_t first, std::size_t count)
  {
    std::vector<ModelEntry> entries;
    for (std::size_t t = first; t < first + count; ++t) entries.push_back({std::to_string(t), trials_[t].options, Source::blend});
    auto options = settings_.evaluate;
    Progress progress("steps", !tool_.quiet());
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
      const auto part = double(done) / double(std::max<std::uint64_t>(total, 1));
      progress.update(done, (double(first) + part * double(count)) / double(trials_.size()));
    };
    auto found = evaluate_prequential(lessons_, probes_, model_lineup(entries), options);
    // Half a search recommends nothing, and must not look like success.
    if (!found) return Error{Code::busy, found.error().message};
    if (first == 0) beginning_ = found->before[0].scores;
    for (std::size_t t = first; t < first + count; ++t) {
      auto scores = std::move(found->before[t - first].scores);
      trials_[t].estimates = estimate(scores, found->clusters, settings_.bootstrap);
      for (std::size_t q = 0; q < scores.size(); ++q) scores[q] = scores[q] - beginning_[q];
      trials_[t].gain = estimate(scores, found->clusters, settings_.bootstrap);
      if (auto told = tool_.out().line(json(trials_[t], t)); !told) return told;
    }
    return tool_.out().flush();
  }

  Tool& tool_;
  const Settings& settings_;
  const LessonStream& lessons_;
  const Probes& probes_;
  std::vector<Trial> trials_;
  std::vector<Scores> beginning_;
};

Result<std::vector<Trial>> trials_of(const Settings& settings)
{
  std::vector<Trial> trials{{tuned_settings(settings.model), settings.model, {}, {}}};
  const auto seed = settings.bootstrap.seed;
  for (auto& drawn : draw_trials(tunable_settings(), settings.trials - 1, seed, trials.front().settings)) {
    auto options = with_settings(settings.model, drawn);
    if (!options) return options.error();
    trials.push_back({std::move(drawn), *options, {}, {}});
  }
  return trials;
}

// What the search may look at: everything before the test range.
Lessons training(const Lessons& all, const Settings& settings)
{
  if (all.size() == 0) return {};
  const auto first = all[0].time, last = all[all.size() - 1].time;
  const auto end = settings.split ? settings.split->ms
                                  : last - static_cast<std::int64_t>(static_cast<double>(last - first) * settings.test_share);
  Lessons out;
  for (std::size_t i = 0; i < all.size() && (all[i].time < end || (!settings.split && settings.test_share == 0)); ++i)
    out.add(all[i]);
  out.sort();
  return out;
}

std::string toml(const Trial& trial, std::size_t number, const Settings& settings, std::size_t questions)
{
  const std::string goal(metric_name(settings.goal));
  const auto& [value, low, high] = of(trial.gain, settings.goal);
  char said[200];
  if (number == 0)
    std::snprintf(said, sizeof said, "no trial was better in %s beyond doubt: as it was", goal.c_str());
  else
    std::snprintf(said, sizeof said, "trial %zu: %s %.4f, %+.4f [%+.4f,%+.4f]", number, goal.c_str(),
                  of(trial.estimates, settings.goal).value, value, low, high);
  std::string out = "# attune-tune: " + std::string(said) + ", on " + std::to_string(questions) + " questions\n";
  for (const auto& [key, text] : trial.settings) out += key + " = " + (is_number(text) ? text : toml_string(text)) + '\n';
  return out;
}

Result<ExitStatus> run(Tool& tool, Settings& settings)
{
  if (!settings.model.valid()) return Error{Code::usage, "the model's options: a time out of range"};
  if (!(settings.test_share >= 0 && settings.test_share < 1)) return Error{Code::usage, "--test-share: not from 0 to below 1"};
  if (!(settings.validation_share > 0 && settings.validation_share < 1))
    return Error{Code::usage, "--validation-share: not above 0 and below 1"};
  auto trials = trials_of(settings);
  if (!trials) return trials.error();
  Lessons heard;
  const auto read = settings.events.read(tool, settings.files, [&](const Event& event) { heard.add(event); });
  if (!read) return read.error();
  const auto refusals = heard.refusals();
  const auto lessons = training(in_order(std::move(heard), refusals), settings);

  const LessonStream stream(lessons);
  if (lessons.size() > 0) {
    const auto first = lessons[0].time, last = lessons[lessons.size() - 1].time;
    settings.probes.from =
        stream.place_of(last - static_cast<std::int64_t>(static_cast<double>(last - first) * settings.validation_share));
  }
  settings.probes.idle_ms = settings.model.idle.count();
  settings.probes.min_gap_ms = settings.min_gap.count();
  settings.probes.seed = settings.bootstrap.seed;
  const Probes probes(stream, settings.probes);
  if (probes.list().empty())
    return Error{Code::bad_data,
                 std::to_string(lessons.size()) + " clicks before the test range, and nothing to ask for at their end"};
  settings.evaluate.after = false;
  settings.evaluate.stop = stop_requested;
  Search search(tool, settings, stream, probes, std::move(*trials));
  if (auto searched = search.run(); !searched) return searched.error();

  const auto best = search.recommended();
  const auto text = toml(search.trials()[best], best, settings, probes.list().size());
  if (auto told = tool.out().line("{\"recommended\":" + std::to_string(best) + '}'); !told) return told.error();
  if (!settings.output.empty()) {
    std::ofstream file(settings.output, std::ios::binary | std::ios::trunc);
    if (!(file << text).flush()) return Error{Code::io, settings.output + ": can not be written"};
  }
  return read->rejected == 0 ? ExitStatus::done : ExitStatus::bad_data;
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool("attune-tune", "search for the options of a model that suit the events", std::string(kExamples));
  Settings settings;
  settings.evaluate.threads = std::max(1U, std::thread::hardware_concurrency());
  settings.events.declare(tool);
  tool.parsed("--split", "TIME", "what happened from this moment on is for a test, and not looked at: RFC 3339, or ms since 1970",
              [&](const std::string& text) { return parse_time(text, settings.split); });
  tool.option("--test-share", settings.test_share, "SHARE", "without --split: this last share of the time span is for a test");
  tool.option("--validation-share", settings.validation_share, "SHARE",
              "of what is left, trials are asked about this last share of the time");
  tool.option("--trials", settings.trials, "N", "how many sets of options to try, the present one first").range(1, 100'000);
  tool.option("--goal", settings.goal, "METRIC", "what is to become better",
              {{"mrr", Metric::mrr}, {"hr", Metric::hr}, {"recall", Metric::recall}, {"ndcg", Metric::ndcg}});
  tool.option("--min-gap", settings.min_gap, "TIME",
              "a click less than this after the one before it in its session is learned, not asked for");
  tool.option("--every", settings.probes.every, "N", "ask one question in so many").range(1, 1'000'000'000);
  tool.option("-k,--list", settings.evaluate.k, "K", "length of a list").range(1, 500);
  declare_model_options(tool, settings.model);
  tool.option("--draws", settings.bootstrap.draws, "N", "samples an interval is made from").range(1, 1'000'000);
  tool.option("--seed", settings.bootstrap.seed, "N", "of the trials, of --every and of the intervals");
  tool.option("--workers", settings.evaluate.threads, "N", "threads, each with a trial; the figures do not depend on it")
      .range(1, 256);
  tool.option("-o,--output", settings.output, "FILE", "where to write the options recommended, for --config and --compare");
  tool.operands("FILE", settings.files, "events, instead of standard input");
  declare_libraries(tool);
  return tool.run(argc, argv, [&] { return run(tool, settings); });
}
