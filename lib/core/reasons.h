// Reasons: why an item was chosen, as contributions that sum to its score and sentences a shop can show.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog.h"
#include "core/model.h"
#include "core/ranking.h"

namespace attune {

struct Contribution {
  std::string source; // a group of features: "neighbours", "sequences", "popular", …
  double score = 0; // the contributions of an item sum to its score, exactly, in this order
  std::string sentence; // for people: "seen next to Aurora 5 in 12 of 40 similar visits"; empty when it speaks against the item
};

// Of the candidate at `place` of what propose() left in `work`. Each group that adds something, in their order.
[[nodiscard]] std::vector<Contribution> reasons_of(const Model& model, const Workspace& work, std::size_t place,
                                                   const Catalog& catalog);
// Of an item that only its popularity speaks for, with all or with the customers of these segments (rank_popular()).
[[nodiscard]] Contribution popular_reason(const Model& model, const Ranked& item, std::span<const std::string_view> segments = {});

} // namespace attune
