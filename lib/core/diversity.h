// Diversity: maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998) over a ranked list. The next item is the one of greatest
//
//     lambda · relevance − (1 − lambda) · (its greatest similarity to an item that has a place)
//
// Relevance is the score, scaled so that the best of the list has 1 and the last of the pool 0. Similarity of two items is the Jaccard
// index of their categories and tags; items that the catalog tells nothing of resemble nothing. Lambda 1 is the list's own order.
//
// Not synchronized; lives for one answer. Cost: for a list of n from a pool of p some 10 ns · n · p, and one look-up a category or tag
// of the pool; nothing with lambda 1.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "core/catalog.h"

namespace attune {

// A candidate, in order of falling score.
struct RankedItem {
  const ItemId* item = nullptr;
  const CatalogItem* known = nullptr; // null: the catalog does not know it
  double score = 0;
};

class Diversity {
 public:
  // Looks at the first `pool` candidates that may be chosen. REQUIRES: 0 <= lambda <= 1, pool > 0; `ranked` outlives it.
  Diversity(std::span<const RankedItem> ranked, double lambda, std::size_t pool);

  // An item that has got a place.
  void place(const CatalogItem* known);

  // The next by marginal relevance of those that are `open`; equal ones in the list's order.
  template <class Open>
  [[nodiscard]] std::optional<std::size_t> best(const Open& open)
  {
    std::optional<std::size_t> best;
    double best_value = 0;
    std::size_t looked_at = 0;
    for (std::size_t i = first_; i < ranked_.size() && looked_at < pool_; ++i) {
      if (!open(i)) {
        if (i == first_) ++first_; // what is closed stays closed
        continue;
      }
      if (lambda_ == 1) return i;
      ++looked_at;
      const double value = marginal_relevance(i);
      if (best && value <= best_value) continue;
      best = i;
      best_value = value;
    }
    return best;
  }

 private:
  struct Features {
    std::vector<std::uint32_t> numbers; // sorted
    std::uint64_t bits = 0; // of the numbers modulo 64: two without a common bit have nothing in common
  };
  struct Compared {
    bool read = false;
    Features features;
    std::size_t with = 0; // the first so many of placed_
    double similarity = 0; // the greatest so far
  };

  [[nodiscard]] static double similarity(const Features& a, const Features& b);
  [[nodiscard]] Features features_of(const CatalogItem* known);
  [[nodiscard]] double marginal_relevance(std::size_t at);

  std::span<const RankedItem> ranked_;
  double lambda_;
  std::size_t pool_;
  std::size_t first_ = 0; // none before it is open
  std::vector<Compared> compared_; // beside ranked_; empty with lambda 1
  std::vector<Features> placed_;
  std::unordered_map<std::string_view, std::uint32_t> categories_;
  std::unordered_map<std::string_view, std::uint32_t> tags_;
};

} // namespace attune
