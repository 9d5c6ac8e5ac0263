// The stored form of a profile: Protobuf, share/schemas/profile.proto (package attune.v1, message Profile): sorted repeated fields,
// no maps, a format version. One profile has one encoding: equal profiles, equal bytes.
// Written over protobuf's own coded streams, because kept events and tiles are carried as bytes and need no decoding here.
// Cost of a full profile (576 kept events, 26 tiles, 80 KB): encoding about 5 us, decoding about 20 us and one allocation
// for all kept events.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "core/profile.h"

namespace attune {

void encode_profile(const Profile& profile, std::string& out); // replaces `out`
void append_profile(const Profile& profile, std::string& out);

// Fields in any order, as Protobuf allows; of kept events only id, time and type are looked at, of tiles
// granularity, start and events. Bounds of size are not checked: the next
// apply() restores them.
// ERRORS: bad_data for bytes that are not a profile of a known format version ("profile of CUSTOMER: …"): malformed, unknown
// fields, lists out of order, times and names beyond their limits. Total.
[[nodiscard]] Result<Profile> decode_profile(const CustomerId& customer, std::string_view bytes);

// 128-bit digest of a profile's bytes (XXH3), for compare-and-set, caches and ETag. All zero: no profile.
using Digest = std::array<std::uint8_t, 16>;
[[nodiscard]] Digest digest_of(std::string_view bytes);

} // namespace attune
