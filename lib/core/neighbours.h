// Neighbours: past sessions that share items with the asking one, and what they speak for. The postings of its last items are walked
// from the newest on, at most so many each (the early stop of VMIS-kNN: Kersbergen, Sprangers, Schelter, "Serenade: Low-Latency
// Session-Based Recommendation in e-Commerce at Scale", SIGMOD 2022), and each session met gives to the columns of its items:
//
//   vmis        similarity by the place of what is shared, times max(0, 1 - 0.1 p), p the place from 1 of the newest shared item in
//               the asking session; in the end times idf
//   vsknn       cosine similarity alone
//   vstan       cosine similarity under exp(-place / 1.5), times exp(-distance to the shared item in the neighbour / 2), times
//               exp(-place / 2): STAN (Garg et al., SIGIR 2019) and VSTAN (Ludewig et al., UMUAI 2020) without the time decay
//   rec_vstan   vstan times 1 / (1 + rank / 50), rank the neighbour's place in the posting list it was met in: recency without a
//               constant of time
//   follow      vstan's weight, to the direct successor of the shared item alone; follow_two: where the item before is shared too
//
// Cost of an answer: O(sessions met x items of a session), whatever the size of the catalogue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/candidates.h"
#include "core/item_table.h"
#include "core/postings.h"
#include "core/question.h"

namespace attune {

inline constexpr std::size_t kLastItems = 9; // of the asking session that are looked at

// A session that shares items with the asking one.
struct Neighbour {
  SessionNumber session = 0;
  float linear = 0; // sum over shared items of (length - place) / distinct
  float exponential = 0; // sum over shared items of exp(-place / 1.5)
  std::uint16_t place = 0; // from 0, of the newest shared item in the asking session
  std::uint16_t shared = 0; // bit i: it was met at the i-th distinct item, newest first
  std::uint32_t rank = 0; // its place in the list it was first met in, 0 the newest
};

// The end of the asking session: its distinct known items, newest first.
struct Asked {
  ItemNumber item = 0;
  std::uint16_t place = 0;
};
void distinct_items(std::span<const ItemNumber> session, std::vector<Asked>& out, std::size_t last = kLastItems);

// One thread's working memory.
class NeighbourSearch {
 public:
  // VMIS-kNN as published, alone: the `newest` sessions that share an item, whatever item; what they speak for goes to the vmis column,
  // idf included. Sessions longer than 99.5 % of all are no neighbours.
  void find_newest(const Question& question, const Postings& postings, std::size_t newest);
  void add_vmis(const Question& question, const SessionTable& table, const ItemTable& items, Candidates& candidates) const;

  // Walks up to `newest` sessions of the last item, a quarter as many of the one before, a sixth of the next, and so on.
  void find(const Question& question, const SessionTable& table, const Postings& postings, std::size_t newest);
  // Adds what find() found speaks for; vmis without its idf.
  void add(const Question& question, const SessionTable& table, Candidates& candidates) const;

  [[nodiscard]] std::span<const Neighbour> neighbours() const { return found_; }
  [[nodiscard]] std::span<const Asked> asked() const { return asked_; }

  // Why an item was chosen: of `of` neighbours that hold the item `beside` of the question, `with` hold the item too. `beside` is
  // the one that most of them share. `of` is 0 when no neighbour holds the item.
  struct Evidence {
    ItemNumber beside = kUnknownItem;
    std::size_t with = 0;
    std::size_t of = 0;
  };
  [[nodiscard]] Evidence why(ItemNumber item, const SessionTable& table) const;

 private:
  struct Mark {
    SessionNumber session = kNoSession;
    std::uint32_t at = 0;
  };
  void begin(const Question& question, std::size_t most);
  Neighbour* known(SessionNumber session);

  std::vector<Asked> asked_;
  std::vector<Neighbour> found_;
  std::vector<Mark> marks_; // a hash table of what is in found_
  std::vector<std::uint32_t> used_marks_;
};

} // namespace attune
