#include "core/tile.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <chrono>

#include "core/proto_fields.h"

namespace attune {
namespace {

using Day = std::chrono::sys_days;

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;

std::int64_t floor_div(std::int64_t a, std::int64_t b)
{
  return a / b - (a % b < 0 ? 1 : 0);
}

std::chrono::year_month month_of(Timestamp time)
{
  const std::chrono::year_month_day date{Day(std::chrono::days(day_of(time)))};
  return date.year() / date.month();
}

Timestamp month_start(std::chrono::year_month month)
{
  return {Day(month / 1).time_since_epoch().count() * kDayMs};
}

// How names compete for the places of a tile: by hash, then by name.
using Rank = std::pair<std::uint64_t, std::string_view>;

Rank rank_of(std::string_view name)
{
  return {XXH3_64bits(name.data(), name.size()), name};
}

// The ranks from this one on are out. It has its own copy of the name, since the names it judges move meanwhile.
struct Bound {
  std::uint64_t hash = 0;
  std::string name;
  [[nodiscard]] bool drops(std::string_view other) const { return rank_of(other) >= Rank{hash, name}; }
};

// REQUIRES: more than `k` ranks.
Bound bound_after(std::vector<Rank>& ranks, std::size_t k)
{
  std::nth_element(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(k), ranks.end());
  return {ranks[k].first, std::string(ranks[k].second)};
}

bool is_named_custom_type(std::string_view type)
{
  return type.starts_with(kOtherCustomTypes) && type.size() > kOtherCustomTypes.size();
}

// Leaves the kTileCustomTypes custom types of smallest rank; what others counted goes to kOtherCustomTypes.
void bound_custom_types(TypeCounts& counts)
{
  std::vector<Rank> ranks;
  for (const auto& [type, n] : counts)
    if (is_named_custom_type(type)) ranks.push_back(rank_of(type));
  if (ranks.size() <= kTileCustomTypes) return;
  const Bound bound = bound_after(ranks, kTileCustomTypes);
  std::uint64_t dropped = 0;
  std::erase_if(counts, [&bound, &dropped](const auto& entry) {
    const bool drop = is_named_custom_type(entry.first) && bound.drops(entry.first);
    if (drop) dropped += entry.second;
    return drop;
  });
  add_count(counts, kOtherCustomTypes, dropped);
}

void add_bounded(TypeCounts& into, const TypeCounts& from)
{
  add_counts(into, from);
  bound_custom_types(into);
}

void count_bounded(TypeCounts& counts, std::string_view type, std::uint64_t n)
{
  const std::size_t before = counts.size();
  add_count(counts, type, n);
  if (counts.size() > before) bound_custom_types(counts);
}

// Leaves the `k` names of smallest rank; what others counted goes to `other`.
void keep_smallest(NamedCounts& named, std::size_t k, TypeCounts& other)
{
  if (named.size() <= k) return;
  std::vector<Rank> ranks;
  ranks.reserve(named.size());
  for (const auto& [name, counts] : named) ranks.push_back(rank_of(name));
  const Bound bound = bound_after(ranks, k);
  std::erase_if(named, [&bound, &other](const auto& entry) {
    const bool drop = bound.drops(entry.first);
    if (drop) add_bounded(other, entry.second);
    return drop;
  });
}

void count_names(NamedCounts& named, std::size_t k, TypeCounts& other, std::vector<std::string_view> names, std::string_view type)
{
  if (names.size() > k) {
    // Of an event with many items only the k of smallest rank can be among the tile's; the rest need not pass through it.
    std::nth_element(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(k), names.end(),
                     [](std::string_view a, std::string_view b) { return rank_of(a) < rank_of(b); });
    count_bounded(other, type, names.size() - k);
    names.resize(k);
  }
  for (const auto name : names) count_bounded(counts_of(named, name), type, 1);
  keep_smallest(named, k, other);
}

void add_names(NamedCounts& into, const NamedCounts& from, std::size_t k, TypeCounts& other)
{
  for (const auto& [name, counts] : from) add_bounded(counts_of(into, name), counts);
  keep_smallest(into, k, other);
}

// --- The stored form --------------------------------------------------------------------------------------------------

// Field numbers of message Tile. What a profile needs of every tile stands first.
enum TileField : int {
  kGranularity = 1,
  kStart = 2,
  kEvents = 3,
  kCounts = 4,
  kSpend = 5,
  kItems = 6,
  kOtherItems = 7,
  kCategories = 8,
  kOtherCategories = 9,
};
// Of TypeCount and NamedCounts.
enum CountField : int { kName = 1, kCount = 2 };
enum SpendField : int { kCurrency = 1, kHigh = 2, kLow = 3 };

using TypeCount = TypeCounts::value_type;
using NamedCount = NamedCounts::value_type;
using Unsigned128 = unsigned __int128;

template <class Sink>
void put_counts(Sink& sink, int field, const TypeCounts& counts)
{
  for (const auto& [type, n] : counts) {
    sink.message(field, [&type = type, n = n](auto& inner) {
      inner.text(kName, type);
      inner.number(kCount, n);
    });
  }
}

template <class Sink>
void put_named(Sink& sink, int field, const NamedCounts& named)
{
  for (const auto& [name, counts] : named) {
    sink.message(field, [&name = name, &counts = counts](auto& inner) {
      inner.text(kName, name);
      put_counts(inner, kCount, counts);
    });
  }
}

template <class Sink>
void put_spend(Sink& sink, const Spend& spend)
{
  for (const auto& [currency, amount] : spend) {
    sink.message(kSpend, [&currency = currency, &amount = amount](auto& inner) {
      inner.text(kCurrency, currency.text());
      inner.signed_number(kHigh, static_cast<std::int64_t>(amount.micro >> 64));
      inner.number(kLow, static_cast<std::uint64_t>(amount.micro));
    });
  }
}

template <class Sink>
void put(Sink& sink, const Tile& tile, std::uint64_t events)
{
  sink.number(kGranularity, static_cast<std::uint64_t>(tile.granularity));
  sink.signed_number(kStart, tile.start.ms);
  sink.number(kEvents, events);
  put_counts(sink, kCounts, tile.counts);
  put_spend(sink, tile.spend);
  put_named(sink, kItems, tile.items);
  put_counts(sink, kOtherItems, tile.other_items);
  put_named(sink, kCategories, tile.categories);
  put_counts(sink, kOtherCategories, tile.other_categories);
}

void read_count(std::string_view bytes, TypeCounts& counts)
{
  TypeCount& entry = counts.emplace_back();
  ProtoReader reader(bytes);
  while (reader.next()) {
    if (reader.is_bytes(kName)) entry.first = reader.bytes;
    if (reader.is_number(kCount)) entry.second = reader.number;
  }
}

void read_named(std::string_view bytes, NamedCounts& named)
{
  NamedCount& entry = named.emplace_back();
  ProtoReader reader(bytes);
  while (reader.next()) {
    if (reader.is_bytes(kName)) entry.first = reader.bytes;
    if (reader.is_bytes(kCount)) read_count(reader.bytes, entry.second);
  }
}

void read_spend(std::string_view bytes, Spend& spend)
{
  std::optional<Currency> currency;
  std::int64_t high = 0;
  std::uint64_t low = 0;
  ProtoReader reader(bytes);
  while (reader.next()) {
    if (reader.is_bytes(kCurrency)) currency = parse_currency(reader.bytes);
    if (reader.is_number(kHigh)) high = reader.signed_number();
    if (reader.is_number(kLow)) low = reader.number;
  }
  const auto micro = (static_cast<Unsigned128>(static_cast<std::uint64_t>(high)) << 64) | low;
  if (currency) spend.emplace_back(*currency, Total{static_cast<Int128>(micro)});
}

void read_part(const ProtoReader& reader, Tile& tile)
{
  switch (reader.field) {
    case kCounts:
      return read_count(reader.bytes, tile.counts);
    case kSpend:
      return read_spend(reader.bytes, tile.spend);
    case kItems:
      return read_named(reader.bytes, tile.items);
    case kOtherItems:
      return read_count(reader.bytes, tile.other_items);
    case kCategories:
      return read_named(reader.bytes, tile.categories);
    case kOtherCategories:
      return read_count(reader.bytes, tile.other_categories);
    default:
      return;
  }
}

} // namespace

std::int64_t day_of(Timestamp time)
{
  return floor_div(time.ms, kDayMs);
}

Granularity granularity_at(Timestamp time, Timestamp newest)
{
  const std::int64_t age = day_of(newest) - day_of(time);
  if (age <= kHourTileDays) return Granularity::hour;
  return age <= kDayTileDays ? Granularity::day : Granularity::month;
}

Timestamp tile_start(Granularity granularity, Timestamp time)
{
  switch (granularity) {
    case Granularity::hour:
      return {floor_div(time.ms, kHourMs) * kHourMs};
    case Granularity::day:
      return {day_of(time) * kDayMs};
    case Granularity::month:
      return month_start(month_of(time));
  }
  return time;
}

Timestamp tile_end(Granularity granularity, Timestamp start)
{
  switch (granularity) {
    case Granularity::hour:
      return {start.ms + kHourMs};
    case Granularity::day:
      return {start.ms + kDayMs};
    case Granularity::month:
      return month_start(month_of(start) + std::chrono::months(1));
  }
  return start;
}

void add_count(TypeCounts& counts, std::string_view type, std::uint64_t n)
{
  const auto at = std::lower_bound(counts.begin(), counts.end(), type,
                                   [](const auto& entry, std::string_view name) { return entry.first < name; });
  if (at == counts.end() || at->first != type) {
    counts.insert(at, {std::string(type), n});
  } else {
    at->second += n;
  }
}

void add_counts(TypeCounts& into, const TypeCounts& from)
{
  for (const auto& [type, n] : from) add_count(into, type, n);
}

TypeCounts& counts_of(NamedCounts& counts, std::string_view name)
{
  auto at = std::lower_bound(counts.begin(), counts.end(), name,
                             [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
  if (at == counts.end() || at->first != name) at = counts.insert(at, {std::string(name), {}});
  return at->second;
}

void add_spend(Spend& spend, const Currency& currency, const Total& amount)
{
  auto at =
      std::lower_bound(spend.begin(), spend.end(), currency, [](const auto& entry, const Currency& c) { return entry.first < c; });
  if (at == spend.end() || at->first != currency) at = spend.insert(at, {currency, Total{}});
  // Through unsigned numbers: totals read from damaged bytes may be anything.
  at->second.micro = static_cast<Int128>(static_cast<Unsigned128>(at->second.micro) + static_cast<Unsigned128>(amount.micro));
}

std::optional<Total> spend_of(const KeptView& event)
{
  if ((event.type != EventType::purchase && event.type != EventType::refund) || event.currency.empty()) return std::nullopt;
  Total total;
  bool priced = false;
  for (const auto& line : event.order_lines()) {
    if (!line.price) continue;
    total.micro += Int128{line.quantity} * line.price->micro;
    priced = true;
  }
  if (!priced) return std::nullopt;
  if (event.type == EventType::refund) total.micro = -total.micro;
  return total;
}

void Tile::count(const KeptView& event)
{
  const std::string_view type = event.type_name();
  count_bounded(counts, type, 1);
  if (const auto amount = spend_of(event)) add_spend(spend, event.currency, *amount);
  if (auto named = event.items(); !named.empty()) count_names(items, kTileItems, other_items, std::move(named), type);
  if (!event.category.empty()) count_names(categories, kTileCategories, other_categories, {event.category}, type);
}

void Tile::add(const Tile& other)
{
  add_bounded(counts, other.counts);
  for (const auto& [currency, amount] : other.spend) add_spend(spend, currency, amount);
  add_bounded(other_items, other.other_items);
  add_names(items, other.items, kTileItems, other_items);
  add_bounded(other_categories, other.other_categories);
  add_names(categories, other.categories, kTileCategories, other_categories);
}

StoredTile StoredTile::of(const Tile& tile)
{
  StoredTile stored{tile.granularity, tile.start, 0, {}};
  for (const auto& [type, n] : tile.counts) stored.events += n;
  write_proto([&](auto& sink) { put(sink, tile, stored.events); }, stored.wire);
  return stored;
}

std::optional<StoredTile> StoredTile::of_wire(std::string_view wire)
{
  ProtoReader reader(wire);
  if (!reader.next() || !reader.is_number(kGranularity) || reader.number < 1 || reader.number > 3) return std::nullopt;
  StoredTile stored{static_cast<Granularity>(reader.number), {}, 0, std::string(wire)};
  bool more = reader.next();
  if (more && reader.is_number(kStart)) {
    stored.start = Timestamp{reader.signed_number()};
    more = reader.next();
  }
  if (more && reader.is_number(kEvents)) stored.events = reader.number;
  const bool in_range = stored.start >= kMinTime && stored.start <= kMaxTime;
  return in_range && stored.start == tile_start(stored.granularity, stored.start) ? std::optional(std::move(stored)) : std::nullopt;
}

Tile StoredTile::tile() const
{
  Tile tile;
  tile.granularity = granularity;
  tile.start = start;
  ProtoReader reader(wire);
  while (reader.next())
    if (reader.form == ProtoReader::Form::bytes) read_part(reader, tile);
  return tile;
}

TypeCounts StoredTile::counts() const
{
  TypeCounts counts;
  ProtoReader reader(wire);
  while (reader.next() && reader.field <= kCounts)
    if (reader.is_bytes(kCounts)) read_count(reader.bytes, counts);
  return counts;
}

} // namespace attune
