// Summary: what a profile keeps of the events up to its floors (DESIGN section 4): additive integers in tiles (core/tile.h), and
// maxima: the newest order, the newest purchase time of the 1,000 items bought last, the 256 newest hashes of ids. It is a pure
// function of the set of events folded and of `newest`, the time of the profile's newest event, in whatever order and parts they
// were folded, rolled up and added. One thread owns a Summary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "core/kept_event.h"
#include "core/tile.h"

namespace attune {

inline constexpr std::size_t kFoldedHashes = 256;
inline constexpr std::size_t kLastPurchases = 1000;

// An id that was folded, by which a redelivered event is recognised.
struct FoldedId {
  Timestamp time;
  std::uint64_t hash = 0;
  friend auto operator<=>(const FoldedId&, const FoldedId&) = default;
};

struct Summary {
  std::vector<StoredTile> tiles; // sorted by (start, granularity), each once
  std::optional<KeptEvent> newest_order; // the newest folded purchase
  std::vector<std::pair<ItemId, Timestamp>> last_purchases; // the kLastPurchases newest (ties: smaller item), sorted by item
  std::vector<FoldedId> folded; // the kFoldedHashes newest, ascending
  std::optional<Timestamp> first_time; // oldest event counted in the tiles
  friend bool operator==(const Summary&, const Summary&) = default;
};

// Adds events that are in no summary yet. Cost: about a microsecond an event, and two a tile they touch.
void fold(Summary& summary, std::span<const KeptEvent> events, Timestamp newest);
// Makes tiles coarser as far as `newest` asks. To be called when the day of the newest event has changed.
void roll_up(Summary& summary, Timestamp newest);
// Adds what `other` counted. REQUIRES: no event is in both.
void add(Summary& into, Summary other, Timestamp newest);

} // namespace attune
