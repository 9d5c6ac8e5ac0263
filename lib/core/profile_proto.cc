#include "core/profile_proto.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <functional>

#include "core/proto_fields.h"

namespace attune {
namespace {

// Field numbers of message Profile; those of the small messages stand where they are written.
enum ProfileField : int {
  kFormat = 1,
  kRecent = 2, // and the two after it
  kFloors = 5, // and the two after it
  kTiles = 8,
  kNewestOrder = 9,
  kLastPurchasesField = 10,
  kFoldedTimes = 11,
  kFoldedHashesField = 12,
  kFirstTime = 13,
  kMovedTo = 14,
  kAliases = 15,
  kForgotten = 16,
  kConsent = 17,
  kVersionBase = 18,
};

using LastPurchase = std::pair<ItemId, Timestamp>;

// --- Writing ----------------------------------------------------------------------------------------------------------

template <class Sink>
void put(Sink& sink, const Place& place);
template <class Sink>
void put(Sink& sink, const AliasClaim& claim);
template <class Sink>
void put(Sink& sink, const Consent& consent);
template <class Sink>
void put(Sink& sink, const LastPurchase& last_purchase);

template <class Sink>
void put(Sink& sink, const Place& place)
{
  sink.signed_number(1, place.time.ms);
  sink.text(2, place.id.text);
}

template <class Sink, class Value>
void put_message(Sink& sink, int field, const Value& value)
{
  sink.message(field, [&value](auto& inner) { put(inner, value); });
}

template <class Sink>
void put(Sink& sink, const AliasClaim& claim)
{
  sink.text(1, claim.alias.text);
  put_message(sink, 2, claim.by);
}

template <class Sink>
void put(Sink& sink, const Consent& consent)
{
  sink.number(1, consent.granted ? 1 : 0);
  put_message(sink, 2, consent.by);
}

template <class Sink>
void put(Sink& sink, const LastPurchase& last_purchase)
{
  sink.text(1, last_purchase.first.text);
  sink.signed_number(2, last_purchase.second.ms);
}

template <class Sink>
void put(Sink& sink, const Summary& summary)
{
  for (const auto& tile : summary.tiles) sink.part(kTiles, tile.wire);
  if (summary.newest_order) sink.part(kNewestOrder, summary.newest_order->wire.view());
  for (const auto& entry : summary.last_purchases) put_message(sink, kLastPurchasesField, entry);
  sink.fixed64s(kFoldedTimes, summary.folded, [](const FoldedId& folded) { return folded.time.ms; });
  sink.fixed64s(kFoldedHashesField, summary.folded, [](const FoldedId& folded) { return folded.hash; });
  if (summary.first_time) sink.present_number(kFirstTime, ProtoLite::ZigZagEncode64(summary.first_time->ms));
}

template <class Sink>
void put(Sink& sink, const Profile& profile)
{
  sink.number(kFormat, kProfileFormat);
  for (std::size_t list = 0; list < kRecentLists; ++list)
    for (const auto& kept : profile.recent[list]) sink.part(kRecent + static_cast<int>(list), kept.wire.view());
  for (std::size_t list = 0; list < kRecentLists; ++list)
    if (profile.floors[list]) put_message(sink, kFloors + static_cast<int>(list), *profile.floors[list]);
  put(sink, profile.summary);
  if (profile.moved_to) put_message(sink, kMovedTo, *profile.moved_to);
  for (const auto& claim : profile.aliases) put_message(sink, kAliases, claim);
  if (profile.forgotten) put_message(sink, kForgotten, *profile.forgotten);
  if (profile.consent) put_message(sink, kConsent, *profile.consent);
  sink.number(kVersionBase, profile.version_base);
}

// --- Reading ----------------------------------------------------------------------------------------------------------
// Each read() takes the bytes of one message; false: it is not one.

bool read(std::string_view bytes, Place& place);
bool read(std::string_view bytes, AliasClaim& claim);
bool read(std::string_view bytes, Consent& consent);
bool read(std::string_view bytes, LastPurchase& last_purchase);
bool read(std::string_view bytes, StoredTile& tile);
bool read(std::string_view bytes, KeptEvent& kept);

bool valid(Timestamp time)
{
  return time >= kMinTime && time <= kMaxTime;
}

bool take_text(const ProtoReader& reader, int field, std::string& out, bool& good)
{
  if (reader.field != field) return false;
  good = good && reader.is_bytes(field);
  out = reader.bytes;
  return true;
}

bool take_number(const ProtoReader& reader, int field, std::uint64_t& out, bool& good)
{
  if (reader.field != field) return false;
  good = good && reader.is_number(field);
  out = reader.number;
  return true;
}

bool take_signed(const ProtoReader& reader, int field, std::int64_t& out, bool& good)
{
  std::uint64_t number = 0;
  if (!take_number(reader, field, number, good)) return false;
  out = ProtoLite::ZigZagDecode64(number);
  return true;
}

template <class Value>
bool take_message(const ProtoReader& reader, int field, Value& out, bool& good)
{
  if (reader.field != field) return false;
  good = good && reader.is_bytes(field) && read(reader.bytes, out);
  return true;
}

template <class Value>
bool take_one_of(const ProtoReader& reader, int field, std::vector<Value>& out, bool& good)
{
  if (reader.field != field) return false;
  out.emplace_back();
  return take_message(reader, field, out.back(), good);
}

// Runs `take` over all fields; it says whether the field is one it knows and clears `good` when its value is not.
template <class Take>
bool read_fields(std::string_view bytes, const Take& take)
{
  ProtoReader reader(bytes);
  bool good = true;
  while (good && reader.next()) good = take(reader, good) && good;
  return good && reader.done();
}

// Whether each value is less than the next, so that none stands twice.
template <class Values, class Less>
bool ascending(const Values& values, const Less& less)
{
  return std::adjacent_find(values.begin(), values.end(), [&less](const auto& a, const auto& b) { return !less(a, b); }) ==
         values.end();
}

template <class First, class Second>
bool ascending(const std::vector<std::pair<First, Second>>& values)
{
  return ascending(values, [](const auto& a, const auto& b) { return a.first < b.first; });
}

bool read(std::string_view bytes, Place& place)
{
  return read_fields(bytes,
                     [&place](const ProtoReader& reader, bool& good) {
                       return take_signed(reader, 1, place.time.ms, good) || take_text(reader, 2, place.id.text, good);
                     }) &&
         valid(place.time);
}

bool read(std::string_view bytes, AliasClaim& claim)
{
  return read_fields(bytes,
                     [&claim](const ProtoReader& reader, bool& good) {
                       return take_text(reader, 1, claim.alias.text, good) || take_message(reader, 2, claim.by, good);
                     }) &&
         !claim.alias.empty();
}

bool read(std::string_view bytes, Consent& consent)
{
  std::uint64_t granted = 0;
  const bool good = read_fields(bytes, [&](const ProtoReader& reader, bool& is_good) {
    return take_number(reader, 1, granted, is_good) || take_message(reader, 2, consent.by, is_good);
  });
  consent.granted = granted != 0;
  return good && granted <= 1;
}

bool read(std::string_view bytes, LastPurchase& last_purchase)
{
  return read_fields(bytes,
                     [&last_purchase](const ProtoReader& reader, bool& good) {
                       return take_text(reader, 1, last_purchase.first.text, good) ||
                              take_signed(reader, 2, last_purchase.second.ms, good);
                     }) &&
         valid(last_purchase.second);
}

bool read(std::string_view bytes, StoredTile& tile)
{
  auto read_back = StoredTile::of_wire(bytes);
  if (read_back) tile = std::move(*read_back);
  return read_back.has_value();
}

bool read(std::string_view bytes, KeptEvent& kept)
{
  auto read_back = KeptEvent::of_wire(SharedBytes(bytes));
  if (read_back) kept = std::move(*read_back);
  return read_back.has_value();
}

// A field that may stand once.
template <class Value>
bool take_optional(const ProtoReader& reader, int field, std::optional<Value>& out, bool& good)
{
  if (reader.field != field) return false;
  good = good && !out;
  return take_message(reader, field, out.emplace(), good);
}

bool take_fixed64s(const ProtoReader& reader, int field, std::string_view& out, bool& good)
{
  if (reader.field != field) return false;
  good = good && reader.is_bytes(field) && out.empty() && !reader.bytes.empty() && reader.bytes.size() % sizeof(std::uint64_t) == 0;
  out = reader.bytes;
  return true;
}

bool read_folded(std::string_view times, std::string_view hashes, std::vector<FoldedId>& out)
{
  if (times.size() != hashes.size()) return false;
  const std::size_t n = times.size() / sizeof(std::uint64_t);
  out.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    std::memcpy(&out[i].time.ms, times.data() + i * sizeof(std::uint64_t), sizeof(std::uint64_t));
    std::memcpy(&out[i].hash, hashes.data() + i * sizeof(std::uint64_t), sizeof(std::uint64_t));
    if (!valid(out[i].time) || (i > 0 && out[i] <= out[i - 1])) return false;
  }
  return true;
}

// `whole`: what the reader reads; the events stay parts of it.
template <std::size_t N>
bool take_listed(const SharedBytes& whole, const ProtoReader& reader, int first, std::array<std::vector<KeptEvent>, N>& out,
                 bool& good)
{
  if (reader.field < first || reader.field >= first + static_cast<int>(N)) return false;
  good = good && reader.is_bytes(reader.field);
  auto kept = good ? KeptEvent::of_wire(SharedBytes(whole, reader.bytes)) : std::nullopt;
  good = kept.has_value();
  if (good) out[static_cast<std::size_t>(reader.field - first)].push_back(std::move(*kept));
  return true;
}

template <std::size_t N>
bool take_floor(const ProtoReader& reader, std::array<std::optional<Place>, N>& out, bool& good)
{
  if (reader.field < kFloors || reader.field >= kFloors + static_cast<int>(N)) return false;
  return take_optional(reader, reader.field, out[static_cast<std::size_t>(reader.field - kFloors)], good);
}

bool recent_in_place(const Profile& profile)
{
  for (std::size_t list = 0; list < kRecentLists; ++list) {
    const auto& recent = profile.recent[list];
    const auto belongs = [list](const KeptEvent& kept) { return list_of(kept.type()) == static_cast<RecentList>(list); };
    if (!ascending(recent, before) || !std::all_of(recent.begin(), recent.end(), belongs)) return false;
    const auto& floor = profile.floors[list];
    if (floor && !recent.empty() && at_or_before(recent.front(), *floor)) return false;
  }
  return true;
}

bool in_order(const Profile& profile)
{
  const auto tile_before = [](const StoredTile& a, const StoredTile& b) {
    return a.start != b.start ? a.start < b.start : a.granularity < b.granularity;
  };
  const auto claim_before = [](const AliasClaim& a, const AliasClaim& b) { return a.alias < b.alias; };
  const auto& order = profile.summary.newest_order;
  return recent_in_place(profile) && (!order || order->type() == EventType::purchase) &&
         ascending(profile.summary.tiles, tile_before) && ascending(profile.summary.last_purchases) &&
         ascending(profile.aliases, claim_before);
}

// Empty: it is a profile; else why not.
std::string_view read_profile(const SharedBytes& bytes, Profile& profile)
{
  std::uint64_t format = 0;
  std::string_view folded_times;
  std::string_view folded_hashes;
  const auto take_first_time = [&profile](const ProtoReader& reader, bool& good) {
    return take_signed(reader, kFirstTime, profile.summary.first_time.emplace().ms, good);
  };
  const bool good = read_fields(bytes.view(), [&](const ProtoReader& reader, bool& is_good) {
    return take_listed(bytes, reader, kRecent, profile.recent, is_good) || take_floor(reader, profile.floors, is_good) ||
           take_one_of(reader, kTiles, profile.summary.tiles, is_good) ||
           take_optional(reader, kNewestOrder, profile.summary.newest_order, is_good) ||
           take_one_of(reader, kLastPurchasesField, profile.summary.last_purchases, is_good) ||
           take_fixed64s(reader, kFoldedTimes, folded_times, is_good) ||
           take_fixed64s(reader, kFoldedHashesField, folded_hashes, is_good) ||
           (reader.field == kFirstTime && take_first_time(reader, is_good)) ||
           take_optional(reader, kMovedTo, profile.moved_to, is_good) || take_one_of(reader, kAliases, profile.aliases, is_good) ||
           take_optional(reader, kForgotten, profile.forgotten, is_good) ||
           take_optional(reader, kConsent, profile.consent, is_good) || take_number(reader, kFormat, format, is_good) ||
           take_number(reader, kVersionBase, profile.version_base, is_good);
  });
  if (format > kProfileFormat) return "written in a newer format";
  if (!good || format != kProfileFormat) return "not a profile";
  if (!read_folded(folded_times, folded_hashes, profile.summary.folded) || !in_order(profile) ||
      (profile.summary.first_time && !valid(*profile.summary.first_time)))
    return "damaged";
  return {};
}

} // namespace

void encode_profile(const Profile& profile, std::string& out)
{
  out.clear();
  append_profile(profile, out);
}

void append_profile(const Profile& profile, std::string& out)
{
  append_proto([&profile](auto& sink) { put(sink, profile); }, out);
}

Result<Profile> decode_profile(const CustomerId& customer, std::string_view bytes)
{
  Profile profile;
  profile.customer = customer;
  if (const auto fault = read_profile(SharedBytes(bytes), profile); !fault.empty())
    return Error{Code::bad_data, "profile of " + customer.text + ": " + std::string(fault)};
  return profile;
}

Digest digest_of(std::string_view bytes)
{
  Digest digest{};
  if (bytes.empty()) return digest;
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  std::copy(std::begin(canonical.digest), std::end(canonical.digest), digest.begin());
  return digest;
}

} // namespace attune
