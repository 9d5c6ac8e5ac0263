// Promise 2, "same events, same profile, same bytes", and what identify, forget, consent and merging keep of it.

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <map>
#include <set>

#include "support/profile_builders.h"

namespace attune {
namespace {

using namespace testing;

// Everything a case needs is drawn from one seed, so that a counterexample is one number.
template <class Case>
void holds_for_seeds(const std::string& what, const Case& one_case)
{
  BOOST_TEST(rc::check(what, [&one_case] {
    Random random(*rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>())));
    one_case(random);
  }));
}

StreamKnobs random_knobs(Random& random)
{
  StreamKnobs knobs;
  knobs.events = 1 + below(random, below(random, 4) == 0 ? 1200 : 300);
  knobs.days = static_cast<std::int64_t>(1 + below(random, below(random, 2) == 0 ? 5 : 200));
  knobs.items = 5 + below(random, 120);
  knobs.odd = below(random, 3) == 0;
  return knobs;
}

std::vector<Event> random_arrivals(Random& random, const StreamKnobs& knobs)
{
  auto events = a_stream(random(), knobs);
  switch (below(random, 3)) {
    case 0:
      std::shuffle(events.begin(), events.end(), random);
      break;
    case 1:
      in_order(events);
      break;
    default:
      nearly_in_order(random, events, 1 + below(random, 72));
      break;
  }
  return events;
}

// Some of the events again, at any later moment.
std::vector<Event> with_repeats(Random& random, std::vector<Event> events)
{
  const std::size_t repeats = below(random, events.size() / 2 + 1);
  for (std::size_t i = 0; i < repeats; ++i) {
    const std::size_t from = below(random, events.size());
    const std::size_t to = from + 1 + below(random, events.size() - from);
    const Event again = events[from];
    events.insert(events.begin() + static_cast<std::ptrdiff_t>(to), again);
  }
  return events;
}

// What became of the events that were put in, by id. An id accepted once stays accepted, whatever its repeats are told.
using Fates = std::map<std::string, Outcome>;

void note(Fates& fates, const std::vector<Event>& events, const std::vector<Outcome>& outcomes)
{
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto [fate, is_new] = fates.emplace(events[i].id.text, outcomes[i]);
    if (!is_new && outcomes[i] == Outcome::accepted) fate->second = Outcome::accepted;
    RC_ASSERT((!is_new || outcomes[i] != Outcome::repeated));
  }
}

std::vector<Event> of_fate(const std::vector<Event>& events, const Fates& fates, Outcome wanted)
{
  std::vector<Event> chosen;
  std::set<std::string> seen;
  for (const auto& event : events)
    if (fates.at(event.id.text) == wanted && seen.insert(event.id.text).second) chosen.push_back(event);
  return chosen;
}

// In batches of any size; checks at each that the version does not fall.
void put_in_batches(Random& random, Profile& profile, const std::vector<Event>& events, Fates& fates)
{
  const std::size_t largest = 1 + below(random, below(random, 2) == 0 ? 6 : 300);
  for (std::size_t begin = 0; begin < events.size();) {
    const std::size_t end = std::min(events.size(), begin + 1 + below(random, largest));
    const std::vector<Event> batch(events.begin() + static_cast<std::ptrdiff_t>(begin),
                                   events.begin() + static_cast<std::ptrdiff_t>(end));
    const auto version = profile.version();
    note(fates, batch, put_in(profile, batch));
    RC_ASSERT(profile.version() >= version);
    begin = end;
  }
}

Profile ordered_profile_of(std::vector<Event> events)
{
  in_order(events);
  Profile profile = a_profile();
  for (const auto& event : events) RC_ASSERT(put_in(profile, event) == Outcome::accepted);
  return profile;
}

void equal(const Profile& a, const Profile& b)
{
  RC_ASSERT(a == b);
  RC_ASSERT(bytes_of(a) == bytes_of(b));
}

} // namespace

