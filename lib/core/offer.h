// Offer: an item (or one of a set) that is put at a place of a slot to those whom its conditions choose, as long as its budget lasts,
// no customer sees it too often, and outside a holdout of its own. The [[offer]] of a rules file.
//
// What an offer has used up is state, and state is an argument: whoever serves answers counts the impressions that carry the offer's
// name and the orders that redeem it into an OfferLedger and passes it in. Pure; immutable once read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/asker.h"
#include "core/holdout.h"
#include "core/rule.h"

namespace attune {

// What is used up of a budget, or all of it.
struct OfferUse {
  std::uint64_t impressions = 0;
  std::uint64_t redemptions = 0;
};
using OfferLedger = std::map<std::string, OfferUse, std::less<>>; // by the offer's name; one that is missing has used nothing

struct Offer {
  Rule rule;
  std::vector<ItemId> items; // at least one; the one ranked best is shown, else the first that may be
  std::size_t place = 1; // counted from 1
  std::optional<std::uint64_t> impressions; // the budget
  std::optional<std::uint64_t> redemptions;
  std::optional<std::uint32_t> per_customer; // impressions of any of its items that the profile keeps (30 days, 64 impressions)
  std::optional<std::uint32_t> per_day; // the same, within 24 hours
  Holdout holdout;
};

// Why the offer is not for this asker, as a sentence; nothing when it is. `ledger` may be null: nothing is used up.
[[nodiscard]] std::optional<std::string> refuses(const Offer& offer, Asker& asker, const OfferLedger* ledger, bool held_out);

} // namespace attune
