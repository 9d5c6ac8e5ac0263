#include "core/metrics.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"

namespace attune {

namespace {

constexpr std::array<std::string_view, kMetrics> kMetricNames{"hr", "mrr", "recall", "precision", "ndcg"};

double discount(std::size_t place)
{
  return 1 / std::log2(static_cast<double>(place + 2));
}

// SplitMix64 (Steele, Lea, Flood 2014): written out, because the standard library's distributions differ between implementations.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}

  // In [0, bound); the bias of the multiplication is under bound / 2^32, and there are fewer sessions than that.
  std::size_t below(std::size_t bound)
  {
    std::uint64_t z = (state_ += 0x9E37'79B9'7F4A'7C15U);
    z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9U;
    z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EBU;
    z ^= z >> 31;
    return static_cast<std::size_t>(((z >> 32) * bound) >> 32);
  }

 private:
  std::uint64_t state_;
};

// The sums of one session.
struct Cluster {
  std::array<double, kMetrics> sums{};
  double questions = 0;

  void add(const Cluster& other)
  {
    for (std::size_t m = 0; m < kMetrics; ++m) sums[m] += other.sums[m];
    questions += other.questions;
  }
};

// The sessions in the order their first question comes in, so that their numbers do not matter.
std::vector<Cluster> clustered(std::span<const Scores> scores, std::span<const std::uint32_t> clusters)
{
  constexpr std::uint32_t kNone = 0xFFFF'FFFF;
  std::vector<std::uint32_t> place(std::size_t{*std::max_element(clusters.begin(), clusters.end())} + 1, kNone);
  std::vector<Cluster> out;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    auto& at = place[clusters[i]];
    if (at == kNone) {
      at = static_cast<std::uint32_t>(out.size());
      out.emplace_back();
    }
    out[at].add({scores[i].values, 1});
  }
  return out;
}

// Nearest rank, in sorted values.
double quantile(const std::vector<double>& sorted, double share)
{
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

} // namespace

std::string_view metric_name(Metric metric)
{
  return kMetricNames[static_cast<std::size_t>(metric)];
}

std::optional<Metric> parse_metric(std::string_view name)
{
  for (std::size_t m = 0; m < kMetrics; ++m)
    if (kMetricNames[m] == name) return static_cast<Metric>(m);
  return std::nullopt;
}

Scores operator-(const Scores& a, const Scores& b)
{
  Scores out;
  for (std::size_t m = 0; m < kMetrics; ++m) out.values[m] = a.values[m] - b.values[m];
  return out;
}

Scores judge(const std::vector<bool>& relevant, std::optional<std::size_t> next, std::size_t rest, std::size_t k)
{
  ATTUNE_ASSERT(k > 0);
  Scores out;
  if (next) {
    out[Metric::hr] = 1;
    out[Metric::mrr] = 1 / static_cast<double>(*next + 1);
  }
  if (rest == 0) return out;
  double found = 0, gain = 0, best = 0;
  for (std::size_t i = 0; i < relevant.size(); ++i) {
    if (!relevant[i]) continue;
    ++found;
    gain += discount(i);
  }
  for (std::size_t i = 0; i < std::min(rest, k); ++i) best += discount(i);
  out[Metric::recall] = found / static_cast<double>(rest);
  out[Metric::precision] = found / static_cast<double>(k);
  out[Metric::ndcg] = gain / best;
  return out;
}

Estimates estimate(std::span<const Scores> scores, std::span<const std::uint32_t> clusters, const BootstrapOptions& options)
{
  ATTUNE_ASSERT(scores.size() == clusters.size() && options.draws > 0);
  Estimates out;
  if (scores.empty()) return out;
  const auto sessions = clustered(scores, clusters);
  Cluster all;
  for (const auto& session : sessions) all.add(session);

  std::array<std::vector<double>, kMetrics> means;
  Draws draws(options.seed);
  for (std::size_t draw = 0; draw < options.draws; ++draw) {
    Cluster sum;
    for (std::size_t i = 0; i < sessions.size(); ++i) sum.add(sessions[draws.below(sessions.size())]);
    for (std::size_t m = 0; m < kMetrics; ++m) means[m].push_back(sum.sums[m] / sum.questions);
  }
  for (std::size_t m = 0; m < kMetrics; ++m) {
    std::sort(means[m].begin(), means[m].end());
    out[m] = {all.sums[m] / all.questions, quantile(means[m], 0.025), quantile(means[m], 0.975)};
  }
  return out;
}

Exposure exposure(std::span<const std::uint64_t> shown, std::span<const std::uint64_t> clicks)
{
  ATTUNE_ASSERT(shown.size() == clicks.size());
  Exposure out;
  if (shown.empty()) return out;
  const auto most = static_cast<double>(*std::max_element(clicks.begin(), clicks.end()));
  std::vector<std::uint64_t> sorted(shown.begin(), shown.end());
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  double places = 0, popular = 0, spread = 0, items = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto times = static_cast<double>(sorted[i]);
    places += times;
    spread += (2 * static_cast<double>(i + 1) - n - 1) * times;
    if (sorted[i] > 0) ++items;
    popular += static_cast<double>(shown[i]) * static_cast<double>(clicks[i]);
  }
  if (places == 0) return out;
  out.coverage = items / n;
  out.popularity = most > 0 ? popular / most / places : 0;
  out.gini = spread / (n * places);
  return out;
}

double percentile(std::span<float> values, double share)
{
  if (values.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  const auto at = std::clamp<std::size_t>(rank, 1, values.size()) - 1;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

} // namespace attune
