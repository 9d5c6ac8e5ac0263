// Profile: all that is kept of one customer (DESIGN section 4).
//
//     profile = summary(all events up to the floors) + recent(events above them, sorted by (time, id))
//
// Every function here is pure. The same set of events gives the same Profile and the same bytes, in any order, number and
// batches, as long as no event arrives at or below the floor of its list; one that does is reported `late` and changes
// nothing. Not synchronized: one thread owns a Profile.
//
// How it is kept. `recent` is three lists, each with its own floor: orders and carts (256), impressions (64), everything else
// (256); none older than 30 days before the newest of its list. A batch is merged first and folded afterwards: what falls out
// is added to the summary (core/summary.h) and its list's floor moves up to it.
//
// Ids are unique within a customer, whatever the list. Of two events with one id the one of smaller (time, bytes of its kept form)
// stays: when the other is in `recent` and the smaller is above its floor, it takes the other's place, and the profile is what the
// smaller alone would have given, but for what the other had pushed out of `recent` meanwhile, which stays folded. A folded one
// stays.
//
// version() is the number of events counted in the tiles + those in recent + the aliases + version_base. forget, consent and
// merging raise version_base by as much as it would otherwise fall, so it is the one part of a profile that tells in which order
// events and their forgetting came.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "core/event.h"
#include "core/kept_event.h"
#include "core/money.h"
#include "core/summary.h"

namespace attune {

enum class RecentList : std::uint8_t { orders_and_carts = 0, impressions = 1, other = 2 };
inline constexpr std::size_t kRecentLists = 3;
inline constexpr std::array<std::size_t, kRecentLists> kRecentCapacity{256, 64, 256};
inline constexpr Milliseconds kRecentAge = std::chrono::hours(24 * 30);
inline constexpr std::uint32_t kProfileFormat = 1;

[[nodiscard]] RecentList list_of(EventType type);
[[nodiscard]] std::string_view list_name(RecentList list); // "orders_and_carts", "impressions", "other"

// A claim: `alias` became this customer by the identify event (time, id).
struct AliasClaim {
  CustomerId alias;
  Place by;
  friend bool operator==(const AliasClaim&, const AliasClaim&) = default;
};

struct Consent {
  bool granted = true;
  Place by;
  friend bool operator==(const Consent&, const Consent&) = default;
};

struct Profile {
  CustomerId customer;
  std::array<std::vector<KeptEvent>, kRecentLists> recent; // each sorted by place
  std::array<std::optional<Place>, kRecentLists> floors;
  Summary summary;
  // Identity.
  // Set: this is a pointer; .alias is whom it became, .by the claim. What else stands here is frozen content that the root has yet
  // to absorb, or nothing.
  std::optional<AliasClaim> moved_to;
  std::vector<AliasClaim> aliases; // whom this customer absorbed, sorted by alias
  std::optional<Place> forgotten; // everything at or before its time is refused; never expires
  std::optional<Consent> consent; // the newest by (time, id); while refused, nothing is kept
  std::uint64_t version_base = 0; // so that version() never falls

