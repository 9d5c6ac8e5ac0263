#include "core/neighbours.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <set>

#include "core/model_state.h"
#include "support/clicks.h"

using namespace attune;
using namespace attune::testing;

namespace {

ModelOptions looking_at(std::size_t neighbours)
{
  ModelOptions options;
  options.rate = 0;
  options.neighbours = neighbours;
  return options;
}

Question asked(const Model& model, std::string_view words)
{
  Question question;
  for (const auto& word : words_of(words)) question.session.push_back(model.number_of(word));
  return question;
}

using Columns = std::map<std::string, float>;

Columns column_of(const Model& model, std::string_view session, Column column)
{
  const auto& state = model.state();
  NeighbourSearch search;
  const auto question = asked(model, session);
  search.find(question, state.table, state.postings, state.options.neighbours);
  Candidates candidates;
  candidates.begin(state.items.facts.size());
  search.add(question, state.table, candidates);
  Columns out;
  for (const auto& row : candidates.rows())
    if (row[column] != 0) out[std::string(model.item(row.item))] = row[column];
  return out;
}

// Of the newest sessions that share an item: the place of the newest shared item, and the sum over shared ones of (length - place) /
// distinct. By looking at every session.
using Found = std::map<std::size_t, std::pair<std::size_t, double>>;
Found newest_sharing(const std::vector<std::vector<std::string>>& sessions, const std::vector<std::string>& session,
                     std::size_t newest)
{
  std::vector<std::string> last(session.rbegin(), session.rend());
  last.resize(std::min(last.size(), kLastItems));
  const std::set<std::string> distinct(last.begin(), last.end());
  Found found;
  for (std::size_t s = sessions.size(); s-- > 0 && found.size() < newest;) {
    std::set<std::string> met;
    for (std::size_t place = 0; place < last.size(); ++place) {
      if (!met.insert(last[place]).second) continue;
      if (std::find(sessions[s].begin(), sessions[s].end(), last[place]) == sessions[s].end()) continue;
      auto& of = found.try_emplace(s, place, 0.0).first->second;
      of.second += static_cast<double>(last.size() - place) / static_cast<double>(distinct.size());
    }
  }
  return found;
}

std::vector<std::string> some_session()
{
  std::vector<std::string> session;
  for (int i = *rc::gen::inRange(1, 14); i-- > 0;)
    if (auto item = "i" + std::to_string(*rc::gen::inRange(0, 12)); session.empty() || session.back() != item)
      session.push_back(std::move(item));
  return session;
}

std::string joined(const std::vector<std::string>& words)
{
  std::string text;
  for (const auto& word : words) text += word + " ";
  return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(neighbours)

BOOST_AUTO_TEST_CASE(vmis_looks_at_the_newest_sessions_that_share_an_item)
{
  BOOST_TEST(rc::check([] {
    const auto newest = *rc::gen::inRange<std::size_t>(1, 20);
    Model model(looking_at(newest));
    std::vector<std::vector<std::string>> sessions{words_of("i0 i1 i2 i3 i4 i5 i6 i7 i8 i9 i10 i11")}; // so that none is unknown
    for (int i = *rc::gen::inRange(0, 30); i-- > 0;) sessions.push_back(some_session());
    // A session's items come within one second, so that the newest of any item's sessions is the newest session.
    for (std::size_t s = 0; s < sessions.size(); ++s)
      for (std::size_t i = 0; i < sessions[s].size(); ++i) {
        auto event = click("s" + std::to_string(s), sessions[s][i], static_cast<std::int64_t>(s));
        event.id = EventId(std::to_string(i));
        event.time->ms += static_cast<std::int64_t>(i);
        model.learn(event);
      }
    const auto session = some_session();
    const auto expected = newest_sharing(sessions, session, newest);
    NeighbourSearch search;
    search.find_newest(asked(model, joined(session)), model.state().postings, newest);
    RC_ASSERT(search.neighbours().size() == expected.size());
    for (const auto& neighbour : search.neighbours()) {
      const auto& front = model.state().table.clicks(neighbour.session).front();
      const auto of = expected.find(static_cast<std::size_t>((front.time - kFirstMinute) / 60'000));
      RC_ASSERT(of != expected.end());
      // Where the walk stopped early, what else the oldest of them share was not met.
      if (expected.size() == newest) continue;
      RC_ASSERT(neighbour.place == of->second.first);
      RC_ASSERT(std::abs(static_cast<double>(neighbour.linear) - of->second.second) <= 1e-4 * of->second.second);
    }
  }));
}

BOOST_AUTO_TEST_CASE(the_last_items_are_those_that_differ_newest_first)
{
  std::vector<Asked> out;
  distinct_items(std::vector<ItemNumber>{7, 1, 2, kUnknownItem, 2, 3}, out);
  const std::vector<std::pair<ItemNumber, int>> expected{{3, 0}, {2, 1}, {1, 4}, {7, 5}};
  BOOST_REQUIRE(out.size() == expected.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    BOOST_TEST(out[i].item == expected[i].first);
    BOOST_TEST(out[i].place == expected[i].second);
  }
  distinct_items(std::vector<ItemNumber>(30, 4), out);
  BOOST_TEST(out.size() == 1U);
  distinct_items({}, out);
  BOOST_TEST(out.empty());
}

BOOST_AUTO_TEST_CASE(only_the_newest_sessions_are_looked_at)
{
  const auto model = model_of({"lamp old", "lamp newer", "lamp newest"}, looking_at(2));
  const auto found = column_of(model, "lamp", Column::vsknn);
  BOOST_TEST(found.count("old") == 0U);
  BOOST_TEST(found.count("newer") == 1U);
}

BOOST_AUTO_TEST_CASE(what_follows_directly_and_what_is_near_counts_more)
{
  const auto model = model_of({"lamp desk chair sofa"}, looking_at(10));
  BOOST_TEST(column_of(model, "lamp", Column::follow).size() == 1U);
  BOOST_TEST(column_of(model, "lamp", Column::follow).count("desk") == 1U);
  const auto near = column_of(model, "lamp", Column::vstan);
  BOOST_TEST(near.at("desk") > near.at("chair"));
  BOOST_TEST(near.at("chair") > near.at("sofa"));
  BOOST_TEST(column_of(model, "lamp desk", Column::follow_two).count("chair") == 1U);
  BOOST_TEST(column_of(model, "rug desk", Column::follow_two).count("chair") == 0U);
}

BOOST_AUTO_TEST_CASE(newer_neighbours_count_more_where_recency_counts)
{
  const auto model = model_of({"lamp old", "lamp new"}, looking_at(10));
  const auto plain = column_of(model, "lamp", Column::vstan);
  const auto recent = column_of(model, "lamp", Column::rec_vstan);
  BOOST_TEST(plain.at("old") == plain.at("new"));
  BOOST_TEST(recent.at("old") < recent.at("new"));
}

BOOST_AUTO_TEST_CASE(a_session_is_no_neighbour_of_itself)
{
  const auto model = model_of({"lamp desk", "lamp rug"}, looking_at(10));
  const auto& state = model.state();
  auto question = asked(model, "lamp");
  question.self = state.table.find(session_key(CustomerId("c-s2"), SessionId("s2")));
  NeighbourSearch search;
  search.find(question, state.table, state.postings, 10);
  BOOST_REQUIRE(search.neighbours().size() == 1U);
  BOOST_TEST(search.neighbours()[0].session != question.self);
}

BOOST_AUTO_TEST_CASE(a_search_is_as_good_as_new_after_any_other)
{
  const auto model = model_of({"lamp desk", "rug bed lamp", "bed sofa", "lamp sofa"}, looking_at(100));
  const auto& state = model.state();
  NeighbourSearch kept;
  for (const auto* words : {"lamp", "bed lamp", "never", "sofa", "", "desk rug"}) {
    NeighbourSearch fresh;
    const auto question = asked(model, words);
    kept.find(question, state.table, state.postings, 100);
    fresh.find(question, state.table, state.postings, 100);
    BOOST_REQUIRE(kept.neighbours().size() == fresh.neighbours().size());
    for (std::size_t i = 0; i < fresh.neighbours().size(); ++i) {
      BOOST_TEST(kept.neighbours()[i].session == fresh.neighbours()[i].session);
      BOOST_TEST(kept.neighbours()[i].linear == fresh.neighbours()[i].linear);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_evidence_counts_sessions)
{
  const auto model = model_of({"lamp desk", "lamp desk rug", "lamp bed", "sofa bed"}, looking_at(10));
  NeighbourSearch search;
  search.find(asked(model, "sofa lamp"), model.state().table, model.state().postings, 10);
  const auto evidence = search.why(model.number_of("desk"), model.state().table);
  BOOST_TEST(model.item(evidence.beside) == "lamp");
  BOOST_TEST(evidence.with == 2U);
  BOOST_TEST(evidence.of == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
