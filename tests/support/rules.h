// Rules from a text, and someone who asks: what tests of rules begin with.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/rules.h"
#include "support/profile_builders.h"

namespace attune::testing {

inline Rules rules_of(std::string_view toml)
{
  auto rules = Rules::parse(toml, "rules.toml");
  BOOST_REQUIRE_MESSAGE(rules.ok(), (rules ? "" : rules.error().message));
  return *std::move(rules);
}

// Why the text is no rules file; empty when it is one.
inline std::string fault_of(std::string_view toml)
{
  const auto rules = Rules::parse(toml, "r");
  if (rules) return "";
  BOOST_TEST((rules.error().code == Code::config));
  return rules.error().message;
}

inline Catalog catalog_of(std::initializer_list<std::string_view> lines)
{
  Catalog catalog;
  for (const auto line : lines) {
    auto item = parse_catalog_item(line);
    BOOST_REQUIRE_MESSAGE(item.ok(), line);
    catalog.put(*std::move(item));
  }
  return catalog;
}

struct Asked {
  Profile profile = a_profile();
  Catalog catalog;
  Slot slot{"home"};
  ItemId page;
  std::vector<ItemId> seen;
  Timestamp now{kNoon};
  bool known = true; // whether there is a profile

  [[nodiscard]] Occasion occasion() const
  {
    return {known ? &profile : nullptr, &catalog, known ? profile.customer : CustomerId(), slot, page, seen, now};
  }
};

inline std::string refusal_of(const Rules& rules, const Asked& asked, std::string_view item, const OfferLedger* ledger = nullptr)
{
  AppliedRules applied(rules, asked.occasion(), ledger);
  const ItemId id(item);
  const auto refusal = applied.refuses(id, asked.catalog.find(id));
  return refusal ? std::string(refusal->name()) + ": " + refusal->sentence() : "";
}

// Candidates of falling score: the first has as many points as there are names.
struct RankedItems {
  std::vector<ItemId> items;
  std::vector<RankedItem> ranked;

  RankedItems(const Catalog& catalog, std::vector<std::string> names, double step = 1)
  {
    for (auto& name : names) items.emplace_back(std::move(name));
    for (std::size_t i = 0; i < items.size(); ++i)
      ranked.push_back({&items[i], catalog.find(items[i]), step * static_cast<double>(items.size() - i)});
  }
};

inline std::string names_of(const Arrangement& arrangement)
{
  std::string names;
  for (const auto& item : arrangement.items) names.append(names.empty() ? "" : " ").append(item.item->text);
  return names;
}

// What is shown of these candidates, in their order, once those refused are out: "a b c".
inline std::string shown_of(const Rules& rules, const Asked& asked, std::vector<std::string> names, std::size_t n = 10,
                            const OfferLedger* ledger = nullptr)
{
  AppliedRules applied(rules, asked.occasion(), ledger);
  std::erase_if(names, [&](const std::string& name) {
    const ItemId id(name);
    return applied.refuses(id, asked.catalog.find(id)).has_value();
  });
  const RankedItems candidates(asked.catalog, std::move(names));
  return names_of(applied.arrange(candidates.ranked, n));
}

} // namespace attune::testing
