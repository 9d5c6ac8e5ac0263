#include "core/profile.h"

#include <algorithm>
#include <bit>
#include <iterator>

#include "base/assert.h"

namespace attune {
namespace {

std::size_t index_of(RecentList list)
{
  return static_cast<std::size_t>(list);
}

bool above(const std::optional<Place>& floor, Timestamp time, std::string_view id)
{
  if (!floor) return true;
  return time != floor->time ? time > floor->time : id > floor->id.text;
}

bool refuses(const Profile& profile, Timestamp time)
{
  return (profile.consent && !profile.consent->granted) || (profile.forgotten && time <= profile.forgotten->time);
}

// What is known of an id.
struct Known {
  enum class Where : std::uint8_t { nowhere, folded, recent, arrived };
  Where where = Where::nowhere;
  RecentList list = RecentList::other; // of recent
  std::uint32_t index = 0; // in that list, or among the arrivals
};

// Ids by their hash: open addressing, since it is built once per batch and only ever filled.
class IdTable {
 public:
  explicit IdTable(std::size_t ids) : slots_(std::bit_ceil(std::max<std::size_t>(ids, 8) * 2)) {}

  [[nodiscard]] Known& at(std::uint64_t hash)
  {
    std::size_t i = hash & (slots_.size() - 1);
    while (slots_[i].known.where != Known::Where::nowhere && slots_[i].hash != hash) i = (i + 1) & (slots_.size() - 1);
    slots_[i].hash = hash;
    return slots_[i].known;
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    Known known;
  };
  std::vector<Slot> slots_;
};

// Events on their way into the recent lists of a profile: recognised first, placed all at once.
class Arrivals {
 public:
  // At most `expected` events will come.
  Arrivals(Profile& profile, std::size_t expected) : profile_(profile)
  {
    if (expected > kFew) build_table(expected);
  }

  Outcome take(const Event& event)
  {
    if (refuses(profile_, *event.time)) return Outcome::refused;
    const std::uint64_t hash = hash_of(event.id);
    const Known known = find(hash);
    if (known.where == Known::Where::folded) return Outcome::repeated;
    const RecentList list = list_of(event.type);
    const bool placeable = above(profile_.floors[index_of(list)], *event.time, event.id.text);
    if (known.where == Known::Where::nowhere && !placeable) return Outcome::late;
    if (placeable) settle(known, KeptEvent::of(event), list);
    return known.where == Known::Where::nowhere ? Outcome::accepted : Outcome::repeated;
  }

  // Of another profile of this customer; floors are the caller's business.
  void take(const KeptEvent& kept, RecentList list)
  {
    const Known known = find(kept.id_hash);
    if (known.where != Known::Where::folded) settle(known, kept, list);
  }

  void place()
  {
    for (std::size_t list = 0; list < kRecentLists; ++list) {
      auto& recent = profile_.recent[list];
      remove_replaced(recent, replaced_[list]);
      const auto old = static_cast<std::ptrdiff_t>(recent.size());
      for (auto& arrival : arrivals_)
        if (index_of(arrival.list) == list) recent.push_back(std::move(arrival.kept));
      const auto middle = recent.begin() + old;
      std::sort(middle, recent.end(), before);
      // In a profile that is up to date new events stand at the end; only what they overtake has to move.
      if (middle != recent.end() && old > 0 && before(*middle, *(middle - 1)))
        std::inplace_merge(std::upper_bound(recent.begin(), middle, *middle, before), middle, recent.end(), before);
    }
  }

 private:
  struct Arrival {
    KeptEvent kept;
    RecentList list = RecentList::other;
  };

  // Up to here looking through the lists is cheaper than a table of them.
  static constexpr std::size_t kFew = 4;

  void build_table(std::size_t expected)
  {
    std::size_t ids = profile_.summary.folded.size() + expected;
    for (const auto& list : profile_.recent) ids += list.size();
    table_.emplace(ids);
    for (const auto& folded : profile_.summary.folded) table_->at(folded.hash).where = Known::Where::folded;
    for (std::size_t list = 0; list < kRecentLists; ++list)
      for (std::size_t i = 0; i < profile_.recent[list].size(); ++i)
        table_->at(profile_.recent[list][i].id_hash) = {Known::Where::recent, static_cast<RecentList>(list),
                                                        static_cast<std::uint32_t>(i)};
  }

