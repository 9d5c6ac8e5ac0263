#include "core/item_pairs.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "base/assert.h"
#include "core/elementary.h"

namespace attune {

namespace {

constexpr std::array<std::uint32_t, kLags + 1> kShare{0, 2520, 1260, 840, 630, 504, 420, 360, 315, 280, 252};

std::size_t place_of(std::span<const ItemNumber> items, ItemNumber item)
{
  // Eight at a time, without a branch in between: what the compiler can do side by side.
  std::size_t at = 0;
  for (; at + 8 <= items.size(); at += 8) {
    std::uint32_t found = 0;
    for (std::size_t i = 0; i < 8; ++i) found |= items[at + i] == item ? 1U : 0U;
    if (found) break;
  }
  while (at < items.size() && items[at] != item) ++at;
  return at;
}

void add_to(std::uint32_t& count, std::uint32_t by)
{
  count = count > ~by ? ~0U : count + by;
}

void take_from(std::uint32_t& count, std::uint32_t by)
{
  count = count < by ? 0 : count - by;
}

void decay_to(PairCounts& counts, std::uint32_t clock)
{
  if (counts.at == clock) return;
  const auto passed = static_cast<float>(clock - counts.at);
  counts.slow *= exp_of(-passed / kSlowTau);
  counts.fast *= exp_of(-passed / kFastTau);
  counts.faster *= exp_of(-passed / kFasterTau);
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

PairCounts* ItemPairs::find(Partners& partners, ItemNumber partner)
{
  const auto place = place_of(partners.items, partner);
  return place == partners.items.size() ? nullptr : &partners.counts[place];
}

PairCounts& ItemPairs::at(Partners& partners, ItemNumber partner)
{
  if (auto* known = find(partners, partner)) return *known;
  if (partners.items.size() == kMaxPartners) prune(partners);
  if (partners.items.size() == partners.items.capacity()) {
    const auto room = partners.items.size() + partners.items.size() / 8 + 2;
    partners.items.reserve(room);
    partners.counts.reserve(room);
  }
  partners.items.push_back(partner);
  auto& made = partners.counts.emplace_back();
  made.at = partners.clock;
  ++pairs_;
  return made;
}

// Keeps the half that weighs most, in the order they were met.
void ItemPairs::prune(Partners& partners)
{
  std::vector<float> worth;
  worth.reserve(partners.items.size());
  for (const auto& counts : partners.counts) {
    const auto passed = static_cast<float>(partners.clock - counts.at);
    worth.push_back(counts.slow * exp_of(-passed / kSlowTau) +
                    0.1F / kPairUnit * (static_cast<float>(counts.after) + static_cast<float>(counts.before)));
  }
  std::vector<std::uint32_t> order(worth.size());
  std::iota(order.begin(), order.end(), 0);
  const auto half = order.begin() + static_cast<std::ptrdiff_t>(order.size() / 2);
  std::nth_element(order.begin(), half, order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return worth[a] != worth[b] ? worth[a] > worth[b] : partners.items[a] < partners.items[b];
  });
  std::sort(order.begin(), half);
  std::size_t kept = 0;
  for (auto at = order.begin(); at != half; ++at, ++kept) {
    partners.items[kept] = partners.items[*at];
    partners.counts[kept] = partners.counts[*at];
  }
  pairs_ -= partners.items.size() - kept;
  partners.items.resize(kept);
  partners.counts.resize(kept);
}

void ItemPairs::add(std::span<const ItemNumber> session, ItemNumber item, bool is_new, bool fresh)
{
  if (session.empty()) return;
  auto& last = partners_[session.back()];
  add_to(last.transitions, 1);
  if (fresh) ++last.clock;
  each_before(session, item, [&](ItemNumber earlier, std::size_t distance) {
    auto& after = at(partners_[earlier], item);
    add_to(after.after, kShare[distance]);
    if (distance == 1) add_to(after.next, 1);
    if (is_new) add_to(after.together, 1);
    if (fresh) {
      decay_to(after, partners_[earlier].clock);
      const float share = 1.0F / static_cast<float>(distance);
      after.slow += share;
      after.fast += share;
      if (distance == 1) after.faster += 1;
    }
    auto& before = at(partners_[item], earlier);
    add_to(before.before, kShare[distance]);
    if (is_new) add_to(before.together, 1);
  });
}

void ItemPairs::subtract(std::span<const ItemNumber> session, ItemNumber item, bool is_new)
{
  if (session.empty()) return;
  take_from(partners_[session.back()].transitions, 1);
  const auto settle = [this](ItemNumber of, ItemNumber partner) {
    auto& partners = partners_[of];
    const auto place = place_of(partners.items, partner);
    const auto& counts = partners.counts[place];
    if (counts.after > 0 || counts.before > 0) return;
    partners.items.erase(partners.items.begin() + static_cast<std::ptrdiff_t>(place));
    partners.counts.erase(partners.counts.begin() + static_cast<std::ptrdiff_t>(place));
    --pairs_;
  };
  each_before(session, item, [&](ItemNumber earlier, std::size_t distance) {
    if (auto* after = find(partners_[earlier], item)) {
      take_from(after->after, kShare[distance]);
      if (distance == 1) take_from(after->next, 1);
      if (is_new) take_from(after->together, 1);
      settle(earlier, item);
    }
    if (auto* before = find(partners_[item], earlier)) {
      take_from(before->before, kShare[distance]);
      if (is_new) take_from(before->together, 1);
      settle(item, earlier);
    }
  });
}

void ItemPairs::restore(ItemNumber item, Partners partners)
{
  pairs_ += partners.items.size();
  partners_[item] = std::move(partners);
}

std::size_t ItemPairs::bytes() const
{
  std::size_t bytes = partners_.capacity() * sizeof(Partners);
  for (const auto& partners : partners_)
    bytes += partners.items.capacity() * sizeof(ItemNumber) + partners.counts.capacity() * sizeof(PairCounts);
  return bytes;
}

} // namespace attune
