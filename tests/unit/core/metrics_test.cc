#include "core/metrics.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace attune;

namespace tt = boost::test_tools;

namespace {

Scores scored(double hr)
{
  Scores scores;
  scores[Metric::hr] = hr;
  return scores;
}

const Estimate& hr_of(const Estimates& estimates)
{
  return estimates[static_cast<std::size_t>(Metric::hr)];
}

} // namespace

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_AUTO_TEST_CASE(a_list_is_worth_what_the_definitions_say)
{
  // Five places; the first and the third hold items of the rest of the session, which has three; the next item is the third.
  const auto scores = judge({true, false, true, false, false}, 2, 3, 5);
  BOOST_TEST(scores[Metric::hr] == 1);
  BOOST_TEST(scores[Metric::mrr] == 1.0 / 3, tt::tolerance(1e-12));
  BOOST_TEST(scores[Metric::recall] == 2.0 / 3, tt::tolerance(1e-12));
  BOOST_TEST(scores[Metric::precision] == 2.0 / 5, tt::tolerance(1e-12));
  // (1/log2 2 + 1/log2 4) / (1/log2 2 + 1/log2 3 + 1/log2 4)
  BOOST_TEST(scores[Metric::ndcg] == 1.5 / (1.5 + std::log(2.0) / std::log(3.0)), tt::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(a_miss_is_nothing)
{
  BOOST_TEST((judge({false, false}, std::nullopt, 1, 20) == Scores{}));
  BOOST_TEST((judge({}, std::nullopt, 4, 20) == Scores{}));
}

BOOST_AUTO_TEST_CASE(the_best_order_of_more_items_than_places_is_a_full_list)
{
  BOOST_TEST(judge({true, true}, 0, 7, 2)[Metric::ndcg] == 1, tt::tolerance(1e-12));
  BOOST_TEST(judge({true, true}, 0, 7, 2)[Metric::precision] == 1);
  BOOST_TEST(judge({true, true}, 0, 8, 2)[Metric::recall] == 0.25);
}

BOOST_AUTO_TEST_CASE(an_estimate_is_the_mean_over_questions_whatever_their_sessions)
{
  const std::vector<Scores> scores{scored(1), scored(1), scored(0), scored(0), scored(0)};
  const std::vector<std::uint32_t> sessions{7, 7, 7, 2, 9};
  BOOST_TEST(hr_of(estimate(scores, sessions)).value == 0.4, tt::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(questions_of_one_session_are_drawn_together)
{
  std::vector<Scores> scores;
  for (int i = 0; i < 100; ++i) scores.push_back(scored(i % 2));
  const auto together = hr_of(estimate(scores, std::vector<std::uint32_t>(100, 4)));
  BOOST_TEST(together.low == 0.5);
  BOOST_TEST(together.high == 0.5);

  // Two sessions, all hits and all misses: as uncertain as two questions are.
  std::vector<std::uint32_t> two;
  for (std::uint32_t i = 0; i < 100; ++i) two.push_back(i % 2);
  const auto apart = hr_of(estimate(scores, two));
  BOOST_TEST(apart.low == 0);
  BOOST_TEST(apart.high == 1);
}

BOOST_AUTO_TEST_CASE(the_interval_of_many_single_questions_is_the_one_of_the_binomial)
{
  std::vector<Scores> scores;
  std::vector<std::uint32_t> sessions;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    scores.push_back(scored(i % 5 == 0 ? 1 : 0));
    sessions.push_back(i);
  }
  // sqrt(.2 × .8 / 2000) = .00894
  const auto found = hr_of(estimate(scores, sessions, {4000, 3}));
  BOOST_TEST(found.low == 0.2 - 1.96 * 0.00894, tt::tolerance(0.01));
  BOOST_TEST(found.high == 0.2 + 1.96 * 0.00894, tt::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_interval_whatever_the_sessions_are_called)
{
  std::vector<Scores> scores;
  std::vector<std::uint32_t> sessions, renamed;
  for (std::uint32_t i = 0; i < 300; ++i) {
    scores.push_back(scored((i * 7) % 3 == 0 ? 1 : 0));
    sessions.push_back(i / 4);
    renamed.push_back(1000 - i / 4);
  }
  const auto first = hr_of(estimate(scores, sessions, {25, 11}));
  const auto again = hr_of(estimate(scores, renamed, {25, 11}));
  BOOST_TEST(first.low == again.low);
  BOOST_TEST(first.high == again.high);
  const auto other = hr_of(estimate(scores, sessions, {25, 12}));
  BOOST_TEST((first.low != other.low || first.high != other.high));
}

BOOST_AUTO_TEST_CASE(a_difference_that_is_the_same_at_every_question_is_certain)
{
  std::vector<Scores> differences;
  std::vector<std::uint32_t> sessions;
  for (std::uint32_t i = 0; i < 50; ++i) {
    differences.push_back(scored(0.75) - scored(0.5));
    sessions.push_back(i);
  }
  const auto found = hr_of(estimate(differences, sessions));
  BOOST_TEST(found.low == 0.25);
  BOOST_TEST(found.high == 0.25);
}

BOOST_AUTO_TEST_CASE(without_questions_there_is_nothing)
{
  BOOST_TEST(hr_of(estimate({}, {})).high == 0);
  BOOST_TEST(exposure({}, {}).coverage == 0);
  BOOST_TEST(percentile({}, 0.5) == 0);
}

BOOST_AUTO_TEST_CASE(one_item_in_all_places_is_as_unequal_as_four_items_can_be)
{
  const std::vector<std::uint64_t> shown{0, 0, 4, 0}, clicks{1, 2, 4, 1};
  const auto found = exposure(shown, clicks);
  BOOST_TEST(found.coverage == 0.25);
  BOOST_TEST(found.gini == 0.75);
  BOOST_TEST(found.popularity == 1);
}

BOOST_AUTO_TEST_CASE(equal_shares_have_no_gini_and_the_mean_popularity)
{
  const std::vector<std::uint64_t> shown{3, 3}, clicks{10, 5};
  const auto found = exposure(shown, clicks);
  BOOST_TEST(found.coverage == 1);
  BOOST_TEST(found.gini == 0, tt::tolerance(1e-12));
  BOOST_TEST(found.popularity == 0.75);
}

BOOST_AUTO_TEST_CASE(a_percentile_is_a_value_that_was_there)
{
  std::vector<float> values{5, 1, 4, 2, 3};
  BOOST_TEST(percentile(values, 0.5) == 3);
  BOOST_TEST(percentile(values, 0.99) == 5);
  BOOST_TEST(percentile(values, 0.0) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
