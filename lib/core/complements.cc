#include "core/complements.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "core/elementary.h"

namespace attune {

namespace {

constexpr float kShrinkage = 30; // baskets added to an item's, whose partners are what chance gives
constexpr float kSupport = 10;
constexpr float kAlphaOrdered = 0.2F;
constexpr float kAlphaHidden = 0.3F;

// harmonic[n] = 1 + 1/2 + … + 1/n
constexpr std::array<double, kBasketLooked + 1> kHarmonic = [] {
  std::array<double, kBasketLooked + 1> sums{};
  for (std::size_t n = 1; n <= kBasketLooked; ++n) sums[n] = sums[n - 1] + 1.0 / static_cast<double>(n);
  return sums;
}();

// Of the mass an item spreads over `others`, what the d-th newest gets.
std::uint32_t share(std::size_t distance, std::size_t others)
{
  return static_cast<std::uint32_t>(kMassUnit / (static_cast<double>(distance) * kHarmonic[others]) + 0.5);
}

} // namespace

void Complements::grow(std::size_t items)
{
  const auto before = rows_.size();
  rows_.resize(items);
  supports_.resize(items);
  for (auto item = before; item < items; ++item) weigh(static_cast<ItemNumber>(item));
}

void Complements::weigh(ItemNumber item)
{
  const auto baskets = static_cast<float>(rows_[item].baskets);
  const float log_support = log_of(baskets + kSupport);
  supports_[item] = {baskets, exp_of(-kAlphaOrdered * log_support), exp_of(-kAlphaHidden * log_support)};
}

void Complements::add(std::span<const ItemNumber> basket, ItemNumber item)
{
  count_up(rows_[item].baskets, 1);
  weigh(item);
  ++total_;
  const auto others = std::min(basket.size(), kBasketLooked);
  const auto count = [this](ItemNumber of, ItemNumber partner, std::uint32_t mass) {
    auto& row = rows_[of];
    auto* known = row.find(partner);
    if (!known) {
      if (row.size() == kMaxComplements) {
        row.keep_best(kMaxComplements * 3 / 4, [](const BasketCounts& counts) { return static_cast<float>(counts.mass); });
        pairs_ -= kMaxComplements / 4;
      }
      known = &row.add(partner);
      ++pairs_;
    }
    count_up(known->together, 1);
    count_up(known->mass, mass);
  };
  for (std::size_t distance = 1; distance <= others; ++distance) {
    const auto other = basket[basket.size() - distance];
    const auto mass = share(distance, others);
    count(item, other, mass);
    count(other, item, mass);
  }
}

void Complements::subtract(std::span<const ItemNumber> basket, ItemNumber item)
{
  count_down(rows_[item].baskets, 1);
  weigh(item);
  total_ -= total_ > 0 ? 1 : 0;
  const auto others = std::min(basket.size(), kBasketLooked);
  const auto uncount = [this](ItemNumber of, ItemNumber partner, std::uint32_t mass) {
    auto& row = rows_[of];
    auto* known = row.find(partner);
    if (!known) return;
    count_down(known->together, 1);
    count_down(known->mass, mass);
    if (known->together > 0) return;
    row.drop(partner);
    --pairs_;
  };
  for (std::size_t distance = 1; distance <= others; ++distance) {
    const auto other = basket[basket.size() - distance];
    const auto mass = share(distance, others);
    uncount(item, other, mass);
    uncount(other, item, mass);
  }
}

void Complements::score(std::span<const ItemNumber> basket, bool ordered, std::size_t column, Candidates& candidates) const
{
  const auto looked = basket.size() > kBasketLooked ? basket.last(kBasketLooked) : basket;
  float by_chance = 0;
  for (std::size_t i = 0; i < looked.size(); ++i) {
    const auto& row = rows_[looked[looked.size() - 1 - i]];
    const float weight = (ordered ? exp_of(-static_cast<float>(i) / 3.0F) : 1.0F) / (static_cast<float>(row.baskets) + kShrinkage);
    by_chance += weight * kShrinkage;
    const float by_mass = weight / static_cast<float>(kMassUnit);
    for (std::size_t p = 0; p < row.size(); ++p)
      candidates[row.items[p]].columns[column] += by_mass * static_cast<float>(row.counts[p].mass);
  }
  by_chance /= static_cast<float>(std::max<std::uint64_t>(total_, 1));
  for (auto& candidate : candidates.rows()) {
    const auto& support = supports_[candidate.item];
    auto& value = candidate.columns[column];
    value = (value + by_chance * support.baskets) * (ordered ? support.by_ordered : support.by_hidden);
  }
}

void Complements::restore(ItemNumber item, Row row)
{
  pairs_ += row.size();
  rows_[item] = std::move(row);
  weigh(item);
}

void Complements::clear(ItemNumber item)
{
  ATTUNE_ASSERT(rows_[item].baskets == 0);
  pairs_ -= rows_[item].size();
  rows_[item] = {};
  weigh(item);
}

std::size_t Complements::bytes() const
{
  std::size_t bytes = rows_.capacity() * (sizeof(Row) + sizeof(Support));
  for (const auto& row : rows_) bytes += row.bytes();
  return bytes;
}

} // namespace attune
