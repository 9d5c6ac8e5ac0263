// SessionTable: every click a model has learned, in sessions, in canonical order. What all sources of recommendations are built
// from, and what a model file holds; a table is the same whatever order its clicks were learned in.
//
// A click is a view, a click, a cart_add or one line of a purchase. Sessions: the events of one customer that carry one session id
// of the site; a customer's events that carry none are cut where the gap is over the idle limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"

namespace attune {

using ItemNumber = std::uint32_t; // place in SessionTable::items
using SessionNumber = std::uint32_t; // place in the table's order of sessions: the larger, the newer
inline constexpr ItemNumber kMaxItems = 1U << 31; // exclusive: core/neighbours.h keeps a bit beside each number
inline constexpr ItemNumber kUnknownItem = 0xFFFF'FFFFU; // was never learned

// Hashes of the customer and of the site's session id (XXH3, 64 bits).
struct SessionKey {
  std::uint64_t customer = 0;
  std::uint64_t site = 0; // 0: the events carry no session id
  friend auto operator<=>(const SessionKey&, const SessionKey&) = default;
};

// Times and ids are kept for every click, repeats of the item before included: a late event may yet come between them.
struct SessionTable {
  std::vector<ItemId> items; // sorted; each has a click
  std::vector<SessionKey> keys; // per session; sessions are sorted by (time of the last click, key)
  std::vector<std::uint64_t> begin{0}; // sessions + 1: the clicks of session s are [begin[s], begin[s + 1])
  std::vector<std::int64_t> times; // per click, ms since 1970; within a session sorted by (time, id)
  std::vector<std::uint64_t> ids; // per click: hash of event id and line; no two are equal
  std::vector<ItemNumber> clicked; // per click

  [[nodiscard]] std::size_t sessions() const { return keys.size(); }
  [[nodiscard]] std::size_t clicks() const { return times.size(); }
  [[nodiscard]] std::int64_t end_time(std::size_t session) const { return times[begin[session + 1] - 1]; }
  friend bool operator==(const SessionTable&, const SessionTable&) = default;
};

} // namespace attune
