#include "core/segment_finder.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "support/profile_builders.h"
#include "support/rules.h"

using namespace attune;
using namespace attune::testing;

namespace {

constexpr std::string_view kRules = R"(
[segment.buyer]
field = "count"
type = "purchase"
at_least = 1
[segment.guest]
field = "count"
type = "purchase"
under = 1
)";

std::string told(std::span<const std::string_view> names)
{
  std::string text;
  for (const auto name : names) text += (text.empty() ? "" : " ") + std::string(name);
  return text;
}

Event of(std::string_view customer, EventType type, std::int64_t minute)
{
  auto event = an_event(type, std::string(customer) + std::to_string(minute), kNoon + minute * kMinute);
  event.customer = CustomerId(customer);
  return event;
}

Event became(std::string_view alias, std::string_view customer, std::int64_t minute)
{
  auto event = of(customer, EventType::identify, minute);
  event.item = {};
  event.alias = CustomerId(alias);
  return event;
}

const Catalog kNoCatalog;

} // namespace

BOOST_AUTO_TEST_SUITE(segment_finder)
BOOST_AUTO_TEST_CASE(a_customer_is_in_a_segment_from_the_event_after_the_one_that_made_it_so)
{
  const auto rules = rules_of(kRules);
  SegmentFinder finder(rules, kNoCatalog);
  BOOST_TEST(told(finder.take(of("ana", EventType::view, 1))) == "guest");
  BOOST_TEST(told(finder.take(of("ana", EventType::purchase, 2))) == "guest");
  BOOST_TEST(told(finder.take(of("ana", EventType::view, 3))) == "buyer");
  BOOST_TEST(told(finder.take(of("bob", EventType::view, 4))) == "guest");
  BOOST_TEST(finder.customers() == 2U);
}

BOOST_AUTO_TEST_CASE(what_an_alias_did_counts_for_the_customer_it_became)
{
  const auto rules = rules_of(kRules);
  SegmentFinder finder(rules, kNoCatalog);
  finder.take(of("cookie", EventType::purchase, 1));
  finder.take(became("cookie", "ana", 2));
  BOOST_TEST(told(finder.take(of("ana", EventType::view, 3))) == "buyer");
  BOOST_TEST(told(finder.take(of("cookie", EventType::view, 4))) == "buyer");
  // One that would lead back changes nothing.
  finder.take(became("ana", "cookie", 5));
  BOOST_TEST(told(finder.take(of("ana", EventType::view, 6))) == "buyer");
}

BOOST_AUTO_TEST_CASE(who_is_forgotten_or_refuses_begins_anew)
{
  const auto rules = rules_of(kRules);
  SegmentFinder finder(rules, kNoCatalog);
  finder.take(of("ana", EventType::purchase, 1));
  auto forget = of("ana", EventType::forget, 2);
  forget.item = {};
  finder.take(forget);
  BOOST_TEST(told(finder.take(of("ana", EventType::view, 3))) == "guest");
  finder.take(of("bob", EventType::purchase, 1));
  auto refusal = of("bob", EventType::consent, 2);
  refusal.item = {};
  refusal.granted = false;
  finder.take(refusal);
  finder.take(of("bob", EventType::purchase, 3));
  BOOST_TEST(told(finder.take(of("bob", EventType::view, 4))) == "guest");
}

BOOST_AUTO_TEST_CASE(memory_is_bounded_and_the_customer_longest_unseen_goes_first)
{
  const auto rules = rules_of(kRules);
  SegmentFinder finder(rules, kNoCatalog, 50'000);
  finder.take(of("ana", EventType::purchase, 0));
  finder.take(of("bob", EventType::purchase, 0));
  for (int i = 1; i < 1000; ++i) {
    finder.take(of("c" + std::to_string(i), EventType::view, i));
    BOOST_TEST(told(finder.take(of("ana", EventType::view, i))) == "buyer");
    BOOST_TEST_REQUIRE(finder.bytes() <= 50'000U);
    BOOST_TEST_REQUIRE(finder.customers() < 50U);
  }
  BOOST_TEST(told(finder.take(of("bob", EventType::view, 1001))) == "guest");
}

BOOST_AUTO_TEST_SUITE_END()
