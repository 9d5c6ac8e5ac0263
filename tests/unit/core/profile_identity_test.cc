// identify, forget, consent and what a freshness token asks.

#include <boost/test/unit_test.hpp>

#include "core/profile.h"
#include "support/profile_builders.h"

namespace attune {
namespace {

using namespace testing;

const AliasClaim kClaim{CustomerId("anon-1"), {Timestamp{kNoon}, EventId("claim")}};

// 300 views a minute apart from kNoon on: 44 folded, the floor at kNoon + 43 min.
Profile folded_profile()
{
  std::vector<Event> events;
  for (std::size_t i = 0; i < 300; ++i)
    events.push_back(an_event(EventType::view, named("v", i), kNoon + static_cast<std::int64_t>(i) * kMinute));
  return profile_of(events);
}

} // namespace

BOOST_AUTO_TEST_SUITE(profile_identity)

BOOST_AUTO_TEST_CASE(a_customer_absorbs_what_its_alias_did_once)
{
  Profile customer = profile_of({an_event(EventType::view, "1", kNoon), an_event(EventType::view, "both", kNoon)});
  const Profile alias =
      profile_of({an_event(EventType::cart_add, "2", kNoon - kDay, "wanted"), an_event(EventType::view, "both", kNoon)}, "anon-1");
  absorb(customer, alias, kClaim);
  BOOST_TEST(has_alias(customer, CustomerId("anon-1")));
  BOOST_TEST(!has_alias(customer, CustomerId("anon-2")));
  BOOST_TEST(sum_of(counts(customer)) == 3u);
  BOOST_TEST(customer.version() == 4u);
  BOOST_TEST(cart(customer).at(0).item.text == "wanted");
  const Profile once = customer;
  absorb(customer, alias, kClaim);
  BOOST_TEST((customer == once));
}

BOOST_AUTO_TEST_CASE(what_the_alias_keeps_below_the_customers_floor_is_folded_and_not_lost)
{
  Profile customer = folded_profile();
  const Place floor = *customer.floors[2];
  const Profile alias = profile_of(
      {an_event(EventType::view, "below", floor.time.ms - 1), an_event(EventType::view, "above", floor.time.ms + 1)}, "anon-1");
  absorb(customer, alias, kClaim);
  BOOST_TEST(count_in(counts(customer), "view") == 302u);
  BOOST_TEST((*customer.floors[2] > floor));
}

BOOST_AUTO_TEST_CASE(the_claims_an_alias_held_come_along_and_of_two_claims_of_one_alias_the_first_stands)
{
  Profile customer = a_profile();
  customer.aliases = {{CustomerId("anon-0"), {Timestamp{5}, EventId("b")}}};
  Profile alias = a_profile("anon-1");
  alias.aliases = {{CustomerId("anon-0"), {Timestamp{5}, EventId("a")}}, {CustomerId("anon-2"), {Timestamp{7}, EventId("c")}}};
  absorb(customer, alias, kClaim);
  BOOST_TEST(customer.aliases.size() == 3u);
  BOOST_TEST(customer.aliases[0].by.id.text == "a");
  BOOST_TEST((customer.aliases[1] == kClaim));
  BOOST_TEST(customer.aliases[2].alias.text == "anon-2");
}

BOOST_AUTO_TEST_CASE(of_an_absorbed_alias_the_pointer_and_its_forget_marker_remain)
{
  Profile alias = profile_of({an_event(EventType::view, "1", kNoon)}, "anon-1");
  forget(alias, a_forget("f", kNoon - kDay));
  alias.moved_to = AliasClaim{CustomerId("c1"), kClaim.by};
  drop_content(alias);
  Profile expected = a_profile("anon-1");
  expected.moved_to = AliasClaim{CustomerId("c1"), kClaim.by};
  expected.forgotten = Place{{kNoon - kDay}, EventId("f")};
  BOOST_TEST((alias == expected));
  BOOST_TEST(!alias.empty());
}

BOOST_AUTO_TEST_CASE(what_was_forgotten_of_either_is_forgotten_of_both)
{
  Profile customer = profile_of({an_event(EventType::view, "1", kNoon), an_event(EventType::view, "2", kNoon + kHour)});
  Profile alias = a_profile("anon-1");
  forget(alias, a_forget("f", kNoon + 1));
  absorb(customer, alias, kClaim);
  BOOST_TEST(sum_of(counts(customer)) == 1u);
  BOOST_TEST((put_in(customer, an_event(EventType::view, "1", kNoon)) == Outcome::refused));
}

BOOST_AUTO_TEST_CASE(a_refusal_of_the_alias_empties_the_customer_unless_it_granted_later)
{
  const Profile customer = profile_of({an_event(EventType::view, "1", kNoon), an_event(EventType::view, "2", kNoon + kDay)});
  Profile alias = a_profile("anon-1");
  consent(alias, a_consent("no", kNoon + kHour, false));
  Profile refused = customer;
  absorb(refused, alias, kClaim);
  BOOST_TEST(!last_time(refused));
  Profile granted = customer;
  consent(granted, a_consent("yes", kNoon + 2 * kHour, true));
  absorb(granted, alias, kClaim);
  BOOST_TEST(sum_of(counts(granted)) == 1u); // what came after the refusal
}

BOOST_AUTO_TEST_CASE(forget_removes_what_is_at_or_before_its_time_and_refuses_it_for_ever)
{
  Profile profile = profile_of({an_event(EventType::view, "at", kNoon), an_event(EventType::cart_add, "after", kNoon + 1)});
  BOOST_TEST((forget(profile, a_forget("f", kNoon)) == Outcome::accepted));
  BOOST_TEST(sum_of(counts(profile)) == 1u);
  BOOST_TEST(profile.version() == 2u);
  BOOST_TEST((put_in(profile, an_event(EventType::view, "at", kNoon)) == Outcome::refused));
  BOOST_TEST((forget(profile, a_forget("f", kNoon)) == Outcome::repeated));
  BOOST_TEST((forget(profile, a_forget("older", kNoon - 1)) == Outcome::repeated));
  BOOST_TEST((forget(profile, a_forget("newer", kNoon + 1)) == Outcome::accepted));
  BOOST_TEST(!last_time(profile));
  BOOST_TEST(profile.version() == 2u);
}

BOOST_AUTO_TEST_CASE(forget_within_the_summary_empties_it_and_the_floor_stays)
{
  Profile profile = folded_profile();
  const auto floor = profile.floors[2];
  forget(profile, a_forget("f", kNoon + 10 * kMinute));
  BOOST_TEST(profile.summary.tiles.empty());
  BOOST_TEST(profile.summary.folded.size() == 44u - 11u);
  BOOST_TEST((profile.floors[2] == floor));
  BOOST_TEST(sum_of(counts(profile)) == 256u);
  BOOST_TEST(profile.version() == 300u);
  BOOST_TEST((put_in(profile, an_event(EventType::view, "v10", kNoon + 10 * kMinute)) == Outcome::refused));
  BOOST_TEST((put_in(profile, an_event(EventType::view, "v11", kNoon + 11 * kMinute)) == Outcome::repeated));
  BOOST_TEST((put_in(profile, an_event(EventType::view, "new", kNoon + 11 * kMinute)) == Outcome::late));
}

BOOST_AUTO_TEST_CASE(forget_above_the_floor_empties_the_summary_and_takes_the_floor_away)
{
  Profile profile = folded_profile();
  forget(profile, a_forget("f", kNoon + 100 * kMinute));
  BOOST_TEST((profile.summary == Summary{}));
  BOOST_TEST(!profile.floors[2]);
  BOOST_TEST(sum_of(counts(profile)) == 199u);
}

BOOST_AUTO_TEST_CASE(forget_before_all_that_was_folded_leaves_the_summary_alone)
{
  Profile profile = folded_profile();
  const Summary summary = profile.summary;
  forget(profile, a_forget("f", kNoon - 1));
  BOOST_TEST((profile.summary == summary));
}

BOOST_AUTO_TEST_CASE(a_refusal_empties_the_profile_and_refuses_everything_until_consent_is_granted)
{
  Profile profile = profile_of({an_event(EventType::view, "1", kNoon), an_event(EventType::view, "2", kNoon + kDay)});
  BOOST_TEST((consent(profile, a_consent("no", kNoon, false)) == Outcome::accepted));
  BOOST_TEST(!last_time(profile));
  BOOST_TEST(profile.version() == 2u);
  BOOST_TEST((put_in(profile, an_event(EventType::view, "3", kNoon + kDay)) == Outcome::refused));
  BOOST_TEST((consent(profile, a_consent("earlier yes", kNoon - 1, true)) == Outcome::repeated));
  BOOST_TEST((consent(profile, a_consent("yes", kNoon + kHour, true)) == Outcome::accepted));
  BOOST_TEST((put_in(profile, an_event(EventType::view, "1", kNoon)) == Outcome::refused));
  BOOST_TEST((put_in(profile, an_event(EventType::view, "2", kNoon + kDay)) == Outcome::accepted));
}

BOOST_AUTO_TEST_CASE(a_refusal_older_than_the_standing_consent_still_forgets_up_to_its_time)
{
  Profile profile = a_profile();
  consent(profile, a_consent("yes", kNoon + kDay, true));
  put_in(profile, {an_event(EventType::view, "1", kNoon), an_event(EventType::view, "2", kNoon + kHour)});
  BOOST_TEST((consent(profile, a_consent("no", kNoon, false)) == Outcome::accepted));
  BOOST_TEST(profile.consent->granted);
  BOOST_TEST(sum_of(counts(profile)) == 1u);
  BOOST_TEST((put_in(profile, an_event(EventType::view, "1", kNoon)) == Outcome::refused));
}

BOOST_AUTO_TEST_CASE(of_two_words_of_consent_in_one_place_the_refusal_stands_in_either_order)
{
  for (const bool granted_first : {true, false}) {
    Profile profile = a_profile();
    consent(profile, a_consent("word", kNoon, granted_first));
    consent(profile, a_consent("word", kNoon, !granted_first));
    BOOST_TEST(!profile.consent->granted);
  }
}

BOOST_AUTO_TEST_CASE(a_profile_says_of_a_place_whether_it_is_held_unknown_late_or_refused)
{
  Profile profile = folded_profile();
  forget(profile, a_forget("f", kNoon - kDay));
  const auto held = [&profile](EventType type, const char* id, std::int64_t ms) {
    return holds(profile, type, {Timestamp{ms}, EventId(id)});
  };
  BOOST_TEST(held(EventType::view, "v299", kNoon + 299 * kMinute) == Held::held);
  BOOST_TEST(held(EventType::view, "v0", kNoon) == Held::held); // by its hash
  BOOST_TEST(held(EventType::view, "new", kNoon + kDay) == Held::unknown);
  BOOST_TEST(held(EventType::view, "new", kNoon) == Held::late);
  BOOST_TEST(held(EventType::cart_add, "new", kNoon) == Held::unknown); // another list
  BOOST_TEST(held(EventType::view, "new", kNoon - kDay) == Held::refused);
  BOOST_TEST(held(EventType::forget, "f", kNoon - kDay) == Held::held);
  BOOST_TEST(held(EventType::forget, "g", kNoon) == Held::unknown);
  BOOST_TEST(held(EventType::identify, "claim", kNoon) == Held::unknown);
  absorb(profile, a_profile("anon-1"), kClaim);
  BOOST_TEST(held(EventType::identify, "claim", kNoon) == Held::held);
  BOOST_TEST(held(EventType::consent, "no", kNoon) == Held::unknown);
  consent(profile, a_consent("no", kNoon, false));
  BOOST_TEST(held(EventType::consent, "no", kNoon) == Held::held);
  BOOST_TEST(held(EventType::view, "new", kNoon + kDay) == Held::refused);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
