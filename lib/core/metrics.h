// Metrics: what lists of recommendations were worth, and how sure that is.
//
// A question is asked after a click and answered with a list of at most k items; what its session did next is the truth.
//   hr         hit rate: the next item is in the list
//   mrr        1 / its place there, 0 when it is not: the mean reciprocal rank
//              (both as Hidasi et al., "Session-based recommendations with recurrent neural networks", ICLR 2016, arXiv 1511.06939)
//   recall     share of the rest of the session that is in the list
//   precision  share of the k places that hold an item of the rest of the session
//   ndcg       gain 1 for an item of the rest of the session, discount 1 / log2(place + 1), over the same of the best order there is
//              (Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4), 2002)
// "The rest of the session" are its distinct items from the next one on, without the item just clicked, which no list shows (Ludewig et
// al., "Empirical analysis of session-based recommendation algorithms", UMUAI 2021, arXiv 1910.12781; coverage and popularity too).
//
// Intervals: the percentile bootstrap (Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapters 8 and 13) over sessions: the
// questions of one session are not independent, so they are drawn together (Field and Welsh, "Bootstrapping clustered data", JRSS B 2007).
//
// Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace attune {

inline constexpr std::size_t kMetrics = 5;
enum class Metric : std::uint8_t { hr = 0, mrr = 1, recall = 2, precision = 3, ndcg = 4 };
[[nodiscard]] std::string_view metric_name(Metric metric);
[[nodiscard]] std::optional<Metric> parse_metric(std::string_view name);

// One value for each metric.
struct Scores {
  std::array<double, kMetrics> values{};

  [[nodiscard]] double& operator[](Metric metric) { return values[static_cast<std::size_t>(metric)]; }
  [[nodiscard]] double operator[](Metric metric) const { return values[static_cast<std::size_t>(metric)]; }
  friend bool operator==(const Scores&, const Scores&) = default;
};
[[nodiscard]] Scores operator-(const Scores& a, const Scores& b);

// What one list was worth. `relevant`, for each item of the list in its order: whether it is of the rest of the session. `next`: the place of the
// next item in the list, from 0; none: it is not there. `rest`: how many items the rest of the session has. REQUIRES: k > 0.
[[nodiscard]] Scores judge(const std::vector<bool>& relevant, std::optional<std::size_t> next, std::size_t rest, std::size_t k);

struct Estimate {
  double value = 0; // the mean over the questions
  double low = 0, high = 0; // 95 %
};
using Estimates = std::array<Estimate, kMetrics>;

struct BootstrapOptions {
  std::size_t draws = 1000;
  std::uint64_t seed = 1;
};

// The means of the questions' scores and their intervals. `clusters`: the session of each question. The same input gives the same
// intervals, bit for bit. For a difference give the differences, question by question. All zero without questions.
// Cost: O(questions + draws × sessions). REQUIRES: as many clusters as scores; draws > 0.
[[nodiscard]] Estimates estimate(std::span<const Scores> scores, std::span<const std::uint32_t> clusters,
                                 const BootstrapOptions& options = {});

// What all lists together show of the catalogue.
struct Exposure {
  double coverage = 0; // share of the catalogue that was in some list
  double popularity = 0; // mean popularity of what was shown: clicks of the item / clicks of the most clicked one
  double gini = 0; // 0: every item is shown as often; towards 1: a few items have all places
};
// `shown`, `clicks`: for each item of the catalogue. All zero for an empty catalogue, or when nothing was shown.
// Gini over the whole catalogue, items that were never shown included (Fleder and Hosanagar, "Blockbuster culture's next rise or fall",
// Management Science 55(5), 2009). Cost: O(n log n). REQUIRES: equal sizes.
[[nodiscard]] Exposure exposure(std::span<const std::uint64_t> shown, std::span<const std::uint64_t> clicks);

// The smallest value that at least `share` of the values do not exceed (nearest rank); 0 when there is none. Reorders `values`.
[[nodiscard]] double percentile(std::span<float> values, double share);

} // namespace attune
