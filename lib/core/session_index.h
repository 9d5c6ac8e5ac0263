// SessionIndex: session numbers by a hash of something the sessions themselves hold, such as their keys, which are kept there alone: 8 bytes a
// slot where a map of keys takes four times that. Linear probing over hashes; what has been removed leaves no trace.
//
// Not synchronized; const functions may be called by many threads. Cost: a look into the cache's next line or two, and one at each session of
// the same 32 bits of hash. Memory: 10 to 13 bytes a session.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "core/huge_pages.h"

namespace attune {

using SessionNumber = std::uint32_t; // a place in the table, used again when its session is let go of
inline constexpr SessionNumber kNoSession = 0xFFFF'FFFFU;

class SessionIndex {
 public:
  // The one of this hash of which `is` says so; kNoSession: none.
  template <class Is>
  [[nodiscard]] SessionNumber find(std::uint64_t hash, Is&& is) const
  {
    const auto at = place_of(hash, is);
    return at == kNowhere ? kNoSession : slots_[at].session;
  }
  // Puts `session` where the one is of which `is` says so; it is there already, or it is new.
  template <class Is>
  void set(std::uint64_t hash, SessionNumber session, Is&& is)
  {
    if (const auto at = place_of(hash, is); at != kNowhere)
      slots_[at].session = session;
    else
      insert(hash, session);
  }
  // REQUIRES: what it is found by is not there.
  void insert(std::uint64_t hash, SessionNumber session)
  {
    if ((size_ + 1) * 5 > slots_.size() * 4) resize(slots_.size() + slots_.size() / 4 + 16);
    place({tag_of(hash), session});
    ++size_;
  }
  // REQUIRES: it is there.
  void erase(std::uint64_t hash, SessionNumber session)
  {
    auto hole = place_of(hash, [session](SessionNumber other) { return other == session; });
    ATTUNE_ASSERT(hole != kNowhere);
    // Whoever stands behind it only because it was taken moves up.
    for (auto at = next(hole); slots_[at].session != kNoSession; at = next(at)) {
      if (distance(home_of(slots_[at].tag), at) < distance(hole, at)) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = {};
    --size_;
  }
  // Room for `sessions` in all.
  void reserve(std::size_t sessions)
  {
    if (sessions * 5 > slots_.size() * 4) resize(sessions * 5 / 4 + 16);
  }
  void prefetch(std::uint64_t hash) const
  {
    if (!slots_.empty()) __builtin_prefetch(&slots_[home_of(tag_of(hash))]);
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    SessionNumber session = kNoSession;
  };
  static constexpr std::size_t kNowhere = ~std::size_t{0};

  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash * 0x9E3779B97F4A7C15ULL >> 32); }
  [[nodiscard]] std::size_t home_of(std::uint32_t tag) const { return std::uint64_t{tag} * slots_.size() >> 32; }
  [[nodiscard]] std::size_t next(std::size_t at) const { return at + 1 == slots_.size() ? 0 : at + 1; }
  // Steps from one slot on to another.
  [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const
  {
    return to >= from ? to - from : to + slots_.size() - from;
  }

  template <class Is>
  [[nodiscard]] std::size_t place_of(std::uint64_t hash, Is&& is) const
  {
    if (slots_.empty()) return kNowhere;
    const auto tag = tag_of(hash);
    for (auto at = home_of(tag); slots_[at].session != kNoSession; at = next(at))
      if (slots_[at].tag == tag && is(slots_[at].session)) return at;
    return kNowhere;
  }
  void place(const Slot& slot)
  {
    auto at = home_of(slot.tag);
    while (slots_[at].session != kNoSession) at = next(at);
    slots_[at] = slot;
  }
  void resize(std::size_t slots)
  {
    ATTUNE_ASSERT(slots < std::size_t{1} << 32);
    std::vector<Slot> made;
    made.reserve(slots);
    ask_for_huge_pages(made.data(), slots * sizeof(Slot));
    made.resize(slots);
    const auto old = std::exchange(slots_, std::move(made));
    for (const auto& slot : old)
      if (slot.session != kNoSession) place(slot);
  }

  std::vector<Slot> slots_; // never all taken
  std::size_t size_ = 0;
};

} // namespace attune
