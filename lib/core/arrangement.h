// Arrangement: the list that is shown, made of the ranked candidates: pins and offers at their places, the rest by score and diversity
// (core/diversity.h), and nothing that a filter refuses or a category cap has no room for, whoever placed it.
//
// In this order: pins as the file has them; offers as the file has them, where the place is free; the other places from the first on.
// Where there are too few items the list is shorter and what stands behind a gap moves up. Deterministic.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/diversity.h"
#include "core/item_filter.h"
#include "core/offer.h"
#include "core/rule.h"

namespace attune {

struct Arranged {
  const ItemId* item = nullptr;
  const CatalogItem* known = nullptr;
  std::optional<std::size_t> ranked; // its place in the ranked list, if it is of it
  double score = 0; // as ranked; of an item that is not in the ranked list 0, a sum of nothing
  const Rule* rule = nullptr; // the pin or offer that put it here; null: its score
  const Offer* offer = nullptr; // the same, when it is an offer: to be counted in the ledger
  // What the pin or offer says, or "put here by the pin `spring`"; empty for one that its score put here.
  [[nodiscard]] std::string sentence() const;
};

// What is not there, for --why-not.
struct LeftOut {
  std::size_t ranked = 0;
  Refusal refusal; // Filter::category_cap
};
struct NotPlaced {
  const Rule* rule = nullptr; // a pin or an offer of this slot
  std::string reason; // "place 2 is taken by `spring`"
};

struct Arrangement {
  std::vector<Arranged> items;
  std::vector<LeftOut> left_out; // both filled when `why`
  std::vector<NotPlaced> not_placed;
};

// The rules in force, in the order of the file.
struct ArrangementRules {
  std::vector<const Pin*> pins;
  std::vector<const Offer*> offers;
  std::vector<const CategoryCap*> caps;
  double lambda = 1;
  bool why = false;
};

// REQUIRES: `ranked` in order of falling score, each item once, none refused by `filter`.
// Cost: O(n + ranked) and that of diversity; a pin or an offer looks its item up in `ranked` from the front.
[[nodiscard]] Arrangement arrange(std::span<const RankedItem> ranked, std::size_t n, const ArrangementRules& rules,
                                  ItemFilter& filter, const Catalog& catalog);

// How many of a list of n are chosen from, when diversity counts.
[[nodiscard]] constexpr std::size_t diversity_pool(std::size_t n)
{
  return n * 5 > 50 ? n * 5 : 50;
}

} // namespace attune
