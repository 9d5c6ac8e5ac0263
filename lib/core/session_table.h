// SessionTable: every click a model keeps, in sessions. What all its raw counts are functions of.
//
// A session is the clicks of one customer that carry one session id of the site; a customer's clicks that carry none are cut where
// the gap is over the idle limit. Within a session clicks are sorted by (time, id), and of an id the earliest stays. A session keeps its
// oldest kMaxSessionClicks: what a robot adds beyond them teaches nothing. So a table is a function of the set of clicks it was given,
// as long as none was let go of or ignored, and no click without a session id comes at two times.
//
// A late click is placed by its time; it may join two sessions into one. What is late by more than kMostLate of its customer's sessions
// is ignored, so that no click costs more than looking through so many. Sessions are let go of in the order in which they were last appended to.
// Not synchronized; const functions may be called by many threads. Memory: about 50 bytes a click in sessions of four.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "core/lesson.h"
#include "core/run_pool.h"
#include "core/session_index.h"

namespace attune {

using ItemNumber = std::uint32_t; // in the order items were first learned
inline constexpr ItemNumber kUnknownItem = 0xFFFF'FFFFU; // was never learned
inline constexpr std::size_t kMaxSessionClicks = 1000;
static_assert(kMaxSessionClicks <= kMaxRun);
inline constexpr int kMostLate = 64; // sessions of a customer

struct Click {
  std::int64_t time = 0;
  std::uint64_t id = 0;
  ItemNumber item = 0;
  ClickKind kind = ClickKind::view;
  std::uint16_t segments = 0; // its customer was in: the number of a set (core/membership.h)
};

// Whether the click puts its item into a basket.
[[nodiscard]] inline bool joins_basket(const Click& click)
{
  return click.kind >= ClickKind::cart_add;
}

class SessionTable {
 public:
  explicit SessionTable(Milliseconds idle);

  // Where a click belongs.
  struct Place {
    enum class How : std::uint8_t {
      appended, // behind the clicks of `session`, or in a new one when that is kNoSession
      inserted, // before other clicks of `session`, or between it and `other`, which become one
      repeated, // its id is there
      ignored, // its session is full, or it is too late
    };
    How how = How::appended;
    SessionNumber session = kNoSession;
    SessionNumber other = kNoSession;
  };
  [[nodiscard]] Place place(const SessionKey& key, const Click& click) const;

  // An appended click; returns its session, which is new when the place names none.
  SessionNumber append(const Place& place, const SessionKey& key, const Click& click);
  // An inserted click; its session is the place's.
  void insert(const Place& place, const Click& click);
  // Lets go of a session.
  void close(SessionNumber session);

  // Oldest first; `items` without the repeats of the item before. Good until the session changes.
  [[nodiscard]] std::span<const Click> clicks(SessionNumber session) const { return clicks_.values(sessions_[session].clicks); }
  [[nodiscard]] std::span<const ItemNumber> items(SessionNumber session) const { return items_.values(sessions_[session].items); }
  // Its items, each once.
  [[nodiscard]] std::size_t distinct(SessionNumber session) const { return distinct_[session]; }
  // What it put into its cart or bought: distinct, oldest first. Replaces `out`.
  void basket(SessionNumber session, std::vector<ItemNumber>& out) const;
  [[nodiscard]] const SessionKey& key(SessionNumber session) const { return sessions_[session].key; }
  // Brings what items() and clicks() need into the cache, in two steps some work apart.
  void prefetch_session(SessionNumber session) const
  {
    __builtin_prefetch(&sessions_[session]);
    __builtin_prefetch(&distinct_[session]);
  }
  void prefetch_clicks(SessionNumber session) const { __builtin_prefetch(clicks_.data(sessions_[session].clicks)); }
  void prefetch_items(SessionNumber session) const { __builtin_prefetch(items_.data(sessions_[session].items)); }

  // The session of this key; of clicks without a session id the customer's newest. kNoSession: none.
  [[nodiscard]] SessionNumber find(const SessionKey& key) const;
  // The customer's newest session, and the one before a session, by their first clicks.
  [[nodiscard]] SessionNumber newest_of(std::uint64_t customer) const;
  [[nodiscard]] SessionNumber before(SessionNumber session) const;
  // The one that was appended to longest ago, and the next one after a session; kNoSession when there is none.
  [[nodiscard]] SessionNumber oldest() const { return first_; }
  [[nodiscard]] SessionNumber next_oldest(SessionNumber session) const { return sessions_[session].later; }

