// Rule: what every rule of a rules file has: a name, the slots and the dates it is for, and when it holds. Boosts, pins and category
// caps add a line or two to it here; offers have a file of their own. Immutable once read; may be shared between threads.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/asker.h"
#include "core/condition.h"

namespace attune {

struct Rule {
  std::string name; // unique among its kind: "phone-cases"; by default its place in the file: "boost[2]"
  std::size_t line = 0; // of the file
  std::vector<std::string> slots; // sorted; empty: every slot
  std::optional<Timestamp> from;
  std::optional<Timestamp> until; // from <= now < until
  std::optional<Condition> when; // on customer and request
  bool reads_customer = false; // `when`, or the condition on the item
  std::string say; // what a shop can show, may be empty
};

// Whether the dates and `when` hold. For customers in the holdout a rule that reads the customer does not.
[[nodiscard]] bool in_force(const Rule& rule, Asker& asker, bool held_out);
[[nodiscard]] bool is_for(const Rule& rule, std::string_view slot);
// Whether `earlier`, when both are for one slot, is in force whenever `later` is, as far as their text tells.
[[nodiscard]] bool covers(const Rule& earlier, const Rule& later);

// A boost, or a burial: the same the other way.
struct Boost {
  Rule rule;
  std::optional<Condition> item; // absent: every item
  std::optional<double> factor; // of the score
  double add = 0; // to the score, where there is no factor
};
// What it adds to a score: `add`, or what the factor makes of it. A score below 0 is divided by a boost's factor and grows by the
// burial's part, so that a boost lifts and a burial lowers it too, and neither takes it over 0.
[[nodiscard]] double amount_of(const Boost& boost, double score);

struct Pin {
  Rule rule;
  ItemId item;
  std::size_t place = 1; // counted from 1
};

struct CategoryCap {
  Rule rule;
  std::string category; // both empty: each category by itself
  std::string tag;
  std::size_t most = 0;
};

} // namespace attune
