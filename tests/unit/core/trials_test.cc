#include "core/trials.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>

using namespace attune;

namespace {

const std::vector<TrialAxis> kAxes{{"a", {"1", "2", "3"}}, {"b", {"x", "y"}}};

} // namespace

BOOST_AUTO_TEST_SUITE(trials)

BOOST_AUTO_TEST_CASE(no_set_of_values_is_tried_twice_and_the_one_taken_not_at_all)
{
  const TrialSettings taken{{"a", "2"}, {"b", "y"}};
  const auto drawn = draw_trials(kAxes, 100, 1, taken);
  BOOST_TEST(drawn.size() == 5U);
  BOOST_TEST((std::set<TrialSettings>(drawn.begin(), drawn.end()).size()) == 5U);
  BOOST_TEST((std::find(drawn.begin(), drawn.end(), taken) == drawn.end()));
}

BOOST_AUTO_TEST_CASE(the_same_seed_draws_the_same_and_fewer_are_the_first_of_more)
{
  const auto three = draw_trials(kAxes, 3, 7, {}), five = draw_trials(kAxes, 5, 7, {});
  BOOST_TEST(three.size() == 3U);
  BOOST_TEST((three == std::vector<TrialSettings>(five.begin(), five.begin() + 3)));
  std::set<std::vector<TrialSettings>> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) orders.insert(draw_trials(kAxes, 3, seed, {}));
  BOOST_TEST(orders.size() > 5U);
}

BOOST_AUTO_TEST_SUITE_END()
