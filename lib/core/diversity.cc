#include "core/diversity.h"

#include "base/assert.h"

namespace attune {

Diversity::Diversity(std::span<const RankedItem> ranked, double lambda, std::size_t pool)
    : ranked_(ranked), lambda_(lambda), pool_(pool)
{
  ATTUNE_ASSERT(lambda >= 0 && lambda <= 1 && pool > 0);
  if (lambda_ < 1) compared_.resize(ranked.size());
}

double Diversity::similarity(const Features& a, const Features& b)
{
  if ((a.bits & b.bits) == 0) return 0;
  std::size_t common = 0;
  for (auto left = a.numbers.begin(), right = b.numbers.begin(); left != a.numbers.end() && right != b.numbers.end();) {
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
  return static_cast<double>(common) / static_cast<double>(a.numbers.size() + b.numbers.size() - common);
}

Diversity::Features Diversity::features_of(const CatalogItem* known)
{
  Features features;
  if (known == nullptr) return features;
  // Even numbers are categories, odd ones tags, so that a word may be both.
  const auto number = [](auto& words, std::string_view word, std::uint32_t odd) {
    return words.try_emplace(word, static_cast<std::uint32_t>(words.size()) * 2 + odd).first->second;
  };
  auto& numbers = features.numbers;
  numbers.reserve(known->categories.size() + known->tags.size());
  for (const auto& category : known->categories) numbers.push_back(number(categories_, category, 0));
  for (const auto& tag : known->tags) numbers.push_back(number(tags_, tag, 1));
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  for (const auto each : numbers) features.bits |= std::uint64_t{1} << (each % 64);
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
    compared.similarity = std::max(compared.similarity, similarity(compared.features, placed_[compared.with]));

  const double top = ranked_.front().score;
  const double bottom = ranked_[std::min(pool_, ranked_.size()) - 1].score;
  const double relevance = top > bottom ? std::clamp((ranked_[at].score - bottom) / (top - bottom), 0.0, 1.0) : 1;
  return lambda_ * relevance - (1 - lambda_) * compared.similarity;
}

} // namespace attune