  Known find(std::uint64_t hash) { return table_ ? table_->at(hash) : look_for(hash); }

  [[nodiscard]] Known look_for(std::uint64_t hash) const
  {
    for (std::size_t i = 0; i < arrivals_.size(); ++i)
      if (arrivals_[i].kept.id_hash == hash) return {Known::Where::arrived, arrivals_[i].list, static_cast<std::uint32_t>(i)};
    for (std::size_t list = 0; list < kRecentLists; ++list) {
      const auto& recent = profile_.recent[list];
      const auto at = std::find_if(recent.begin(), recent.end(), [hash](const KeptEvent& kept) { return kept.id_hash == hash; });
      if (at != recent.end())
        return {Known::Where::recent, static_cast<RecentList>(list), static_cast<std::uint32_t>(at - recent.begin())};
    }
    for (const auto& folded : profile_.summary.folded)
      if (folded.hash == hash) return {Known::Where::folded, RecentList::other, 0};
    return {};
  }

  // Lets the event in, or the smaller of the two when its id stands in recent or arrived already.
  void settle(const Known& known, KeptEvent kept, RecentList list)
  {
    if (known.where == Known::Where::arrived) {
      auto& standing = arrivals_[known.index];
      if (stays_before(kept, standing.kept)) standing = {std::move(kept), list};
      return;
    }
    if (known.where == Known::Where::recent) {
      if (!stays_before(kept, profile_.recent[index_of(known.list)][known.index])) return;
      replaced_[index_of(known.list)].push_back(known.index);
    }
    if (table_) table_->at(kept.id_hash) = {Known::Where::arrived, list, static_cast<std::uint32_t>(arrivals_.size())};
    arrivals_.push_back({std::move(kept), list});
  }

  static void remove_replaced(std::vector<KeptEvent>& recent, std::vector<std::uint32_t>& indexes)
  {
    std::sort(indexes.begin(), indexes.end(), std::greater<>());
    for (const auto i : indexes) recent.erase(recent.begin() + i);
  }

