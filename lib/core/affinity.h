// Affinity: how much a customer cares about each category, from events weighted by type and halved every half-life.
// Decay is applied when read, so the profile itself needs no writing as time passes.
#pragma once

#include <string>
#include <vector>

#include "core/catalog.h"
#include "core/profile.h"

namespace attune {

inline constexpr Milliseconds kAffinityHalfLife = std::chrono::hours(24 * 14);

// (category, weight), sorted by falling weight then name; weights > 0, dimensionless, rounded to 10^-6. The catalog's categories of
// an item are used where it has them, else what the event said. Weights of types: view and click 1, cart_add 3, purchase 5,
// others 0; each item of an event counts once. Tiles count from their middle, or `now` when that is sooner; of a tile's events the
// share whose items the catalog knows counts by the catalog, the rest by what they said. What came after `now` is left out.
[[nodiscard]] std::vector<std::pair<std::string, double>> affinity(const Profile& profile, const Catalog& catalog, Timestamp now);

} // namespace attune
