#include "core/item_pairs.h"

#include <algorithm>
#include <array>

#include "core/elementary.h"

namespace attune {

namespace {

constexpr std::array<std::uint32_t, kLags + 1> kShare{0, 2520, 1260, 840, 630, 504, 420, 360, 315, 280, 252};

void add_to(std::uint16_t& sum, float by)
{
  sum = static_cast<std::uint16_t>(std::min(static_cast<float>(sum) + by, 65535.0F));
}

void decay_to(PairCounts& counts, std::uint32_t clock)
{
  if (counts.at == clock) return;
  const auto left = pair_decay(clock - counts.at);
  counts.slow *= left.slow;
  counts.fast = static_cast<std::uint16_t>(static_cast<float>(counts.fast) * left.fast);
  counts.faster = static_cast<std::uint16_t>(static_cast<float>(counts.faster) * left.faster);
  counts.at = clock;
}

// Calls take(item, distance) for each distinct item within kLags before the end of the session, but `next` itself.
template <class Take>
void each_before(std::span<const ItemNumber> session, ItemNumber next, Take&& take)
{
  std::array<ItemNumber, kLags> met;
  std::size_t count = 0;
  for (std::size_t distance = 1; distance <= kLags && distance <= session.size(); ++distance) {
    const auto item = session[session.size() - distance];
    const auto end = met.begin() + static_cast<std::ptrdiff_t>(count);
    if (item == next || std::find(met.begin(), end, item) != end) continue;
    met[count++] = item;
    take(item, distance);
  }
}

} // namespace

PairCounts& ItemPairs::at(Row& row, ItemNumber partner)
{
  if (auto* known = row.find(partner)) return *known;
  if (row.size() == kMaxPartners) {
    row.keep_best(kMaxPartners / 2, [&row](const PairCounts& counts) {
      return counts.slow * pair_decay(row.clock - counts.at).slow +
             0.1F / kPairUnit * (static_cast<float>(counts.after) + static_cast<float>(counts.before));
    });
    pairs_ -= kMaxPartners / 2;
  }
  auto& made = row.add(partner);
  made.at = row.clock;
  ++pairs_;
  return made;
}

void ItemPairs::add(std::span<const ItemNumber> session, ItemNumber item, bool is_new, bool fresh)
{
  if (session.empty()) return;
  auto& last = rows_[session.back()];
  count_up(last.transitions, 1);
  if (fresh) ++last.clock;
  each_before(session, item, [this](ItemNumber earlier, std::size_t) { rows_[earlier].prefetch(); });
  each_before(session, item, [&](ItemNumber earlier, std::size_t distance) {
    auto& after = at(rows_[earlier], item);
    count_up(after.after, kShare[distance]);
    if (distance == 1) count_up(after.next, 1);
    if (is_new) count_up(after.together, 1);
    if (fresh) {
      decay_to(after, rows_[earlier].clock);
      const float share = 1.0F / static_cast<float>(distance);
      after.slow += share;
      add_to(after.fast, share * kFastUnit);
      if (distance == 1) add_to(after.faster, kFasterUnit);
    }
    auto& before = at(rows_[item], earlier);
    count_up(before.before, kShare[distance]);
    if (is_new) count_up(before.together, 1);
  });
}

void ItemPairs::subtract(std::span<const ItemNumber> session, ItemNumber item, bool is_new, Emptied* emptied)
{
  if (session.empty()) return;
  count_down(rows_[session.back()].transitions, 1);
  const auto settle = [&](ItemNumber of, ItemNumber partner, const PairCounts& counts) {
    if (counts.after > 0 || counts.before > 0) return;
    if (emptied) return void(emptied->emplace_back(of, partner));
    rows_[of].drop(partner);
    --pairs_;
  };
  each_before(session, item, [&](ItemNumber earlier, std::size_t distance) {
    if (auto* after = rows_[earlier].find(item)) {
      count_down(after->after, kShare[distance]);
      if (distance == 1) count_down(after->next, 1);
      if (is_new) count_down(after->together, 1);
      settle(earlier, item, *after);
    }
    if (auto* before = rows_[item].find(earlier)) {
      count_down(before->before, kShare[distance]);
      if (is_new) count_down(before->together, 1);
      settle(item, earlier, *before);
    }
  });
}

void ItemPairs::drop_empty(const Emptied& emptied)
{
  for (const auto& [of, partner] : emptied) {
    const auto* counts = rows_[of].find(partner);
    if (!counts || counts->after > 0 || counts->before > 0) continue;
    rows_[of].drop(partner);
    --pairs_;
  }
}

void ItemPairs::restore(ItemNumber item, Row row)
{
  pairs_ += row.size();
  rows_[item] = std::move(row);
}

void ItemPairs::clear(ItemNumber item)
{
  pairs_ -= rows_[item].size();
  rows_[item] = {};
}

std::size_t ItemPairs::bytes() const
{
  std::size_t bytes = rows_.capacity() * sizeof(Row);
  for (const auto& row : rows_) bytes += row.bytes();
  return bytes;
}

} // namespace attune
