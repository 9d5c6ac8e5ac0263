#include "core/sequences.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>

#include "core/model_state.h"
#include "support/clicks.h"

using namespace attune;
using namespace attune::testing;

namespace {

std::map<std::string, float> column_of(const Model& model, std::string_view session, Column column)
{
  std::vector<ItemNumber> items;
  for (const auto& word : words_of(session)) items.push_back(model.number_of(word));
  std::vector<Asked> asked;
  distinct_items(items, asked);
  const auto& state = model.state();
  Candidates candidates;
  candidates.begin(state.items.facts.size());
  add_sequences(asked, items.back(), state.pairs, state.items, candidates);
  std::map<std::string, float> out;
  for (const auto& row : candidates.rows())
    if (row[column] != 0) out[std::string(model.item(row.item))] = row[column];
  return out;
}

using Found = std::map<std::string, float>;

} // namespace

BOOST_AUTO_TEST_SUITE(sequences)

BOOST_AUTO_TEST_CASE(what_came_after_the_last_item_counts_by_its_distance)
{
  const auto model = model_of({"lamp desk chair", "lamp chair", "sofa lamp"});
  BOOST_TEST((column_of(model, "lamp", Column::after) == Found{{"desk", 1.0F}, {"chair", 1.5F}}));
  BOOST_TEST((column_of(model, "lamp", Column::next) == Found{{"desk", 1.0F}, {"chair", 1.0F}}));
  BOOST_TEST((column_of(model, "lamp", Column::before) == Found{{"sofa", 1.0F}}));
  BOOST_TEST((column_of(model, "lamp", Column::together) == Found{{"desk", 1.0F}, {"chair", 2.0F}, {"sofa", 1.0F}}));
}

BOOST_AUTO_TEST_CASE(what_came_lately_counts_more_the_faster_the_decay)
{
  Model model;
  std::int64_t minute = 0;
  for (const auto* next : {"old", "other", "other", "other", "other", "other", "other", "other", "new"}) {
    const auto session = "s" + std::to_string(minute);
    model.learn(click(session, "lamp", minute++));
    model.learn(click(session, next, minute++));
  }
  const auto share = [&](Column column) {
    const auto found = column_of(model, "lamp", column);
    return found.at("old") / found.at("new");
  };
  BOOST_TEST(share(Column::slow) < 1.0F);
  BOOST_TEST(share(Column::fast) < share(Column::slow));
  BOOST_TEST(share(Column::faster) < share(Column::fast));
  BOOST_TEST(column_of(model, "lamp", Column::after).at("old") == column_of(model, "lamp", Column::after).at("new"));
}

BOOST_AUTO_TEST_CASE(an_item_that_goes_with_everything_goes_with_nothing_in_particular)
{
  Model model;
  std::int64_t minute = 0;
  for (int s = 0; s < 200; ++s) {
    const auto session = "s" + std::to_string(s);
    if (s < 20) model.learn(click(session, "lamp", minute++));
    model.learn(click(session, "bag", minute++));
    if (s < 20) model.learn(click(session, "bulb", minute++));
  }
  const auto found = column_of(model, "lamp", Column::cosine);
  BOOST_TEST(found.at("bulb") > found.at("bag"));
}

BOOST_AUTO_TEST_CASE(earlier_items_of_the_session_speak_too_and_more_softly)
{
  const auto model = model_of({"lamp desk", "rug bed"});
  BOOST_TEST((column_of(model, "lamp rug", Column::after) == Found{{"bed", 1.0F}}));
  const auto found = column_of(model, "lamp rug", Column::session);
  BOOST_TEST(found.at("bed") > found.at("desk"));
  BOOST_TEST(found.at("desk") > 0.0F);
}

BOOST_AUTO_TEST_CASE(the_last_item_is_no_candidate_and_an_item_without_partners_gives_none)
{
  const auto model = model_of({"lamp desk lamp desk", "alone"});
  BOOST_TEST(column_of(model, "lamp desk", Column::session).count("desk") == 0U);
  BOOST_TEST(column_of(model, "alone", Column::after).empty());
}

BOOST_AUTO_TEST_SUITE_END()
