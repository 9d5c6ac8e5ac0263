#include "pipeline/evaluation_report.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>

#include "core/canonical_json.h"

namespace attune {

namespace {

constexpr std::array<Metric, kMetrics> kAll{Metric::hr, Metric::mrr, Metric::recall, Metric::precision, Metric::ndcg};

const Estimate& of(const Estimates& estimates, Metric metric)
{
  return estimates[static_cast<std::size_t>(metric)];
}

std::string fixed(double number, int digits, const char* sign = "")
{
  char text[64];
  const std::string format = std::string("%") + sign + ".*f";
  const auto size = std::snprintf(text, sizeof text, format.c_str(), digits, number);
  return {text, static_cast<std::size_t>(size)};
}

void append_key(std::string_view key, std::string& out)
{
  if (out.back() != '{') out += ',';
  out += '"';
  out += key;
  out += "\":";
}

void append_estimates(const Estimates& estimates, std::string& out)
{
  for (const auto metric : kAll) {
    const auto& [value, low, high] = of(estimates, metric);
    append_key(metric_name(metric), out);
    out += "{\"value\":" + fixed(value, 5) + ",\"low\":" + fixed(low, 5) + ",\"high\":" + fixed(high, 5) + '}';
  }
}

void append_difference(const Figures& figures, const std::string& first, std::string& out)
{
  if (!figures.difference) return;
  append_key("difference", out);
  out += "{\"of\":";
  append_json_string(first, out);
  append_estimates(*figures.difference, out);
  out += '}';
}

// ".599 [.588,.610]"
std::string cell(const Estimate& estimate, const char* sign = "")
{
  return fixed(estimate.value, 4, sign) + " [" + fixed(estimate.low, 4, sign) + ',' + fixed(estimate.high, 4, sign) + ']';
}

std::string padded(std::string text, std::size_t width)
{
  // A byte that continues a UTF-8 character takes no column.
  const auto columns = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  if (columns < width) text.append(width - columns, ' ');
  return text;
}

// Each of the jobs once, on so many threads.
void share_out(std::size_t jobs, std::size_t threads, const std::function<void(std::size_t)>& job)
{
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (auto at = next++; at < jobs; at = next++) job(at);
  };
  std::vector<std::jthread> crew;
  for (std::size_t i = 1; i < std::min(threads, jobs); ++i) crew.emplace_back(work);
  work();
}

Figures figures_of(const std::vector<Answers>& runs, std::size_t entrant, const Evaluation& evaluation,
                   const BootstrapOptions& options)
{
  Figures figures;
  const auto& run = runs[entrant];
  figures.estimates = estimate(run.scores, evaluation.clusters, options);
  if (entrant > 0) {
    std::vector<Scores> differences;
    differences.reserve(run.scores.size());
    for (std::size_t q = 0; q < run.scores.size(); ++q) differences.push_back(runs[0].scores[q] - run.scores[q]);
    figures.difference = estimate(differences, evaluation.clusters, options);
  }
  auto times = run.microseconds;
  figures.p50_us = percentile(times, 0.5);
  figures.p99_us = percentile(times, 0.99);
  return figures;
}

} // namespace

Result<std::vector<Target>> parse_targets(std::string_view text)
{
  constexpr std::string_view kDifference = ".diff";
  std::vector<Target> targets;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const auto equals = part.find('=');
    auto name = part.substr(0, equals);
    Target target;
    target.difference = name.ends_with(kDifference);
    if (target.difference) name.remove_suffix(kDifference.size());
    const auto metric = parse_metric(name);
    const auto number = std::string(equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1));
    int read = 0;
    if (!metric || std::sscanf(number.c_str(), "%lf%n", &target.least, &read) != 1 ||
        static_cast<std::size_t>(read) != number.size())
      return Error{Code::usage, "not a target such as mrr=0.25 or hr.diff=-0.003: " + std::string(part)};
    target.metric = *metric;
    targets.push_back(target);
  }
  return targets;
}

EvaluationReport::EvaluationReport(const Evaluation& evaluation, std::vector<std::string> names, ReportOptions options)
    : evaluation_(evaluation), names_(std::move(names)), options_(std::move(options))
{
  auto sessions = evaluation.clusters;
  std::sort(sessions.begin(), sessions.end());
  sessions_ = static_cast<std::size_t>(std::unique(sessions.begin(), sessions.end()) - sessions.begin());
  before_.resize(evaluation.before.size());
  after_.resize(evaluation.after.size());
  share_out(before_.size() + after_.size(), options_.threads, [&](std::size_t job) {
    const bool is_after = job >= before_.size();
    const auto entrant = is_after ? job - before_.size() : job;
    const auto& runs = is_after ? evaluation_.after : evaluation_.before;
    (is_after ? after_ : before_)[entrant] = figures_of(runs, entrant, evaluation_, options_.bootstrap);
  });
}