BOOST_AUTO_TEST_SUITE(profile_property)

BOOST_AUTO_TEST_CASE(any_order_repetition_and_batching_of_the_events_that_were_not_late_gives_the_same_bytes)
{
  holds_for_seeds("same events, same bytes", [](Random& random) {
    const auto events = with_repeats(random, random_arrivals(random, random_knobs(random)));
    Fates fates;
    Profile profile = a_profile();
    put_in_batches(random, profile, events, fates);

    auto accepted = of_fate(events, fates, Outcome::accepted);
    equal(profile, ordered_profile_of(accepted));
    std::shuffle(accepted.begin(), accepted.end(), random);
    equal(profile, profile_of(accepted));
    RC_ASSERT(profile.version() == accepted.size());
    RC_ASSERT(sum_of(counts(profile)) == accepted.size());
    const auto late = of_fate(events, fates, Outcome::late);
    RC_ASSERT(accepted.size() + late.size() == fates.size());
    RC_CLASSIFY(!late.empty(), "some late");
    RC_CLASSIFY(!profile.summary.tiles.empty(), "some folded");
  });
}

BOOST_AUTO_TEST_CASE(a_batch_in_order_of_all_events_late_ones_too_gives_the_profile_of_all)
{
  holds_for_seeds("rebuild", [](Random& random) {
    auto events = random_arrivals(random, random_knobs(random));
    const Profile all = profile_of(events);
    RC_ASSERT(all.version() == events.size());
    equal(all, ordered_profile_of(events));
    in_order(events);
    Fates fates;
    Profile in_batches = a_profile();
    put_in_batches(random, in_batches, events, fates);
    equal(all, in_batches);
  });
}

BOOST_AUTO_TEST_CASE(of_two_events_with_one_id_the_smaller_stays_in_whatever_order_they_come)
{
  holds_for_seeds("smaller of two", [](Random& random) {
    StreamKnobs knobs;
    knobs.events = 1 + below(random, 60);
    knobs.days = 20;
    auto events = a_stream(random(), knobs);
    const std::size_t different = events.size();
    for (std::size_t i = 0; i < different; ++i) {
      if (below(random, 3) != 0) continue;
      Event other = events[below(random, different)];
      other.id = events[i].id;
      if (below(random, 2) == 0) other.time = events[i].time;
      events.push_back(other);
    }
    std::map<std::string, KeptEvent> smallest;
    std::map<std::string, Event> kept;
    for (const auto& event : events) {
      const auto [at, is_new] = smallest.emplace(event.id.text, KeptEvent::of(event));
      if (is_new || stays_before(KeptEvent::of(event), at->second)) {
        at->second = KeptEvent::of(event);
        kept[event.id.text] = event;
      }
    }
    std::vector<Event> winners;
    for (const auto& [id, event] : kept) winners.push_back(event);

    std::shuffle(events.begin(), events.end(), random);
    Fates fates;
    Profile profile = a_profile();
    put_in_batches(random, profile, events, fates);
    equal(profile, profile_of(winners));
    RC_ASSERT(profile.version() == different);
  });
}

BOOST_AUTO_TEST_CASE(identify_at_any_moment_gives_the_bytes_of_all_events_under_one_customer)
{
  holds_for_seeds("identify", [](Random& random) {
    const auto events = random_arrivals(random, random_knobs(random));
    const std::size_t identified = below(random, events.size() + 1);
    std::vector<Event> to_alias, to_customer, afterwards;
    for (std::size_t i = 0; i < events.size(); ++i)
      (i >= identified ? afterwards : below(random, 2) == 0 ? to_alias : to_customer).push_back(events[i]);

    Fates fates;
    Profile alias = a_profile("anon-1");
    Profile customer = a_profile();
    put_in_batches(random, alias, with_repeats(random, to_alias), fates);
    put_in_batches(random, customer, with_repeats(random, to_customer), fates);
    const AliasClaim claim{CustomerId("anon-1"), {Timestamp{kNoon}, EventId("claim")}};
    alias.moved_to = AliasClaim{CustomerId("c1"), claim.by};
    const auto version = customer.version();
    absorb(customer, alias, claim);
    RC_ASSERT(customer.version() > version);
    const Profile once = customer;
    absorb(customer, alias, claim);
    equal(customer, once);
    drop_content(alias);
    RC_ASSERT(alias.version() == 0u);
    put_in_batches(random, customer, with_repeats(random, afterwards), fates);

    RC_ASSERT(customer.aliases == std::vector{claim});
    customer.aliases.clear();
    equal(customer, ordered_profile_of(of_fate(events, fates, Outcome::accepted)));
  });
}

