// EvaluationReport: what an evaluation says to people and to programs: a line of JSON for each configuration, a table, and which targets were
// missed. The first configuration is compared with each other one, question by question.
//
// Pure once made. Cost of making one: that of the intervals, shared out over the threads given.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/evaluate.h"

namespace attune {

// `mrr=0.25`: the first configuration's figure is at least this. `mrr.diff=-0.003`: the interval of its difference to no other configuration lies
// below this as a whole.
struct Target {
  Metric metric = Metric::mrr;
  bool difference = false;
  double least = 0;
};
// Several, with commas. ERRORS: usage, the reason alone.
Result<std::vector<Target>> parse_targets(std::string_view text);

struct ReportOptions {
  std::string protocol; // "frozen", "prequential", "baskets"
  std::size_t k = 20;
  BootstrapOptions bootstrap;
  std::size_t threads = 1;
};

// What is known of one configuration, asked one way.
struct Figures {
  Estimates estimates;
  std::optional<Estimates> difference; // the first configuration minus this one; none: it is the first
  double p50_us = 0, p99_us = 0;
};

class EvaluationReport {
 public:
  // `names`: of the entrants, in their order; at least one.
  EvaluationReport(const Evaluation& evaluation, std::vector<std::string> names, ReportOptions options);

  // One object, no newline. Figures are of the list asked for before the click where that was done; those of the other beside it under "after".
  [[nodiscard]] std::string json(std::size_t entrant) const;
  // Lines of at most 132 columns, each with its newline.
  [[nodiscard]] std::string table() const;
  // A sentence for each target that was missed.
  [[nodiscard]] std::vector<std::string> missed(const std::vector<Target>& targets) const;

  [[nodiscard]] std::size_t questions() const { return evaluation_.clusters.size(); }
  // Asked `before`, or the only way there is.
  [[nodiscard]] const Figures& figures(std::size_t entrant) const { return (before_.empty() ? after_ : before_)[entrant]; }

 private:
  [[nodiscard]] const Answers& run(std::size_t entrant) const;

  const Evaluation& evaluation_;
  std::vector<std::string> names_;
  ReportOptions options_;
  std::size_t sessions_ = 0;
  std::vector<Figures> before_, after_;
};

} // namespace attune
