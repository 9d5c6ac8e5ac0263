// Offer: an item (or one of a set) that is put at a place of a slot to those whom its conditions choose, as long as its budget lasts,
// no customer sees it too often, and outside a holdout of its own. The [[offer]] of a rules file.
//
// What an offer has used up is state, and state is an argument: an OfferLedger, which whoever follows the log keeps with note_use(). Pure;
// immutable once read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/asker.h"
#include "core/holdout.h"
#include "core/offer_ledger.h"
#include "core/rule.h"

namespace attune {

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

// Counts what the event uses up of the offer: an impression of one of its items, in one of its slots where the event says which; an
// order that holds one of them. REQUIRES: the event has a time.
void note_use(const Offer& offer, const Event& event, OfferUse& use);

} // namespace attune