  [[nodiscard]] std::size_t sessions() const { return open_count_; }
  [[nodiscard]] std::size_t items_in_sessions() const { return items_in_sessions_; } // the sum of distinct()
  // The number of distinct items that 99.5 % of the sessions with two or more do not pass. O(that number).
  [[nodiscard]] std::size_t usual_length() const;
  [[nodiscard]] std::size_t click_count() const { return click_count_; }
  // All numbers are below this; some may be closed.
  [[nodiscard]] SessionNumber limit() const { return static_cast<SessionNumber>(sessions_.size()); }
  [[nodiscard]] Milliseconds idle() const { return Milliseconds(idle_); }
  [[nodiscard]] std::size_t bytes() const;

  // From the one appended to longest ago to the newest: what a snapshot holds.
  template <class Take>
  void for_each(Take&& take) const
  {
    for (auto session = first_; session != kNoSession; session = sessions_[session].later) take(session);
  }
  // A whole session, behind all others. REQUIRES: its clicks are in order, 1 to kMaxSessionClicks; it is one of its own.
  SessionNumber restore(const SessionKey& key, std::span<const Click> clicks);
  // A table out of a snapshot: reserve() of as many sessions and the room of their clicks together, load() each as for_each() gave it, then
  // finish_loading(), and until then nothing else. They are numbered in this order. False, and no table, when two sessions have one key, or
  // clicks without a session id lie no further than the idle limit from another session of theirs. REQUIRES: as restore(), but for being
  // one of its own; `distinct` items. Cost: some 50 ns a session, and 5 a click.
  [[nodiscard]] static std::size_t room_of(std::size_t clicks) { return RunPool<Click>::room_of(clicks); }
  void reserve(std::size_t sessions, std::size_t room);
  SessionNumber load(const SessionKey& key, std::span<const Click> clicks, std::size_t distinct);
  [[nodiscard]] bool finish_loading();
  // Of each of its clicks what Click::segments says. REQUIRES: as many as it has clicks.
  void set_segments(SessionNumber session, std::span<const std::uint16_t> segments);

 private:
  struct Session {
    SessionKey key;
    Run clicks;
    Run items;
    SessionNumber before = kNoSession; // of the same customer, by first click
    SessionNumber behind = kNoSession;
    SessionNumber earlier = kNoSession; // in the order of last clicks
    SessionNumber later = kNoSession;
  };
  static std::uint64_t hash_of(const SessionKey& key) { return key.customer ^ (key.site * 0x9E3779B97F4A7C15ULL); }
  [[nodiscard]] Place place_in(SessionNumber session, const Click& click) const;
  [[nodiscard]] Place place_by_time(const SessionKey& key, const Click& click) const;
  [[nodiscard]] bool too_late(SessionNumber from, std::int64_t time) const;
  SessionNumber open(const SessionKey& key, std::int64_t time);
  SessionNumber take_place(const SessionKey& key);
  void set_found(const SessionKey& key, SessionNumber session);
  void set_newest(std::uint64_t customer, SessionNumber session);
  [[nodiscard]] bool begins_before(SessionNumber a, SessionNumber b) const;
  [[nodiscard]] bool lies_apart(SessionNumber before, SessionNumber after) const;
  [[nodiscard]] bool index_loaded(SessionNumber session, std::vector<std::uint64_t>& disordered);
  [[nodiscard]] bool put_in_order(std::uint64_t customer);
  void chain(SessionNumber session, std::int64_t time, SessionNumber behind);
  void unchain(SessionNumber session);
  void put(SessionNumber session, const Click& click);
  void fill(SessionNumber session, std::span<const Click> clicks, std::size_t distinct);
  void set_distinct(SessionNumber session, std::size_t distinct);
  void unlink(SessionNumber session);
  void link_last(SessionNumber session);

  std::int64_t idle_;
  std::vector<Session> sessions_;
  std::vector<SessionNumber> free_;
  RunPool<Click> clicks_;
  RunPool<ItemNumber> items_;
  SessionIndex by_key_; // of a key without a session id the customer's newest
  SessionIndex by_customer_; // the newest of each
  SessionNumber first_ = kNoSession;
  SessionNumber last_ = kNoSession;
  std::size_t open_count_ = 0;
  std::vector<std::uint16_t> distinct_; // per session
  std::array<std::uint32_t, kMaxSessionClicks + 1> lengths_{}; // sessions of so many distinct items
  std::size_t several_ = 0; // sessions of two or more
  std::size_t items_in_sessions_ = 0;
  std::size_t click_count_ = 0;
};

} // namespace attune
