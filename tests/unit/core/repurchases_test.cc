#include "core/repurchases.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "core/question.h"

using namespace attune;

namespace {

constexpr std::int64_t kDay = 24LL * 3600'000;

double days(float log_interval)
{
  return std::exp2(static_cast<double>(log_interval)) / static_cast<double>(kDay);
}

// Bought once, so many days ago.
Question::Bought once(ItemNumber item, std::int64_t ago)
{
  return {item, 1, 0, -ago * kDay, -ago * kDay};
}

Repurchases coffee_every(std::int64_t interval, int times)
{
  Repurchases repurchases;
  for (int i = 0; i < times; ++i) repurchases.add(3, 1, interval * kDay);
  return repurchases;
}

} // namespace

BOOST_AUTO_TEST_SUITE(repurchases)

BOOST_AUTO_TEST_CASE(what_is_bought_every_ten_days_is_due_ten_days_later_and_not_before)
{
  const auto coffee = coffee_every(10, 200);
  BOOST_TEST(std::abs(days(coffee.expected(once(3, 1), 1)) - 10) < 1.0);
  const auto due = [&](std::int64_t ago) { return coffee.due(once(3, ago), 1, 0); };
  BOOST_TEST(due(0) < 0.1F);
  BOOST_TEST(due(1) < 0.5F * due(10));
  for (std::int64_t ago = 1; ago < 10; ++ago) BOOST_TEST(due(ago) <= due(ago + 1));
  BOOST_TEST(due(11) > 0.9F);
  BOOST_TEST(due(400) < due(11));
}

BOOST_AUTO_TEST_CASE(an_item_seldom_bought_again_leans_on_its_category_and_that_on_all)
{
  Repurchases repurchases;
  BOOST_TEST(std::abs(days(repurchases.expected(once(9, 1), kNoCategory)) - 30) < 1.0);
  for (int i = 0; i < 100; ++i) repurchases.add(1, 0, 5 * kDay);
  BOOST_TEST(days(repurchases.expected(once(9, 1), kNoCategory)) < 8);
  for (int i = 0; i < 100; ++i) repurchases.add(2, 1, 100 * kDay);
  BOOST_TEST(days(repurchases.expected(once(9, 1), 0)) < 8);
  BOOST_TEST(days(repurchases.expected(once(9, 1), 1)) > 70);
}

BOOST_AUTO_TEST_CASE(a_customers_own_interval_counts_before_that_of_others)
{
  const auto coffee = coffee_every(10, 200);
  const Question::Bought own{3, 9, 0, -9 * 40 * kDay, -40 * kDay};
  BOOST_TEST(days(coffee.expected(own, 1)) > 25);
}

BOOST_AUTO_TEST_CASE(what_orders_passed_over_is_less_likely_to_come)
{
  const auto coffee = coffee_every(10, 200);
  auto passed = once(3, 10);
  passed.passed = 4;
  BOOST_TEST(coffee.due(passed, 1, 0) < 0.5F * coffee.due(once(3, 10), 1, 0));
}

BOOST_AUTO_TEST_CASE(a_time_that_goes_backwards_is_a_moment_ago)
{
  BOOST_TEST(coffee_every(10, 5).due({3, 1, 0, 5 * kDay, 5 * kDay}, 1, 0) < 0.1F);
}

BOOST_AUTO_TEST_CASE(newer_intervals_count_for_more_than_older_ones)
{
  auto coffee = coffee_every(10, 500);
  for (int i = 0; i < 300; ++i) coffee.add(3, 1, 40 * kDay);
  BOOST_TEST(days(coffee.expected(once(3, 1), 1)) > 35);
}

BOOST_AUTO_TEST_CASE(what_was_restored_expects_the_same)
{
  const auto coffee = coffee_every(10, 7);
  Repurchases back;
  back.restore(coffee.content());
  for (const std::uint32_t category : {0U, 1U, kNoCategory})
    for (const ItemNumber item : {0U, 3U, 99U})
      BOOST_TEST(back.expected(once(item, 1), category) == coffee.expected(once(item, 1), category));
}

BOOST_AUTO_TEST_CASE(orders_are_runs_of_purchases_and_those_without_an_item_passed_it_over)
{
  std::vector<Question::Bought> bought;
  Purchases purchases(100 * kDay, bought);
  purchases.add(1, 90 * kDay + 1000); // the newest order: 1 and 2
  purchases.add(2, 90 * kDay);
  purchases.add(3, 60 * kDay);
  purchases.add(1, 30 * kDay + 1000);
  purchases.add(1, 30 * kDay);
  BOOST_REQUIRE(bought.size() == 3U);
  BOOST_TEST(bought[0].times == 2U);
  BOOST_TEST(bought[0].passed == 0U);
  BOOST_TEST(bought[0].first == 30 * kDay);
  BOOST_TEST(bought[0].last == 90 * kDay + 1000);
  BOOST_TEST(bought[1].passed == 0U);
  BOOST_TEST(bought[2].passed == 1U);
  BOOST_TEST(bought[2].times == 1U);
}

BOOST_AUTO_TEST_CASE(the_order_of_this_visit_passes_nothing_over)
{
  std::vector<Question::Bought> bought;
  Purchases purchases(100 * kDay + 60'000, bought);
  purchases.add(1, 100 * kDay);
  purchases.add(2, 60 * kDay);
  BOOST_TEST(bought[0].passed == 0U);
  BOOST_TEST(bought[1].passed == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