// Exact when no event is in both summaries; what both have here is new enough to be in both `recent`.
BOOST_AUTO_TEST_CASE(merging_two_halves_gives_the_whole_whichever_way_round)
{
  holds_for_seeds("merge", [](Random& random) {
    auto events = random_arrivals(random, random_knobs(random));
    in_order(events);
    std::vector<Event> a, b;
    for (std::size_t i = 0; i < events.size(); ++i) {
      const bool newest = i + 50 > events.size() && *events.back().time - *events[i].time < Milliseconds(20 * kDay);
      const std::size_t side = newest ? below(random, 3) : below(random, 2);
      if (side != 0) a.push_back(events[i]);
      if (side != 1) b.push_back(events[i]);
    }
    Profile one = profile_of(a);
    Profile other = profile_of(b);
    const Profile first = one;
    merge(one, other);
    equal(one, profile_of(events));
    merge(other, first);
    equal(other, one);
    const Profile whole = one;
    merge(one, whole);
    equal(one, whole);
  });
}

BOOST_AUTO_TEST_CASE(an_event_folded_on_one_side_and_recent_on_the_other_counts_once_when_merged)
{
  holds_for_seeds("merge of overlapping", [](Random& random) {
    StreamKnobs knobs;
    knobs.events = 200;
    knobs.days = 60;
    auto events = a_stream(random(), knobs);
    in_order(events);
    const std::vector<Event> old(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(below(random, 100)));
    Profile one = profile_of(old); // what the whole has folded may be recent here
    const Profile all = profile_of(events);
    RC_PRE(one.summary.tiles.empty());
    merge(one, all);
    equal(one, all);
  });
}

namespace {

struct Forgetting {
  Profile profile;
  bool spanned = false; // the summary spanned the time when it was forgotten
  Fates fates;
};

Forgetting forget_midway(Random& random, const std::vector<Event>& events, const Event& marker)
{
  Forgetting result{a_profile(), false, {}};
  const auto cut = events.begin() + static_cast<std::ptrdiff_t>(below(random, events.size() + 1));
  put_in_batches(random, result.profile, {events.begin(), cut}, result.fates);
  const auto& floors = result.profile.floors;
  const auto& oldest = result.profile.summary.first_time;
  result.spanned = oldest && *oldest <= *marker.time && std::any_of(floors.begin(), floors.end(), [&](const auto& floor) {
                     return floor && floor->time > *marker.time;
                   });
  const auto version = result.profile.version();
  RC_ASSERT(forget(result.profile, marker) == Outcome::accepted);
  RC_ASSERT(result.profile.version() >= version);
  const Profile once = result.profile;
  RC_ASSERT(forget(result.profile, marker) == Outcome::repeated);
  equal(result.profile, once);
  put_in_batches(random, result.profile, {cut, events.end()}, result.fates);
  return result;
}

} // namespace

