// Tile: what a summary (core/summary.h) counts of the events of one hour, day or month: additive integers, by type, item and
// category.
//
// By whole UTC days (floor division, also before 1970): an event is counted in the tile of its hour when its day is at most 8 days
// before the day of the profile's newest event, else of its day when at most 35, else of its month (a month's tile holds the days
// of it that are not in day tiles). Rolling hours up to days and days up to months adds integers, so it commutes with counting.
// Names. A tile keeps the K items (categories, custom types) of smallest XXH3-64, ties by name; the rest is added to `other`.
// A name among the K smallest of a union is among the K smallest of each part it is in, so its count is whole; a name once dropped
// has K smaller ones beside it for ever. So this commutes too.
// Pure values; one thread owns one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/kept_event.h"
#include "core/money.h"

namespace attune {

inline constexpr std::size_t kTileItems = 32; // K: items kept by name per tile
inline constexpr std::size_t kTileCategories = 16;
inline constexpr std::size_t kTileCustomTypes = 16; // custom types kept by name wherever counts by type stand in a tile
inline constexpr std::string_view kOtherCustomTypes = "x."; // the rest; no event has this type
inline constexpr std::int64_t kHourTileDays = 8;
inline constexpr std::int64_t kDayTileDays = 35;

enum class Granularity : std::uint8_t { hour = 1, day = 2, month = 3 };

// The tile an event at `time` belongs to in a profile whose newest event is at `newest`.
[[nodiscard]] Granularity granularity_at(Timestamp time, Timestamp newest);
[[nodiscard]] Timestamp tile_start(Granularity granularity, Timestamp time);
[[nodiscard]] Timestamp tile_end(Granularity granularity, Timestamp start); // where the next one of its kind begins
[[nodiscard]] std::int64_t day_of(Timestamp time); // days since 1970-01-01

// Counts by type of event; custom types by their own names. Sorted by name.
using TypeCounts = std::vector<std::pair<std::string, std::uint64_t>>;
using NamedCounts = std::vector<std::pair<std::string, TypeCounts>>; // sorted by name
using Spend = std::vector<std::pair<Currency, Total>>; // sorted by currency; purchases − refunds

void add_count(TypeCounts& counts, std::string_view type, std::uint64_t n);
void add_counts(TypeCounts& into, const TypeCounts& from);
// The counts of `name`, made when there are none yet.
[[nodiscard]] TypeCounts& counts_of(NamedCounts& counts, std::string_view name);
void add_spend(Spend& spend, const Currency& currency, const Total& amount);
// What an event adds to its customer's spend: plus for a purchase, minus for a refund, nothing for any other.
[[nodiscard]] std::optional<Total> spend_of(const KeptView& event);

struct Tile {
  Granularity granularity = Granularity::hour;
  Timestamp start;
  TypeCounts counts;
  Spend spend;
  NamedCounts items; // events per item they name
  TypeCounts other_items;
  NamedCounts categories; // events per category they name
  TypeCounts other_categories;

  void count(const KeptView& event);
  void add(const Tile& other); // its counts; this tile's granularity and start stay
  friend bool operator==(const Tile&, const Tile&) = default;
};

// A tile in its Protobuf form (message Tile of share/schemas/profile.proto). A profile may have hundreds and a batch touches one or
// two, so the others are carried as bytes.
struct StoredTile {
  Granularity granularity = Granularity::hour;
  Timestamp start;
  std::uint64_t events = 0; // the sum of counts
  std::string wire;

  [[nodiscard]] static StoredTile of(const Tile& tile);
  // Takes bytes as they were stored. Only granularity, start and events are checked; nothing when they are not there. The rest is
  // read as far as it goes.
  [[nodiscard]] static std::optional<StoredTile> of_wire(std::string_view wire);

  [[nodiscard]] Tile tile() const; // cost: about a microsecond
  [[nodiscard]] TypeCounts counts() const; // of tile(), alone
  friend bool operator==(const StoredTile&, const StoredTile&) = default;
};

} // namespace attune
