#include "pipeline/patience.h"

#include <boost/test/unit_test.hpp>

namespace attune {
namespace {

const Error kAway{Code::unreachable, "the log: connect: refused"};

} // namespace

BOOST_AUTO_TEST_SUITE(patience)

BOOST_AUTO_TEST_CASE(what_will_not_pass_is_not_forgiven)
{
  Patience patience(std::nullopt);
  const auto refused = patience.forgive({Code::config, "the log: not allowed"});
  BOOST_TEST_REQUIRE(!refused.ok());
  BOOST_TEST((refused.error().code == Code::config));
  BOOST_TEST(refused.error().message == "the log: not allowed");
}

BOOST_AUTO_TEST_CASE(without_a_limit_it_has_no_end)
{
  Patience patience(std::nullopt);
  for (int i = 0; i < 1000; ++i) BOOST_TEST(patience.forgive(kAway).ok());
}

BOOST_AUTO_TEST_CASE(with_a_limit_it_ends_and_says_so)
{
  Patience none(Milliseconds(0));
  const auto ended = none.forgive(kAway);
  BOOST_TEST_REQUIRE(!ended.ok());
  BOOST_TEST((ended.error().code == Code::busy));
  BOOST_TEST(ended.error().message == "the log: connect: refused (given up)");
  Patience long_one(std::chrono::hours(1));
  BOOST_TEST(long_one.forgive(kAway).ok());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
