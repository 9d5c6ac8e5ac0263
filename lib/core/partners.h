// Partners: what is counted between one item and each of a bounded number of others: two arrays side by side, in the order in which the
// partners were met, so that they are found by looking through ids that lie together and read one after the other.
// Not synchronized. Memory: 4 bytes and a Counts each, and up to an eighth of slack.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <vector>

#include "core/session_table.h"

namespace attune {

// Raw counts stay at their bounds: a pair of more than 2^32 units counts as that many.
inline void count_up(std::uint32_t& count, std::uint32_t by)
{
  count = count > ~by ? ~0U : count + by;
}
inline void count_down(std::uint32_t& count, std::uint32_t by)
{
  count = count < by ? 0 : count - by;
}

template <class Counts>
struct Partners {
  std::vector<ItemNumber> items;
  std::vector<Counts> counts; // beside each

  [[nodiscard]] std::size_t size() const { return items.size(); }
  // Brings the ids into the cache.
  void prefetch() const
  {
    constexpr std::size_t kLine = 64 / sizeof(ItemNumber);
    for (std::size_t at = 0; at < items.size(); at += kLine) __builtin_prefetch(items.data() + at);
  }
  // Null when there is none. Good until one is added or dropped.
  [[nodiscard]] Counts* find(ItemNumber partner)
  {
    const auto at = place_of(partner);
    return at == items.size() ? nullptr : &counts[at];
  }
  [[nodiscard]] const Counts* find(ItemNumber partner) const
  {
    const auto at = place_of(partner);
    return at == items.size() ? nullptr : &counts[at];
  }
  // REQUIRES: it is not there.
  Counts& add(ItemNumber partner)
  {
    if (items.size() == items.capacity()) {
      items.reserve(room());
      counts.reserve(room());
    }
    items.push_back(partner);
    return counts.emplace_back();
  }
  // REQUIRES: it is there.
  void drop(ItemNumber partner)
  {
    const auto at = static_cast<std::ptrdiff_t>(place_of(partner));
    items.erase(items.begin() + at);
    counts.erase(counts.begin() + at);
    fit();
  }
  // Keeps the `kept` of greatest worth(counts), of equal ones those of smaller number, in the order they were met.
  template <class Worth>
  void keep_best(std::size_t kept, Worth worth)
  {
    if (items.size() <= kept) return;
    std::vector<float> worths;
    worths.reserve(items.size());
    for (const auto& each : counts) worths.push_back(worth(each));
    std::vector<std::uint32_t> order(items.size());
    std::iota(order.begin(), order.end(), 0);
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(kept);
    std::nth_element(order.begin(), end, order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return worths[a] != worths[b] ? worths[a] > worths[b] : items[a] < items[b];
    });
    std::sort(order.begin(), end);
    for (std::size_t i = 0; i < kept; ++i) {
      items[i] = items[order[i]];
      counts[i] = counts[order[i]];
    }
    items.resize(kept);
    counts.resize(kept);
    items.shrink_to_fit();
    counts.shrink_to_fit();
  }
  [[nodiscard]] std::size_t bytes() const { return items.capacity() * sizeof(ItemNumber) + counts.capacity() * sizeof(Counts); }

 private:
  [[nodiscard]] std::size_t room() const { return items.size() + items.size() / 16 + 2; }
  // Gives memory back where an eighth of it is not needed: what many items once needed adds up.
  void fit()
  {
    if (items.capacity() <= room() + room() / 8) return;
    Partners fitting;
    fitting.items.reserve(room());
    fitting.counts.reserve(room());
    fitting.items.assign(items.begin(), items.end());
    fitting.counts.assign(counts.begin(), counts.end());
    items.swap(fitting.items);
    counts.swap(fitting.counts);
  }
  [[nodiscard]] std::size_t place_of(ItemNumber item) const
  {
    // Sixteen at a time, compared side by side, with one branch.
    using Four = std::uint32_t __attribute__((vector_size(16)));
    const Four wanted{item, item, item, item};
    std::size_t at = 0;
    for (; at + 16 <= items.size(); at += 16) {
      std::array<Four, 4> four;
      std::memcpy(&four, items.data() + at, sizeof four);
      const auto found = (four[0] == wanted) | (four[1] == wanted) | (four[2] == wanted) | (four[3] == wanted);
      std::array<std::uint64_t, 2> halves;
      std::memcpy(&halves, &found, sizeof halves);
      if ((halves[0] | halves[1]) != 0) break;
    }
    while (at < items.size() && items[at] != item) ++at;
    return at;
  }
};

} // namespace attune
