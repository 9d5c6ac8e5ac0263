#include "core/rule.h"

#include <algorithm>
#include <cmath>

namespace attune {

bool in_force(const Rule& rule, Asker& asker, bool held_out)
{
  const Timestamp now = asker.occasion().now;
  if ((rule.from && now < *rule.from) || (rule.until && now >= *rule.until)) return false;
  if (held_out && rule.reads_customer) return false;
  return !rule.when || holds(*rule.when, asker);
}

bool is_for(const Rule& rule, std::string_view slot)
{
  return rule.slots.empty() || std::binary_search(rule.slots.begin(), rule.slots.end(), slot);
}

bool covers(const Rule& earlier, const Rule& later)
{
  const bool begins_before = !earlier.from || (later.from && *earlier.from <= *later.from);
  const bool ends_after = !earlier.until || (later.until && *earlier.until >= *later.until);
  return begins_before && ends_after && (!earlier.when || earlier.when == later.when);
}

double amount_of(const Boost& boost, double score)
{
  if (!boost.factor) return boost.add;
  const double factor = *boost.factor;
  return std::abs(score) * (score < 0 && factor > 1 ? 1 - 1 / factor : factor - 1);
}

} // namespace attune
