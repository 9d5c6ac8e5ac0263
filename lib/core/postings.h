// Postings: for each item the sessions that hold it, in the order of its first click there, as VMIS-kNN's index keeps them
// (core/neighbours.h). Late clicks are placed by their time, so the lists are functions of the set of sessions,
// as long as none was cut.
//
// Of an item, the newest `kept` to 2 `kept` sessions stay. Not synchronized; const functions may be called by many threads.
// Cost: O(1) for a click in order; else O(log + kept). Memory: 8 bytes an entry, and vector's slack.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/session_table.h"

namespace attune {

class Postings {
 public:
  explicit Postings(std::size_t kept) : kept_(kept) {}

  struct Entry {
    SessionNumber session = 0;
    std::uint32_t second = 0; // of the item's first click in it, since 1970; earlier and later times are cut
  };

  void grow(std::size_t items) { lists_.resize(items); }
  void clear(ItemNumber item) { lists_[item] = {}; }
  // Oldest first.
  [[nodiscard]] std::span<const Entry> of(ItemNumber item) const { return lists_[item]; }

  // The session's first click on the item, already in the table.
  void add(ItemNumber item, SessionNumber session, const SessionTable& table);
  // An entry added before. `time` as it was then.
  void remove(ItemNumber item, SessionNumber session, std::int64_t time);
  // Of a session in which the item was first clicked at `time`.
  [[nodiscard]] static Entry entry(SessionNumber session, std::int64_t time);
  // A list as of() gave it. False, and the list left empty, when a session does not hold the item or the order is not theirs.
  // REQUIRES: `holders` are the entries of all sessions that hold the item, by their numbers. Different items may be restored side by side.
  // Cost: some 10 ns a session; at worst the logarithm of the holders each.
  bool restore(ItemNumber item, std::span<const SessionNumber> sessions, std::span<const Entry> holders, const SessionTable& table);
  [[nodiscard]] std::size_t bytes() const;

 private:
  std::size_t kept_;
  std::vector<std::vector<Entry>> lists_;
};

} // namespace attune
