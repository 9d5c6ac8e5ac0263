#include "pipeline/underway_events.h"

#include <boost/test/unit_test.hpp>

#include "support/events.h"

namespace attune {
namespace {

using namespace testing;

constexpr Timestamp kThen{1'700'000'000'000};

Event nth(std::string_view customer, int n)
{
  return view(customer, "e" + std::to_string(n), Timestamp{kThen.ms + n}, "lamp");
}

Token token_of(const Event& event)
{
  Token token;
  token.add(event);
  return token;
}

std::size_t count(const std::optional<std::vector<Event>>& events)
{
  return events ? events->size() : 0;
}

} // namespace

BOOST_AUTO_TEST_SUITE(underway_events)

BOOST_AUTO_TEST_CASE(what_the_profile_answers_for_is_not_given_again)
{
  UnderwayEvents underway;
  underway.put({nth("ana", 1), nth("ana", 2)});
  Profile profile;
  profile.customer = CustomerId("ana");
  const auto one = nth("ana", 1);
  const Event* event = &one;
  Outcome outcome{};
  apply(profile, {&event, 1}, {&outcome, 1});
  const auto rest = underway.completing(token_of(nth("ana", 2)), CustomerId("ana"), &profile);
  BOOST_TEST_REQUIRE(count(rest) == 1U);
  BOOST_TEST(rest->front().id.text == "e2");
}

BOOST_AUTO_TEST_CASE(of_another_customer_nothing_is_given)
{
  UnderwayEvents underway;
  underway.put({nth("ana", 1)});
  BOOST_TEST(!underway.completing(token_of(nth("ana", 1)), CustomerId("bob"), nullptr).has_value());
}

BOOST_AUTO_TEST_CASE(beyond_the_bound_the_oldest_are_let_go_of)
{
  UnderwayEvents underway(3);
  for (int n = 1; n <= 3; ++n) underway.put({nth("c" + std::to_string(n), n)});
  underway.put({nth("c4", 4)});
  BOOST_TEST(underway.size() == 3U);
  BOOST_TEST(!underway.completing(token_of(nth("c1", 1)), CustomerId("c1"), nullptr).has_value());
  BOOST_TEST(count(underway.completing(token_of(nth("c2", 2)), CustomerId("c2"), nullptr)) == 1U);
}

BOOST_AUTO_TEST_CASE(one_busy_customer_keeps_the_last_ones_and_takes_no_place_of_others_for_good)
{
  const int many = 3 * static_cast<int>(UnderwayEvents::kMostOfOne);
  UnderwayEvents underway(static_cast<std::size_t>(many));
  for (int n = 1; n <= many; ++n) underway.put({nth("bot", n)});
  BOOST_TEST(count(underway.completing(token_of(nth("bot", many)), CustomerId("bot"), nullptr)) == UnderwayEvents::kMostOfOne);
  BOOST_TEST(!underway.completing(token_of(nth("bot", 1)), CustomerId("bot"), nullptr).has_value());
  for (int n = 1; n <= many; ++n) underway.put({nth("c" + std::to_string(n), n)});
  BOOST_TEST(underway.size() == static_cast<std::size_t>(many));
  BOOST_TEST(!underway.completing(token_of(nth("bot", many)), CustomerId("bot"), nullptr).has_value());
  BOOST_TEST(count(underway.completing(token_of(nth("c1", 1)), CustomerId("c1"), nullptr)) == 1U);
}

BOOST_AUTO_TEST_CASE(an_identify_event_is_the_stores_affair)
{
  UnderwayEvents underway;
  const auto event = identify("ana", "anon-1", "i1", kThen);
  underway.put({event, nth("ana", 2)});
  BOOST_TEST(underway.size() == 1U);
  BOOST_TEST(!underway.completing(token_of(event), CustomerId("ana"), nullptr).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