const Answers& EvaluationReport::run(std::size_t entrant) const
{
  return (before_.empty() ? evaluation_.after : evaluation_.before)[entrant];
}

std::string EvaluationReport::json(std::size_t entrant) const
{
  const auto& asked = run(entrant);
  const auto& found = figures(entrant);
  std::string out = "{\"configuration\":";
  append_json_string(names_[entrant], out);
  append_key("protocol", out);
  append_json_string(options_.protocol, out);
  if (options_.protocol == "prequential") {
    append_key("asked", out);
    out += before_.empty() ? "\"after\"" : "\"before\"";
  }
  append_key("k", out);
  out += std::to_string(options_.k);
  append_key("questions", out);
  out += std::to_string(questions());
  append_key("sessions", out);
  out += std::to_string(sessions_);
  append_key("unknown", out);
  out += std::to_string(asked.unknown);
  append_estimates(found.estimates, out);
  append_key("coverage", out);
  out += fixed(asked.exposure.coverage, 5);
  append_key("popularity", out);
  out += fixed(asked.exposure.popularity, 5);
  append_key("gini", out);
  out += fixed(asked.exposure.gini, 5);
  append_key("taught", out);
  out += fixed(asked.taught, 5);
  append_key("us", out);
  out += "{\"p50\":" + fixed(found.p50_us, 1) + ",\"p99\":" + fixed(found.p99_us, 1) + '}';
  append_difference(found, names_[0], out);
  if (!before_.empty() && !after_.empty()) {
    append_key("after", out);
    out += '{';
    append_estimates(after_[entrant].estimates, out);
    append_difference(after_[entrant], names_[0], out);
    out += '}';
  }
  return out + '}';
}

std::string EvaluationReport::table() const
{
  std::size_t width = 13;
  for (const auto& name : names_) width = std::max(width, std::min<std::size_t>(name.size(), 40));
  const auto k = "@" + std::to_string(options_.k);
  std::string out = options_.protocol + ": " + std::to_string(questions()) + " questions in " + std::to_string(sessions_) +
                    (options_.protocol == "baskets" ? " baskets" : " sessions") + ", 95 % intervals\n";
  out += padded("configuration", width) + padded("  hr" + k, 26) + padded("mrr" + k, 24) + padded("recall", 8) +
         padded("precis.", 8) + padded("ndcg", 8) + padded("covers", 8) + padded("popular", 8) + padded("gini", 8) + "µs p50/p99\n";
  const auto line = [&](const std::string& name, const Figures& found, const Answers& asked) {
    out += padded(name, width) + "  " + padded(cell(of(found.estimates, Metric::hr)), 24) +
           padded(cell(of(found.estimates, Metric::mrr)), 24);
    for (const auto metric : {Metric::recall, Metric::precision, Metric::ndcg})
      out += padded(fixed(of(found.estimates, metric).value, 4), 8);
    for (const auto value : {asked.exposure.coverage, asked.exposure.popularity, asked.exposure.gini})
      out += padded(fixed(value, 4), 8);
    out += fixed(found.p50_us, 0) + '/' + fixed(found.p99_us, 0) + '\n';
  };
  for (std::size_t e = 0; e < names_.size(); ++e) {
    line(names_[e], figures(e), run(e));
    if (!before_.empty() && !after_.empty()) line("  asked after", after_[e], evaluation_.after[e]);
  }
  for (std::size_t e = 1; e < names_.size(); ++e) {
    const auto& difference = *figures(e).difference;
    out += padded(names_[0] + " - " + names_[e], width) + "  " + padded(cell(of(difference, Metric::hr), "+"), 27) +
           cell(of(difference, Metric::mrr), "+") + '\n';
  }
  return out;
}

std::vector<std::string> EvaluationReport::missed(const std::vector<Target>& targets) const
{
  std::vector<std::string> out;
  for (const auto& [metric, difference, least] : targets) {
    const std::string name(metric_name(metric));
    if (!difference) {
      const auto value = of(figures(0).estimates, metric).value;
      if (value < least) out.push_back(names_[0] + ": " + name + " is " + fixed(value, 5) + ", below " + fixed(least, 5));
      continue;
    }
    for (std::size_t e = 1; e < names_.size(); ++e) {
      const auto& found = of(*figures(e).difference, metric);
      if (found.high < least)
        out.push_back(names_[0] + " - " + names_[e] + ": " + name + " is " + cell(found, "+") + ", all of it below " +
                      fixed(least, 5));
    }
  }
  return out;
}

} // namespace attune
