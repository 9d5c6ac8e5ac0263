// RuleBook: the inside of a Rules: what a rules file says, and what of it is for each slot. core/rules_toml.cc makes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/holdout.h"
#include "core/item_filter.h"
#include "core/offer.h"
#include "core/rule.h"
#include "core/segment.h"

namespace attune {

// All that is for one slot; rules by their numbers in the book, in the order of the file.
struct SlotRules {
  std::size_t most = 0; // items in an answer; 0: as many as are asked for
  double lambda = 1; // core/diversity.h
  FilterSettings filters;
  std::vector<std::uint32_t> boosts;
  std::vector<std::uint32_t> pins;
  std::vector<std::uint32_t> caps;
  std::vector<std::uint32_t> offers;
};

struct RuleBook {
  Segments segments;
  std::vector<std::string> priority; // of them, sorted
  Holdout holdout;
  std::vector<Boost> boosts; // and burials, in the order of the file
  std::vector<Pin> pins;
  std::vector<CategoryCap> caps;
  std::vector<Offer> offers;
  std::map<std::string, SlotRules, std::less<>> slots; // those that the file names
  SlotRules other_slots;

  [[nodiscard]] const SlotRules& of(std::string_view slot) const
  {
    const auto at = slots.find(slot);
    return at == slots.end() ? other_slots : at->second;
  }
};

// Reads a rules file; attune-rules(5) is the reference. All or nothing. Total on any bytes.
[[nodiscard]] Result<RuleBook> read_rules(std::string_view toml, std::string_view name);

} // namespace attune
