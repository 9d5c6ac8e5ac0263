#include "core/rate_limit.h"

#include <rapidcheck/boost_test.h>

#include <boost/test/unit_test.hpp>

using namespace attune;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

} // namespace

BOOST_AUTO_TEST_SUITE(rate_limit)

BOOST_AUTO_TEST_CASE(a_burst_is_let_in_and_then_one_at_a_time)
{
  RateLimit limit(10, 5);
  for (int i = 0; i < 5; ++i) BOOST_TEST(limit.take("a", 0) == 0);
  BOOST_TEST(limit.take("a", 0) == kSecond / 10);
  BOOST_TEST(limit.take("b", 0) == 0);
  BOOST_TEST(limit.take("a", kSecond / 10) == 0);
  BOOST_TEST(limit.take("a", kSecond / 10) > 0);
}

RC_BOOST_PROP(never_more_than_the_burst_and_the_rate_get_in, ())
{
  RateLimit limit(100, 20);
  std::int64_t now = 0;
  int let_in = 0;
  for (int i = 0; i < 500; ++i) {
    now += *rc::gen::inRange<std::int64_t>(0, kSecond / 50);
    if (limit.take("a", now) == 0) ++let_in;
    RC_ASSERT(let_in <= 21 + static_cast<int>(now / (kSecond / 100)));
  }
}

BOOST_AUTO_TEST_CASE(names_that_owe_nothing_are_let_go_of)
{
  RateLimit limit(1000, 1, 100);
  for (int i = 0; i < 10'000; ++i) BOOST_TEST_REQUIRE(limit.take("c" + std::to_string(i), i * kSecond / 1000) == 0);
  BOOST_TEST(limit.size() <= 100U);
}

BOOST_AUTO_TEST_CASE(too_many_names_are_looked_through_once_a_second_at_most)
{
  RateLimit limit(1000, 1, 100);
  const auto fill = [&](char letter, std::int64_t now) {
    for (int i = 0; i < 100; ++i) BOOST_TEST_REQUIRE(limit.take(letter + std::to_string(i), now) == 0);
  };
  fill('a', 0);
  BOOST_TEST(limit.take("b", kSecond / 100) == 0); // all of them are owed nothing by then
  BOOST_TEST(limit.size() == 1U);
  fill('c', kSecond / 50);
  BOOST_TEST(limit.take("d", kSecond / 2) == 0);
  BOOST_TEST(limit.size() == 100U);
  BOOST_TEST(limit.take("d", kSecond * 2) == 0);
  BOOST_TEST(limit.size() == 1U);
}

RC_BOOST_PROP(what_one_would_have_to_wait_is_what_one_is_told_then, ())
{
  RateLimit limit(100, 3);
  std::int64_t now = 0;
  for (int i = 0; i < 200; ++i) {
    now += *rc::gen::inRange<std::int64_t>(0, kSecond / 60);
    const std::string name = *rc::gen::element("a", "b");
    const double cost = *rc::gen::element(1.0, 2.0, 7.0);
    const auto wait = limit.wait_of(name, now, cost);
    RC_ASSERT(limit.take(name, now, cost) == wait);
  }
}

BOOST_AUTO_TEST_SUITE_END()
