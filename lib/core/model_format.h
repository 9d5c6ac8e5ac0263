// A model file, little-endian. "Array" is a count (8 bytes) and the values as they stand in memory. Written by core/model_encoding.cc, read by
// core/model_decoding.cc.
//
//   "attune model"                       12 bytes
//   format version                       4 bytes
//   options                              idle, max_age, max_clicks, neighbours, rate, teach_first, teach_share: 8 bytes each
//   positions, sorted: count             per position topic (array of bytes), partition, offset (8 bytes each)
//   offers, sorted: count                per offer its name (array of bytes), impressions, redemptions (8 bytes each)
//   items, categories, slots             texts in the order of their numbers: array of sizes (4 bytes), array of bytes
//   facts                                array of ItemFacts (24 bytes)
//   items left                           array of their numbers (4 bytes), the first to be let go of first
//   clock, learned, repeated, late,      8 bytes each
//   ignored, refused
//   supported time                       array of SupportedTime::Witness (16 bytes)
//   refusals                             array of Refusals::Standing (32 bytes)
//   sessions, longest unused first       arrays of keys (16 bytes), sizes (2 bytes), and of their clicks: times (8), ids (8),
//                                        items (4), kinds (1)
//   postings                             arrays of sizes (4 bytes, per item) and of sessions (4 bytes, by their place above)
//   pairs                                arrays of sizes, transitions, clocks (4 bytes each, per item), partners (4 bytes), counts (28)
//   complements                          total of baskets (8 bytes), arrays of sizes and baskets (4 bytes, per item), partners (4 bytes),
//                                        counts (8)
//   popularity                           array of values (32 bytes, per item); per window the scale (8 bytes) and the best (4 bytes)
//   memberships                          segments: texts as above; array of sets of them (8 bytes); array of a set's number (2 bytes)
//                                        per click of the sessions above, empty when there are no segments
//   popularity in categories, then in    count of groups (8 bytes); per group arrays of items (4 bytes) and values (16), scales and
//   segments                             totals (16 bytes each)
//   repurchases                          arrays of habits (8 bytes) per item and per category, and one of all: an array of one
//   blend                                array of Weights
//   XXH3-64 of all bytes before          8 bytes
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "core/model_state.h"

namespace attune {

static_assert(std::endian::native == std::endian::little, "a model file is little-endian");
// Whoever changes one of these changes what a file holds: kModelFormat goes up.
static_assert(sizeof(ItemFacts) == 24 && sizeof(PairCounts) == 28 && sizeof(SessionKey) == 16 && sizeof(BasketCounts) == 8);
static_assert(sizeof(Repurchases::Habit) == 8 && sizeof(GroupPopularity::Values) == 16);
static_assert(sizeof(Refusals::Standing) == 32 && sizeof(SupportedTime::Witness) == 16 && kFeatures == 66);

inline constexpr std::string_view kModelMagic = "attune model";
inline constexpr std::uint32_t kModelFormat = 5;
inline constexpr std::size_t kModelHead = kModelMagic.size() + sizeof kModelFormat;
inline constexpr std::size_t kModelChecksum = 8;

} // namespace attune
