// Sequences: what came after the items of the asking session, before them and with them, in all sessions (core/item_pairs.h), as
// columns of the candidates:
//
//   fast, faster, slow   decayed sums as of the last item's newest transition
//   after, next          raw sums; together, cosine: co-occurrence, and over the root of both supports; before: the reverse
//   session              `after` of the last five items, each as a share of its transitions, times exp(-0.7 place)
//
// Pure. Cost: O(partners of the last five items), at most 512 each.
#pragma once

#include <span>

#include "core/candidates.h"
#include "core/item_pairs.h"
#include "core/item_table.h"
#include "core/neighbours.h"

namespace attune {

void add_sequences(std::span<const Asked> asked, ItemNumber last, const ItemPairs& pairs, const ItemTable& items,
                   Candidates& candidates);

} // namespace attune
