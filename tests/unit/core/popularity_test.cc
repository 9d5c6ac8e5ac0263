#include "core/popularity.h"

#include <boost/test/unit_test.hpp>

#include "core/model_index.h"
#include "support/clicks.h"

using namespace attune;
using namespace attune::testing;

namespace {

constexpr std::int64_t kDayMinutes = 24 * 60;

// (item, weight), as filled.
std::vector<std::pair<std::string, double>> filled(const Model& model, std::size_t count, double ceiling,
                                                   const std::string& refused = "")
{
  const auto& index = model.index();
  Candidates candidates;
  candidates.begin(index.table.items.size());
  index.popularity.fill(
      count, ceiling, [&](ItemNumber item) { return index.table.items[item].text != refused; }, candidates);
  std::vector<std::pair<std::string, double>> out;
  for (const auto& candidate : candidates.list())
    out.emplace_back(index.table.items[candidate.item].text, candidate.column(Source::popular));
  return out;
}

std::vector<std::string> order(const Model& model)
{
  std::vector<std::string> out;
  for (const auto& [item, weight] : filled(model, 100, 1)) out.push_back(item);
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(popularity)

BOOST_AUTO_TEST_CASE(more_clicks_come_first_and_equals_by_id)
{
  BOOST_TEST(order(model_of({"b a", "c a", "c b", "d a"})) == (std::vector<std::string>{"a", "b", "c", "d"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_click_one_half_life_older_counts_half)
{
  ModelOptions options;
  options.popular_half_life = std::chrono::hours(24);
  Model model(options);
  model.learn(click("s1", "old", 0));
  model.learn(click("s2", "old", 0));
  model.learn(click("s3", "old", 0));
  model.learn(click("s4", "new", 2 * kDayMinutes));
  model.freeze();
  const auto found = filled(model, 2, 1);
  BOOST_REQUIRE(found.size() == 2U);
  BOOST_TEST(found[0].first == "new");
  BOOST_TEST(found[1].second == 0.75, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(very_old_items_keep_their_order)
{
  Model model;
  for (int i = 0; i < 3; ++i) model.learn(click("s" + std::to_string(i), i < 2 ? "z-liked" : "a-seen", i));
  model.learn(click("now", "new", 400 * 365 * kDayMinutes));
  model.freeze();
  BOOST_TEST(order(model) == (std::vector<std::string>{"new", "z-liked", "a-seen"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_click_on_the_item_before_is_not_counted)
{
  BOOST_TEST(order(model_of({"reload reload reload", "liked", "liked"})).front() == "liked");
}

BOOST_AUTO_TEST_CASE(what_is_refused_or_there_already_is_passed_over)
{
  const auto model = model_of({"a b c", "a b", "a"});
  const auto found = filled(model, 1, 0.5, "a");
  BOOST_REQUIRE(found.size() == 1U);
  BOOST_TEST(found[0].first == "b");
  BOOST_TEST(found[0].second == 0.5 * 2 / 3, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(the_evidence_is_rank_and_clicks_of_the_last_half_life)
{
  Model model;
  model.learn(click("s1", "b", 0));
  model.learn(click("s2", "b", 8 * kDayMinutes));
  model.learn(click("s3", "a", 8 * kDayMinutes));
  model.learn(click("s4", "a", 8 * kDayMinutes));
  model.freeze();
  const auto evidence = model.index().popularity.why(model.index().number_of(ItemId("b")));
  BOOST_TEST(evidence.rank == 2U);
  BOOST_TEST(evidence.recent_clicks == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
