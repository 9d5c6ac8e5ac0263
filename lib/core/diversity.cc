#include "core/diversity.h"

#include "base/assert.h"

namespace attune {
namespace {

double jaccard(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b)
{
  std::size_t common = 0;
  for (auto left = a.begin(), right = b.begin(); left != a.end() && right != b.end();) {
    if (*left == *right) {
      ++common;
      ++left;
      ++right;
    } else if (*left < *right) {
      ++left;
    } else {
      ++right;
    }
  }
  const std::size_t all = a.size() + b.size() - common;
  return all == 0 ? 0 : static_cast<double>(common) / static_cast<double>(all);
}

} // namespace

Diversity::Diversity(std::span<const Ranked> ranked, double lambda, std::size_t pool)
    : ranked_(ranked), lambda_(lambda), pool_(pool)
{
  ATTUNE_ASSERT(lambda >= 0 && lambda <= 1 && pool > 0);
  if (lambda_ < 1) compared_.resize(ranked.size());
}

Diversity::Features Diversity::features_of(const CatalogItem* known)
{
  Features features;
  if (known == nullptr) return features;
  // Even numbers are categories, odd ones tags, so that a word may be both.
  const auto number = [](auto& numbers, std::string_view word, std::uint32_t odd) {
    return numbers.try_emplace(word, static_cast<std::uint32_t>(numbers.size()) * 2 + odd).first->second;
  };
  features.reserve(known->categories.size() + known->tags.size());
  for (const auto& category : known->categories) features.push_back(number(categories_, category, 0));
  for (const auto& tag : known->tags) features.push_back(number(tags_, tag, 1));
  std::sort(features.begin(), features.end());
  features.erase(std::unique(features.begin(), features.end()), features.end());
  return features;
}

void Diversity::place(const CatalogItem* known)
{
  if (lambda_ < 1) placed_.push_back(features_of(known));
}

double Diversity::marginal_relevance(std::size_t at)
{
  auto& compared = compared_[at];
  if (!compared.read) {
    compared.features = features_of(ranked_[at].known);
    compared.read = true;
  }
  for (; compared.with < placed_.size(); ++compared.with)
    compared.similarity = std::max(compared.similarity, jaccard(compared.features, placed_[compared.with]));

  const double top = ranked_.front().score;
  const double bottom = ranked_[std::min(pool_, ranked_.size()) - 1].score;
  const double relevance = top > bottom ? std::clamp((ranked_[at].score - bottom) / (top - bottom), 0.0, 1.0) : 1;
  return lambda_ * relevance - (1 - lambda_) * compared.similarity;
}

} // namespace attune
