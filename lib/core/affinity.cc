#include "core/affinity.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace attune {
namespace {

constexpr double kGrid = 1e6; // weights are told in millionths

double weight_of(std::string_view type)
{
  if (type == "view" || type == "click") return 1;
  if (type == "cart_add") return 3;
  if (type == "purchase") return 5;
  return 0;
}

double weight_of(const TypeCounts& counts)
{
  double weight = 0;
  for (const auto& [type, n] : counts) weight += weight_of(type) * static_cast<double>(n);
  return weight;
}

class Weights {
 public:
  Weights(const Catalog& catalog, Timestamp now) : catalog_(catalog), now_(now) {}

  void take(const KeptView& event)
  {
    const double weight = weight_of(event.type_name()) * decay(event.time);
    if (weight == 0) return;
    const auto items = event.items();
    bool explained = !items.empty();
    for (const auto item : items) explained = add_catalogued(item, weight) && explained;
    if (!explained && !event.category.empty()) add(event.category, weight);
  }

  void take(const Tile& tile)
  {
    const double aged = decay({(tile.start.ms + tile_end(tile.granularity, tile.start).ms) / 2});
    double explained = 0;
    for (const auto& [item, counts] : tile.items)
      if (const double weight = weight_of(counts); add_catalogued(item, weight * aged)) explained += weight;
    const double all = weight_of(tile.counts);
    const double rest = all > 0 ? std::max(0.0, 1 - explained / all) : 0;
    for (const auto& [category, counts] : tile.categories) add(category, weight_of(counts) * rest * aged);
  }

  [[nodiscard]] std::vector<std::pair<std::string, double>> ranked() const
  {
    std::vector<std::pair<std::string, double>> all;
    for (const auto& [category, weight] : sums_)
      if (const double rounded = std::round(weight * kGrid) / kGrid; rounded > 0) all.emplace_back(category, rounded);
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
    return all;
  }

 private:
  [[nodiscard]] double decay(Timestamp time) const
  {
    const auto age = std::max(now_ - time, Milliseconds(0));
    return std::exp2(-static_cast<double>(age.count()) / static_cast<double>(kAffinityHalfLife.count()));
  }

  void add(std::string_view category, double weight) { sums_[std::string(category)] += weight; }

  bool add_catalogued(std::string_view item, double weight)
  {
    const CatalogItem* known = catalog_.find(ItemId(item));
    if (!known || known->categories.empty()) return false;
    for (const auto& category : known->categories) add(category, weight);
    return true;
  }

  const Catalog& catalog_;
  Timestamp now_;
  std::map<std::string, double> sums_;
};

} // namespace

std::vector<std::pair<std::string, double>> affinity(const Profile& profile, const Catalog& catalog, Timestamp now)
{
  // In one fixed order, since sums of floating point numbers depend on it.
  Weights weights(catalog, now);
  for (const auto& tile : profile.summary.tiles)
    if (tile.start <= now) weights.take(tile.tile());
  for (const auto* kept : recent_in_order(profile))
    if (kept->time <= now) weights.take(kept->view());
  return weights.ranked();
}

} // namespace attune
