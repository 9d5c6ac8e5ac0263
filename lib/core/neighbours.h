// Neighbours: session kNN over an index of all sessions, after VMIS-kNN (Kersbergen, Sprangers, Schelter: "Serenade: Low-Latency
// Session-Based Recommendation in e-Commerce at Scale", SIGMOD 2022).
//
// Of the asking session's last items, each distinct item weighs (length - place) / distinct items, place 0 the newest. The m newest
// sessions that share an item are its neighbours, similar by the sum of the weights of what they share; the k most similar count. A
// neighbour gives each of its items similarity x max(0, 1 - 0.1 p) x idf(item), where p is the place, from 1, of the newest item it
// shares, and idf the logarithm of sessions / sessions with the item, or 1 where that is 0.
//
// The index keeps the order of items in a session (a click on the item before it dropped) and the postings of an item newest first.
// A session of one item is no neighbour: it has nothing to add to the question.
// Immutable once built: any number of threads may ask. Cost of an answer: O(last_items x m + k x items of a session), whatever the
// size of the catalogue. Memory: 8 bytes a click, 16 an item, 8 a session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/candidates.h"
#include "core/model.h"
#include "core/session_table.h"

namespace attune {

// A session longer than this counts with its newest items only, so that no robot can make an answer slow.
inline constexpr std::size_t kMaxSessionItems = 1000;

// A session that shares items with the asking one.
struct Neighbour {
  SessionNumber session = 0;
  std::uint32_t shared = 0; // bit i: it holds the i-th distinct item of the question, newest first
  double similarity = 0;
};

// The end of the asking session.
class NeighbourQuestion {
 public:
  // `session`: oldest first; items never learned are kUnknownItem; each only takes its place, as an item of its own.
  NeighbourQuestion(std::span<const ItemNumber> session, std::size_t last_items);

  struct Asked {
    ItemNumber item = 0;
    std::uint32_t place = 0; // from 0, the newest
    double weight = 0;
  };
  [[nodiscard]] std::span<const Asked> asked() const { return asked_; } // distinct and known, newest first; at most 32

 private:
  std::vector<Asked> asked_;
};

class Neighbours {
 public:
  void build(const SessionTable& table);

  // The neighbours of the question, newest first. Replaces `out`.
  void find(const NeighbourQuestion& question, const ModelOptions& options, std::vector<Neighbour>& out) const;
  // Adds what these neighbours speak for to the neighbours' column.
  void add(const NeighbourQuestion& question, std::span<const Neighbour> neighbours, Candidates& candidates) const;

  // Why an item was chosen: of `of` neighbours that hold the item `beside` of the question, `with` hold the item too. `beside` is
  // the one that gave it most. REQUIRES: some neighbour holds the item.
  struct Evidence {
    ItemNumber beside = 0;
    std::size_t with = 0;
    std::size_t of = 0;
  };
  [[nodiscard]] Evidence why(const NeighbourQuestion& question, std::span<const Neighbour> neighbours, ItemNumber item) const;

  // The sessions with this item, newest first.
  [[nodiscard]] std::span<const SessionNumber> postings(ItemNumber item) const
  {
    return {postings_.data() + postings_begin_[item], postings_.data() + postings_begin_[item + 1]};
  }

 private:
  // Items of a session in their order; kAgainLater marks one that comes again later in it, so that skipping the marked leaves each
  // distinct item once, at its last place.
  static constexpr ItemNumber kAgainLater = kMaxItems;
  [[nodiscard]] std::span<const ItemNumber> items_of(SessionNumber session) const
  {
    return {items_.data() + items_begin_[session], items_.data() + items_begin_[session + 1]};
  }
  void keep_sessions(const SessionTable& table);
  void make_postings(std::size_t items);
  void weigh_items(std::size_t items);

  std::vector<ItemNumber> items_;
  std::vector<std::uint64_t> items_begin_{0};
  std::vector<SessionNumber> postings_;
  std::vector<std::uint64_t> postings_begin_{0};
  std::vector<double> idf_;
  std::size_t sessions_kept_ = 0;
};

} // namespace attune
