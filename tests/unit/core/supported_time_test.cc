#include "core/supported_time.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <random>
#include <vector>

using namespace attune;

BOOST_AUTO_TEST_SUITE(supported_time)

BOOST_AUTO_TEST_CASE(in_any_order_it_is_the_sixteenth_newest_of_the_customers_newest_times)
{
  BOOST_TEST(rc::check([] {
    std::mt19937 random(*rc::gen::arbitrary<unsigned>());
    const auto customers = *rc::gen::inRange(1U, 60U);
    const auto span = *rc::gen::element(5U, 10'000U);
    SupportedTime all, left, right;
    std::map<std::uint64_t, std::int64_t> newest;
    for (int i = *rc::gen::inRange(0, 300); i-- > 0;) {
      const std::uint64_t customer = random() % customers;
      const std::int64_t time = static_cast<std::int64_t>(random() % span) - 100;
      all.see(customer, time);
      (random() % 2 == 0 ? left : right).see(customer, time);
      const auto known = newest.try_emplace(customer, time).first;
      known->second = std::max(known->second, time);
    }
    std::vector<std::int64_t> times;
    for (const auto& [customer, time] : newest) times.push_back(time);
    std::sort(times.begin(), times.end(), std::greater<>());
    const auto expected = times.size() < SupportedTime::kWitnesses ? INT64_MIN : times[SupportedTime::kWitnesses - 1];
    RC_ASSERT(all.time() == expected);
    left.merge(right);
    RC_ASSERT(std::equal(left.all().begin(), left.all().end(), all.all().begin(), all.all().end()));
  }));
}

BOOST_AUTO_TEST_CASE(who_is_dropped_is_no_witness)
{
  SupportedTime now;
  for (std::uint64_t customer = 0; customer < SupportedTime::kWitnesses; ++customer) now.see(customer, 10);
  BOOST_TEST(now.time() == 10);
  now.drop(3);
  BOOST_TEST(now.time() == INT64_MIN);
  now.see(99, 20);
  BOOST_TEST(now.time() == 10);
}

BOOST_AUTO_TEST_SUITE_END()
