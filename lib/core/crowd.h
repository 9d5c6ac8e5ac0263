// Crowd: customers who shop, made up: events over a catalog with a structure that is known, so that it can be said what a perfect recommender
// would reach. No end: the next event, and the next.
//
// The rules of the crowd:
//   customers   each has a taste, three departments (an item's last category) more than the others, and its hours of the day; some come often
//   needs       what has accessories leads to them: more so once it is in the cart or was bought, in this visit or a later one
//   trends      every eighth item rises to five times its interest and falls again, each in its own days
//   visits      a few looks, one after the other: at an accessory of what the visit is about, at something of the same department, at something
//               by taste and by what is in fashion; things go into the cart, out of it again, are bought together, and now and then sent back
//   bots        look at anything, fast and for long, and buy nothing; their customers are bot-N
//
// Deterministic: catalog, options and number of events decide each byte, and a longer run begins as a shorter one. Pure: the time is simulated.
// Not synchronized. Memory: 4 bytes a customer, some 300 a visit under way, 60 an item. Cost: about 1 us an event; 20 us with the truth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/catalog.h"
#include "core/event.h"

namespace attune {

struct CrowdOptions {
  std::uint64_t seed = 1;
  std::size_t customers = 1000;
  Timestamp start{1'767'225'600'000}; // 2026-01-01
  double visits = 0.5; // of each customer a day, on average
  double bots = 0.01; // the share of visits that are theirs
  bool truth = false; // whether truth() is wanted
};

// Of a look that was not the first of its visit, asked just before it: how likely each item was, by the rules, to whoever knows all of them, the
// customer's taste and what went before.
struct CrowdTruth {
  static constexpr std::size_t kMost = 20;
  struct Chance {
    std::uint32_t item; // its place in the catalog that was given
    double probability;
  };
  std::vector<Chance> best; // kMost at most, the likeliest first
  double probability = 0; // of what was looked at
  std::size_t rank = 0; // of it among `best`, from 1; 0: it is none of them
  [[nodiscard]] double expected_hit() const; // the chance that it is among `best`: no list of kMost does better
  [[nodiscard]] double expected_reciprocal_rank() const; // likewise, MRR@20
};

class Crowd {
 public:
  // REQUIRES: at least two items, none of them deleted; `customers` at least 1.
  Crowd(std::vector<CatalogItem> catalog, CrowdOptions options);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // Fills `event`: whole, in the order of time.
  void next(Event& event);
  // Of that event; nothing when it is no look, or the first of its visit, or was not asked for.
  [[nodiscard]] const CrowdTruth* truth() const;
  [[nodiscard]] const std::vector<CatalogItem>& catalog() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace attune
