// Condition: data that says when a rule holds: a field, a comparison, a value; and all, any and not over conditions. There is no
// scripting. attune-rules(5) is the reference of the fields; core/rules_toml.cc reads them.
//
// One number type for everything that is compared: whole numbers; money and weights in millionths; durations and times of day in
// milliseconds. So no comparison rounds. Pure, immutable once read; may be shared between threads.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/asker.h"
#include "core/catalog.h"
#include "core/money.h"

namespace attune {

enum class Fact : std::uint8_t {
  // of the customer
  spend,
  count,
  events,
  first_seen,
  last_seen,
  since_purchase,
  cart_lines,
  cart_quantity,
  cart_value,
  cart_item,
  cart_category,
  cart_tag,
  affinity,
  top_category,
  consent,
  segment,
  customer,
  // of the request
  slot,
  page_item,
  page_category,
  page_tag,
  time,
  weekday,
  // of an item
  item,
  item_name,
  item_category,
  item_tag,
  item_price,
  item_stock,
  item_expires_in,
  item_listed,
  item_accessory_of,
};
inline constexpr std::size_t kFacts = static_cast<std::size_t>(Fact::item_accessory_of) + 1;

enum class FactScope : std::uint8_t { customer, request, item };
enum class FactKind : std::uint8_t { text, whole, millionths, duration, time_of_day, flag };

struct FactRules {
  Fact fact;
  std::string_view name; // "cart.value"
  FactScope scope;
  FactKind kind;
  std::string_view keys; // what a test may say besides, "currency!": it must
};
[[nodiscard]] const FactRules& fact_rules(Fact fact);
[[nodiscard]] std::optional<Fact> fact_named(std::string_view name);

enum class Comparison : std::uint8_t { is, is_not, starts_with, contains, between, exists, absent };

struct Test {
  Fact fact = Fact::events;
  Comparison comparison = Comparison::exists;
  // What the field is asked about.
  Currency currency;
  std::string of; // a type of event, a category or an item
  std::optional<Milliseconds> within;
  // What it is compared with.
  std::vector<std::string> texts; // sorted
  std::vector<std::int64_t> numbers; // is, is_not
  std::int64_t low = std::numeric_limits<std::int64_t>::min(); // between; both included
  std::int64_t high = std::numeric_limits<std::int64_t>::max();
  std::vector<std::size_t> segments; // for Fact::segment, in place of texts
  friend bool operator==(const Test&, const Test&) = default;
};

struct Condition {
  enum class Kind : std::uint8_t { test, all, any, none }; // none: `not`, of one part
  Kind kind = Kind::all; // all of nothing holds
  Test test;
  std::vector<Condition> parts;
  friend bool operator==(const Condition&, const Condition&) = default;
};

// The item a condition is asked about.
struct Shown {
  const ItemId* item = nullptr;
  const CatalogItem* known = nullptr; // null: the catalog does not know it
};

// A field without a value (no price, no purchase, nobody known) fails every comparison but is_not and `exists = false`. A field of
// many values (categories, tags, the cart's items) is what any of them is, and is_not what none is.
// REQUIRES: a condition on an item is asked with one.
// Cost: some ns a test of an item; of a customer once what core/asker.h computes, then the same.
[[nodiscard]] bool holds(const Condition& condition, Asker& asker, Shown shown = {});

// Whether the condition holds for this item whoever asks and whatever the catalog says: what can be known when rules are read.
[[nodiscard]] bool always_holds(const Condition& condition, const ItemId& item);
// Whether it reads the customer at all.
[[nodiscard]] bool reads_customer(const Condition& condition);

} // namespace attune