BOOST_AUTO_TEST_CASE(forget_leaves_nothing_of_its_time_and_before_and_all_that_came_after_whenever_it_arrives)
{
  holds_for_seeds("forget", [](Random& random) {
    const auto events = random_arrivals(random, random_knobs(random));
    const Event marker = a_forget("f", events[below(random, events.size())].time->ms);
    Forgetting midway = forget_midway(random, events, marker);
    const auto first = first_time(midway.profile);
    RC_ASSERT((!first || *first > *marker.time));
    for (const auto& event : events)
      if (*event.time <= *marker.time) {
        RC_ASSERT(put_in(midway.profile, event) == Outcome::refused);
      }
    RC_CLASSIFY(midway.spanned, "spanned");
    if (midway.spanned) return;

    Profile expected = a_profile();
    forget(expected, marker);
    std::vector<Event> newer;
    for (const auto& event : of_fate(events, midway.fates, Outcome::accepted))
      if (*event.time > *marker.time) newer.push_back(event);
    put_in(expected, newer);
    midway.profile.version_base = 0;
    equal(midway.profile, expected);
  });
}

BOOST_AUTO_TEST_CASE(while_consent_is_refused_nothing_is_kept_and_the_newest_word_stands_in_any_order)
{
  holds_for_seeds("consent", [](Random& random) {
    StreamKnobs knobs;
    knobs.events = 1 + below(random, 100);
    const auto events = a_stream(random(), knobs);
    std::vector<Event> words;
    for (std::size_t i = 0; i < 1 + below(random, 5); ++i)
      words.push_back(a_consent(named("w", i), kNoon + static_cast<std::int64_t>(below(random, 90 * kDay)), below(random, 2) == 0));
    Profile profile = a_profile();
    std::vector<Event> order = words;
    order.insert(order.end(), events.begin(), events.end());
    std::shuffle(order.begin(), order.end(), random);
    std::optional<Timestamp> refused_until;
    for (const auto& event : order) {
      const auto version = profile.version();
      if (event.type == EventType::consent) {
        consent(profile, event);
        if (!*event.granted) refused_until = std::max(refused_until.value_or(*event.time), *event.time);
        const auto once = profile;
        RC_ASSERT(consent(profile, event) == Outcome::repeated);
        equal(profile, once);
      } else {
        put_in(profile, event);
      }
      RC_ASSERT(profile.version() >= version);
      if (profile.consent && !profile.consent->granted) RC_ASSERT(!last_time(profile));
      const auto first = first_time(profile);
      RC_ASSERT((!first || !refused_until || *first > *refused_until));
    }
    const auto newest =
        std::max_element(words.begin(), words.end(), [](const Event& a, const Event& b) { return Place::of(a) < Place::of(b); });
    RC_ASSERT(profile.consent->granted == *newest->granted);
    RC_ASSERT(profile.consent->by == Place::of(*newest));
  });
}

BOOST_AUTO_TEST_CASE(a_profile_stays_within_its_bounds)
{
  holds_for_seeds("bounds", [](Random& random) {
    StreamKnobs knobs = random_knobs(random);
    knobs.events = 1500;
    knobs.odd = true;
    const Profile profile = profile_of(a_stream(random(), knobs));
    for (std::size_t list = 0; list < kRecentLists; ++list) {
      const auto& recent = profile.recent[list];
      RC_ASSERT(recent.size() <= kRecentCapacity[list]);
      RC_ASSERT((recent.empty() || recent.back().time - recent.front().time <= kRecentAge));
    }
    RC_ASSERT(profile.summary.folded.size() <= kFoldedHashes);
    RC_ASSERT(profile.summary.last_purchases.size() <= kLastPurchases);
    for (const auto& stored : profile.summary.tiles) {
      const Tile tile = stored.tile();
      RC_ASSERT(StoredTile::of(tile) == stored);
      RC_ASSERT(tile.items.size() <= kTileItems);
      RC_ASSERT(tile.categories.size() <= kTileCategories);
      RC_ASSERT(tile.counts.size() <= 9 + kTileCustomTypes);
      RC_ASSERT(tile.granularity == granularity_at(tile.start, *last_time(profile)));
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
