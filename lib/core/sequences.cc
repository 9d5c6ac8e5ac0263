#include "core/sequences.h"

#include "core/elementary.h"

namespace attune {

namespace {

constexpr std::size_t kAskedFor = 5;
constexpr float kUnit = 1.0F / kPairUnit;

void add_newest(const ItemPairs::Row& partners, float share, ItemNumber last, const ItemTable& items, Candidates& candidates)
{
  const float by_root = items.weights[last].by_root;
  for (std::size_t i = 0; i < partners.items.size(); ++i) {
    if (partners.items[i] == last) continue;
    const auto& counts = partners.counts[i];
    auto& row = candidates[partners.items[i]];
    const auto left = pair_decay(partners.clock - counts.at);
    const float after = static_cast<float>(counts.after) * kUnit;
    const auto together = static_cast<float>(counts.together);
    row[Column::fast] += static_cast<float>(counts.fast) * (1.0F / kFastUnit) * left.fast;
    row[Column::faster] += static_cast<float>(counts.faster) * (1.0F / kFasterUnit) * left.faster;
    row[Column::slow] += counts.slow * left.slow;
    row[Column::after] += after;
    row[Column::next] += static_cast<float>(counts.next);
    row[Column::together] += together;
    row[Column::cosine] += together * by_root * items.weights[partners.items[i]].by_root;
    row[Column::before] += static_cast<float>(counts.before) * kUnit;
    row[Column::session] += after * share;
  }
}

} // namespace

void add_sequences(std::span<const Asked> asked, ItemNumber last, const ItemPairs& pairs, const ItemTable& items,
                   Candidates& candidates)
{
  for (std::size_t place = 0; place < asked.size() && place < kAskedFor; ++place) {
    const auto& partners = pairs.of(asked[place].item);
    if (partners.items.empty()) continue;
    const float share = exp_of(-0.7F * static_cast<float>(asked[place].place)) / (static_cast<float>(partners.transitions) + 1.0F);
    if (asked[place].item == last) {
      add_newest(partners, share, last, items, candidates);
      continue;
    }
    for (std::size_t i = 0; i < partners.items.size(); ++i)
      if (partners.items[i] != last && partners.counts[i].after > 0)
        candidates[partners.items[i]][Column::session] += static_cast<float>(partners.counts[i].after) * kUnit * share;
  }
}

} // namespace attune
