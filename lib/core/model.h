// Model: what was learned from all sessions: neighbours (an index of sessions) and popularity. A function of the SET of events
// learned: any order, any repetition and any split into merged parts give the same model and the same bytes. (Of different events
// under one id, the one of the smallest time stays.)
// Not synchronized while it learns; a const Model may be read by many threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/position.h"
#include "core/event.h"

namespace attune {

struct ModelOptions {
  Milliseconds idle = std::chrono::minutes(30); // clicks without a session id of the site are cut into sessions here
  std::size_t neighbours_m = 500; // newest sessions considered
  std::size_t neighbours_k = 500; // kept for scoring
  std::size_t last_items = 9; // of the asking session
  Milliseconds popular_half_life = std::chrono::hours(24 * 7); // a click this much older than the newest counts half

  // idle 1 ms to 365 days, m and k 1 to 1,000,000, last_items 1 to 32, half-life 1 hour to 3,650 days.
  [[nodiscard]] bool valid() const;
  friend bool operator==(const ModelOptions&, const ModelOptions&) = default;
};

class Model {
 public:
  explicit Model(const ModelOptions& options = {}); // REQUIRES: options.valid()
  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  // Learns views, clicks, cart_add and purchases (one click per line); other types are read over. REQUIRES: the event has id and
  // time.
  void learn(const Event& event);
  // Everything `other` learned. Positions: of a partition both have read, the smaller stays, since reading again does no harm.
  // REQUIRES: equal options.
  void merge(const Model& other);
  // Makes the model ready to answer and to be written after learn and merge. Nothing to do costs nothing; else O(clicks log
  // clicks).
  void freeze();

  // Up to where each partition of a log was read, sorted; kept in the file, for people and for whoever goes on from there.
  std::vector<LogPosition> positions;

  // Of what is frozen, but `repeated`: clicks dropped since this object was made because they had been learned before.
  struct Holdings {
    std::uint64_t clicks = 0, sessions = 0, items = 0, repeated = 0;
    std::optional<Timestamp> oldest, newest;
  };
  [[nodiscard]] Holdings holdings() const;
  [[nodiscard]] const ModelOptions& options() const;
  // 16 hex digits over options and contents, positions left out: equal models, equal names. REQUIRES: frozen.
  [[nodiscard]] std::string name() const;

  // The file (core/model_encoding.cc describes it): magic, version, options, positions, contents, XXH3-64 checksum. Same model,
  // same bytes; replaces `out`. Under 20 bytes a click. REQUIRES: frozen.
  void encode(std::string& out) const;
  // Frozen. ERRORS: bad_data with the reason (not a model, another version, cut short, damaged). Total. Cost: under 0.1 us a click.
  static Result<Model> decode(std::string_view bytes);

  struct Index; // core/model_index.h
  [[nodiscard]] const Index& index() const { return *index_; }

 private:
  std::unique_ptr<Index> index_;
};

} // namespace attune
