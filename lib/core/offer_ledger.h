// OfferLedger: what offers have used up of their budgets (core/offer.h), by the offer's name; one that is missing has used nothing.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace attune {

// What is used up of a budget, or all of it.
struct OfferUse {
  std::uint64_t impressions = 0;
  std::uint64_t redemptions = 0;
  friend bool operator==(const OfferUse&, const OfferUse&) = default;
};
using OfferLedger = std::map<std::string, OfferUse, std::less<>>;

} // namespace attune