  Profile& profile_;
  std::optional<IdTable> table_;
  std::vector<Arrival> arrivals_;
  std::array<std::vector<std::uint32_t>, kRecentLists> replaced_;
};

// How many events at the front of a sorted list are to be folded.
std::size_t overflow(const std::vector<KeptEvent>& recent, std::size_t capacity, const std::optional<Place>& floor)
{
  if (recent.empty()) return 0;
  const auto front = [&recent](const auto& falls_out) {
    return static_cast<std::size_t>(std::partition_point(recent.begin(), recent.end(), falls_out) - recent.begin());
  };
  const Timestamp oldest = recent.back().time - kRecentAge;
  std::size_t n = recent.size() > capacity ? recent.size() - capacity : 0;
  if (recent.front().time < oldest) n = std::max(n, front([oldest](const KeptEvent& kept) { return kept.time < oldest; }));
  if (floor && at_or_before(recent.front(), *floor))
    n = std::max(n, front([&floor](const KeptEvent& kept) { return at_or_before(kept, *floor); }));
  return n;
}

// Brings the profile back into its bounds once its lists were added to. `newest_before`: of the profile as its tiles know it.
void refold(Profile& profile, const std::optional<Timestamp>& newest_before)
{
  const auto newest = last_time(profile);
  if (!newest) return;
  if (!newest_before || day_of(*newest_before) != day_of(*newest)) roll_up(profile.summary, *newest);
  for (std::size_t list = 0; list < kRecentLists; ++list) {
    auto& recent = profile.recent[list];
    auto& floor = profile.floors[list];
    const std::size_t n = overflow(recent, kRecentCapacity[list], floor);
    if (n == 0) continue;
    fold(profile.summary, std::span(recent).first(n), *newest);
    if (!floor || !at_or_before(recent[n - 1], *floor)) floor = recent[n - 1].place();
    recent.erase(recent.begin(), recent.begin() + static_cast<std::ptrdiff_t>(n));
  }
}

void erase_up_to(Profile& profile, Timestamp time)
{
  for (auto& recent : profile.recent) {
    const auto end =
        std::partition_point(recent.begin(), recent.end(), [time](const KeptEvent& kept) { return kept.time <= time; });
    recent.erase(recent.begin(), end);
  }
  auto& summary = profile.summary;
  if (summary.first_time && *summary.first_time <= time) {
    auto folded = std::move(summary.folded);
    summary = {};
    summary.folded = std::move(folded);
  }
  std::erase_if(summary.folded, [time](const FoldedId& folded) { return folded.time <= time; });
  for (auto& floor : profile.floors)
    if (floor && floor->time <= time) floor.reset();
}

void erase_all(Profile& profile)
{
  for (auto& recent : profile.recent) recent.clear();
  profile.floors = {};
  profile.summary = {};
}

bool refused(const Profile& profile)
{
  return profile.consent && !profile.consent->granted;
}

// Whether `a` stands rather than `b`.
bool overrules(const Consent& a, const Consent& b)
{
  return a.by != b.by ? a.by > b.by : !a.granted && b.granted;
}

void keep_version(Profile& profile, std::uint64_t version)
{
  const std::uint64_t now = profile.version();
  if (now < version) profile.version_base += version - now;
}

// Moves the forget marker up; what it forgets is the caller's to erase. Whether it moved.
bool mark_forgotten(Profile& profile, const Place& place)
{
  if (profile.forgotten && place <= *profile.forgotten) return false;
  profile.forgotten = place;
  return true;
}

void add_claim(std::vector<AliasClaim>& aliases, const AliasClaim& claim)
{
  const auto at = std::lower_bound(aliases.begin(), aliases.end(), claim,
                                   [](const AliasClaim& a, const AliasClaim& b) { return a.alias < b.alias; });
  if (at == aliases.end() || at->alias != claim.alias) {
    aliases.insert(at, claim);
  } else if (claim.by < at->by) {
    at->by = claim.by;
  }
}

void drop_folded(Profile& profile, const std::vector<FoldedId>& folded)
{
  IdTable table(folded.size());
  for (const auto& id : folded) table.at(id.hash).where = Known::Where::folded;
  for (auto& recent : profile.recent)
    std::erase_if(recent, [&table](const KeptEvent& kept) { return table.at(kept.id_hash).where == Known::Where::folded; });
}

// Facts first: what they forget is erased on each side by itself, where more is known of what a summary spans.
void merge_facts(Profile& into, Profile& other)
{
  if (other.forgotten) mark_forgotten(into, *other.forgotten);
  if (other.consent && (!into.consent || overrules(*other.consent, *into.consent))) into.consent = other.consent;
  for (const auto& claim : other.aliases) add_claim(into.aliases, claim);
  for (Profile* side : {&into, &other}) {
    if (into.forgotten) erase_up_to(*side, into.forgotten->time);
    if (refused(into)) erase_all(*side);
  }
}

void merge_events(Profile& into, Profile& other)
{
  drop_folded(into, other.summary.folded);
  std::size_t expected = 0;
  for (const auto& recent : other.recent) expected += recent.size();
  Arrivals arrivals(into, expected);
  for (std::size_t list = 0; list < kRecentLists; ++list) {
    for (const auto& kept : other.recent[list]) arrivals.take(kept, static_cast<RecentList>(list));
    if (other.floors[list]) into.floors[list] = std::max(into.floors[list], other.floors[list]);
  }
  arrivals.place();
  const auto newest = std::max(last_time(into), last_time(other));
  if (newest && into.summary != other.summary) add(into.summary, std::move(other.summary), *newest);
  refold(into, std::nullopt);
}

} // namespace

RecentList list_of(EventType type)
{
  switch (type) {
    case EventType::cart_add:
    case EventType::cart_remove:
    case EventType::purchase:
    case EventType::refund:
      return RecentList::orders_and_carts;
    case EventType::impression:
      return RecentList::impressions;
    default:
      return RecentList::other;
  }
}

std::string_view list_name(RecentList list)
{
  switch (list) {
    case RecentList::orders_and_carts:
      return "orders_and_carts";
    case RecentList::impressions:
      return "impressions";
    case RecentList::other:
      return "other";
  }
  return {};
}

std::uint64_t Profile::version() const
{
  std::uint64_t version = version_base + aliases.size();
  for (const auto& list : recent) version += list.size();
  for (const auto& tile : summary.tiles) version += tile.events;
  return version;
}

std::size_t memory_of(const Profile& profile)
{
  // What a kept event costs beyond its wire form: its place in the list, and now and then a block of its own.
  constexpr std::size_t kKeptOverhead = 48;
  constexpr std::size_t kOverhead = 1024;
  std::size_t bytes = kOverhead + profile.summary.tiles.size() * sizeof(Tile);
  for (const auto& list : profile.recent)
    for (const auto& kept : list) bytes += kept.wire.size() + kKeptOverhead;
  return bytes;
}

bool Profile::empty() const
{
  Profile nothing;
  nothing.customer = customer;
  return *this == nothing;
}

void apply(Profile& profile, std::span<const Event* const> events, std::span<Outcome> outcomes)
{
  ATTUNE_ASSERT(events.size() == outcomes.size());
  ATTUNE_ASSERT(!profile.moved_to);
  const auto newest_before = last_time(profile);
  Arrivals arrivals(profile, events.size());
  for (std::size_t i = 0; i < events.size(); ++i) outcomes[i] = arrivals.take(*events[i]);
  arrivals.place();
  refold(profile, newest_before);
}

Outcome forget(Profile& profile, const Event& event)
{
  ATTUNE_ASSERT(event.type == EventType::forget && event.time);
  const std::uint64_t version = profile.version();
  if (!mark_forgotten(profile, Place::of(event))) return Outcome::repeated;
  erase_up_to(profile, *event.time);
  keep_version(profile, version);
  return Outcome::accepted;
}

Outcome consent(Profile& profile, const Event& event)
{
  ATTUNE_ASSERT(event.type == EventType::consent && event.time && event.granted);
  const std::uint64_t version = profile.version();
  const Consent arriving{*event.granted, Place::of(event)};
  bool changed = false;
  if (!arriving.granted && mark_forgotten(profile, arriving.by)) {
    erase_up_to(profile, arriving.by.time);
    changed = true;
  }
  if (!profile.consent || overrules(arriving, *profile.consent)) {
    profile.consent = arriving;
    if (!arriving.granted) erase_all(profile);
    changed = true;
  }
  keep_version(profile, version);
  return changed ? Outcome::accepted : Outcome::repeated;
}

void absorb(Profile& into, const Profile& frozen, const AliasClaim& claim)
{
  if (has_alias(into, claim.alias)) return;
  merge(into, frozen);
  add_claim(into.aliases, claim);
}

bool has_alias(const Profile& profile, const CustomerId& alias)
{
  return std::binary_search(profile.aliases.begin(), profile.aliases.end(), AliasClaim{alias, {}},
                            [](const AliasClaim& a, const AliasClaim& b) { return a.alias < b.alias; });
}

void drop_content(Profile& alias)
{
  Profile pointer;
  pointer.customer = std::move(alias.customer);
  pointer.moved_to = std::move(alias.moved_to);
  pointer.forgotten = std::move(alias.forgotten);
  alias = std::move(pointer);
}

void merge(Profile& into, const Profile& other)
{
  const std::uint64_t version = std::max(into.version(), other.version());
  Profile rest = other;
  merge_facts(into, rest);
  merge_events(into, rest);
  into.version_base = std::max(into.version_base, rest.version_base);
  keep_version(into, version);
}

Held holds(const Profile& profile, EventType type, const Place& place)
{
  const auto held_if = [](bool held) { return held ? Held::held : Held::unknown; };
  const auto by = [&place](const AliasClaim& claim) { return claim.by == place; };
  switch (type) {
    case EventType::forget:
      return held_if(profile.forgotten && place <= *profile.forgotten);
    case EventType::consent:
      return held_if(profile.consent && place <= profile.consent->by);
    case EventType::identify:
      return held_if((profile.moved_to && by(*profile.moved_to)) ||
                     std::any_of(profile.aliases.begin(), profile.aliases.end(), by));
    default:
      break;
  }
  if (refuses(profile, place.time)) return Held::refused;
  const std::uint64_t hash = hash_of(place.id);
  const auto is_it = [hash](const KeptEvent& kept) { return kept.id_hash == hash; };
  for (const auto& recent : profile.recent)
    if (std::any_of(recent.begin(), recent.end(), is_it)) return Held::held;
  const auto& folded = profile.summary.folded;
  if (std::any_of(folded.begin(), folded.end(), [hash](const FoldedId& id) { return id.hash == hash; })) return Held::held;
  return above(profile.floors[index_of(list_of(type))], place.time, place.id.text) ? Held::unknown : Held::late;
}

} // namespace attune
