// The JSON forms of a profile. The record is lossless (profile-update prints it, import reads it, export writes it); the view is
// for people and readers of one profile (attune-profile get). Both begin with the same fields:
//
//   {"customer","version","first_time","last_time","floors":{LIST:{"time","id"}},"counts":{TYPE:n},
//    "items":{ITEM:{TYPE:n}} (view, when asked),"cart":[{"item","quantity","price","currency","time"}],
//    "last_purchase":{"time","order","items":[…]}|null,"spend":{CUR:"123.45"},
//    "session":{"id","start","items":[…oldest
// first]}|null,"affinity":{CATEGORY:weight},"windows":{"1h":{TYPE:n},"24h":…,"7d":…},"recent":[…] (record, or when asked)}
//
// The record (its affinity knows no catalog, its windows are as of the newest event) adds "recent" (canonical events, by list order
// then place) and, where there are any:
//
//    "summary":{"tiles":[{"granularity":"hour","start","counts":{TYPE:n},"spend":{CUR:"1.5"},"items":{ITEM:{TYPE:n}},
//    "other_items":{TYPE:n},"categories":{NAME:{TYPE:n}},"other_categories":{TYPE:n}}],"newest_order":EVENT|null,
//    "last_purchases":{ITEM:time},"folded":[[time,"16 hex digits"]],"first_time":time|null},
//    "aliases":[{"alias","time","id"}],"moved_to":{"customer","time","id"}|null,"forgotten":{"time","id"}|null,
//    "consent":{"granted","time","id"}|null,"version_base":n
//
// Money is a decimal string, a time integer ms. Keys stand in this order; no spaces; one line; no newline. What an event did not
// say (price, currency, order) is left out.
#pragma once

#include <string>
#include <string_view>

#include "core/catalog.h"
#include "core/profile.h"

namespace attune {

struct ViewOptions {
  std::optional<Timestamp> at; // for windows, session and affinity; default: the profile's newest event
  bool items = false;
  bool recent = false;
};

void append_profile_view(const Profile& profile, const Catalog& catalog, const ViewOptions& options, std::string& out);
void append_profile_record(const Profile& profile, std::string& out);

// Reads a record back: parse(append(p)) == p. The derived fields (counts, cart, windows, …) are read over; `customer`, `recent` and
// `summary` must be there, unknown fields are refused. Total. Keeps one parser per thread.
// ERRORS: the field and the reason ("summary.tiles[3].start: not RFC 3339 and not integer milliseconds").
[[nodiscard]] Result<Profile, Reject> parse_profile_record(std::string_view json);

} // namespace attune