  // The number of events this profile has accepted; for people.
  [[nodiscard]] std::uint64_t version() const;
  [[nodiscard]] bool empty() const; // nothing is kept: no events, no facts
  friend bool operator==(const Profile&, const Profile&) = default;
};
// Bytes it takes, about. O(recent).
[[nodiscard]] std::size_t memory_of(const Profile& profile);

enum class Outcome : std::uint8_t {
  accepted,
  // Its id is known (in recent, in this batch, or by its hash): counted before. The profile changes only when this one is the
  // smaller of the two, see above.
  repeated,
  late, // at or below its list's floor and not recognised: for the late sink
  refused, // forgotten, or consent is refused: counted, never sent to a sink
};

// Merges `events` of this customer (or of its aliases), in any order, then folds. outcomes[i] speaks of events[i]; late is judged
// against the floors before the batch. Of a batch's events with one id the first that is not late is accepted, the others are
// repeated.
// REQUIRES: every event complete and not an identity event; profile.moved_to not set; the spans equally long.
// Cost: O((n + recent) log) once per batch, whatever the events' order: 0.6 to 1 us an event, and about 3 us once when it folds.
void apply(Profile& profile, std::span<const Event* const> events, std::span<Outcome> outcomes);

// forget and consent (DESIGN section 4). Never late; safe to repeat.
// Returns accepted when the profile changed, repeated otherwise.
//
// Forget at T removes what is at or before T. The summary goes wholly when anything in it may be that old (too much rather than too
// little), and stays when all of it is newer; hashes and floors at or below T go, those above stay. So forget may come before or
// after events on either side of T with the same bytes (but for version_base), unless the summary spans T.
Outcome forget(Profile& profile, const Event& event);
// The newest by (time, id) stands; of two in one place the refusal. A refusal forgets at its time, standing or not. One that comes
// to stand removes all other events too, and until consent is granted again every event is refused, whatever its time.
Outcome consent(Profile& profile, const Event& event);

// identify, step 2: `into` absorbs the frozen content of its alias (recent, summary, facts, at the higher floors) and records the
// claim. Absorbing the same alias again changes nothing. The claims the alias held come along.
void absorb(Profile& into, const Profile& frozen, const AliasClaim& claim);
// Whether `profile` has absorbed `alias`.
[[nodiscard]] bool has_alias(const Profile& profile, const CustomerId& alias);
// identify, step 3: what remains of an absorbed alias: the pointer and, if any, its forget marker.
void drop_content(Profile& alias);

// The union of two profiles of one customer built from disjoint or overlapping events: for import and partial rebuilds. Exact, and
// the same whichever way round, as long as no event stands in both summaries; an event folded in one and recent in the other counts
// once while its hash is kept. Two equal summaries are taken for one. `into` keeps its own customer and pointer.
void merge(Profile& into, const Profile& other);

enum class Held : std::uint8_t { held, unknown, late, refused };
// Whether the profile holds the event (in recent, or its hash is kept; of an identity event: its effect); if not, whether it ever
// could. Cost: under a microsecond.
[[nodiscard]] Held holds(const Profile& profile, EventType type, const Place& place);

// --- What is read off a profile: pure functions of (profile, now) -----------------------------------------------------

[[nodiscard]] std::optional<Timestamp> first_time(const Profile& profile);
[[nodiscard]] std::optional<Timestamp> last_time(const Profile& profile);
// Over everything. Of custom types beyond the bound of a folded tile only the sum is known, under kOtherCustomTypes.
[[nodiscard]] TypeCounts counts(const Profile& profile);
// Events that name each item, sorted by item; of what was folded, the items the tiles keep by name.
[[nodiscard]] NamedCounts item_counts(const Profile& profile);
[[nodiscard]] Spend spend(const Profile& profile);

// All of `recent`, in order of place. Pointers into the profile.
[[nodiscard]] std::vector<const KeptEvent*> recent_in_order(const Profile& profile);

struct CartLine {
  ItemId item;
  std::int64_t quantity = 0;
  std::optional<Money> price;
  Currency currency;
  Timestamp time; // of the newest add
};
// cart_add adds (1 when it names no quantity), cart_remove takes its quantity away (all of it when it names none), a purchase takes
// its items out. Price and currency are the newest add's. By the newest add, oldest first.
[[nodiscard]] std::vector<CartLine> cart(const Profile& profile);

// The newest purchase; the lines of one `order` bought in several events are one, oldest first. Its lines are in `items`.
[[nodiscard]] std::optional<Event> last_purchase(const Profile& profile);
[[nodiscard]] std::optional<Timestamp> last_purchase_of(const Profile& profile, const ItemId& item);

// Counts by type in (now − length, now]: exact over `recent`, by the hour (whole tiles that begin in it) beyond.
[[nodiscard]] TypeCounts window_counts(const Profile& profile, Timestamp now, Milliseconds length);

} // namespace attune
