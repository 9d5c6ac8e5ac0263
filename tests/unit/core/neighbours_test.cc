#include "core/neighbours.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <queue>
#include <set>

#include "core/model_index.h"
#include "support/clicks.h"

using namespace attune;
using namespace attune::testing;

namespace {

using Scores = std::map<std::string, double>;

std::vector<ItemNumber> numbers(const Model& model, std::string_view words)
{
  std::vector<ItemNumber> out;
  std::istringstream items{std::string(words)};
  for (std::string item; items >> item;) out.push_back(model.index().number_of(ItemId(item)));
  return out;
}

struct Asked {
  std::vector<Neighbour> neighbours;
  Scores scores;
};

Asked ask(const Model& model, std::string_view session)
{
  const auto& index = model.index();
  const NeighbourQuestion question(numbers(model, session), index.options.last_items);
  Asked asked;
  index.neighbours.find(question, index.options, asked.neighbours);
  Candidates candidates;
  candidates.begin(index.table.items.size());
  index.neighbours.add(question, asked.neighbours, candidates);
  for (const auto& candidate : candidates.list())
    asked.scores[index.table.items[candidate.item].text] = candidate.column(Source::neighbours);
  return asked;
}

Neighbours::Evidence why(const Model& model, std::string_view session, std::string_view item)
{
  const auto& index = model.index();
  const NeighbourQuestion question(numbers(model, session), index.options.last_items);
  std::vector<Neighbour> neighbours;
  index.neighbours.find(question, index.options, neighbours);
  return index.neighbours.why(question, neighbours, index.number_of(ItemId(item)));
}

// VMIS-kNN as the paper walks it: list after list, newest item first, the m newest sessions on a heap, a list left at the first
// session that is older than all kept.
Scores by_the_paper(const std::vector<std::vector<int>>& sessions, const std::vector<int>& session, const ModelOptions& options)
{
  std::map<int, std::vector<int>> postings;
  for (int s = static_cast<int>(sessions.size()); s-- > 0;)
    for (const int item : std::set<int>(sessions[static_cast<std::size_t>(s)].begin(), sessions[static_cast<std::size_t>(s)].end()))
      postings[item].push_back(s);

  std::vector<int> newest_first(session.rbegin(), session.rend());
  newest_first.resize(std::min(newest_first.size(), options.last_items));
  const auto distinct = std::set<int>(newest_first.begin(), newest_first.end()).size();
  std::map<int, double> kept;
  std::priority_queue<int, std::vector<int>, std::greater<>> oldest;
  std::set<int> seen;
  for (std::size_t place = 0; place < newest_first.size(); ++place) {
    if (!seen.insert(newest_first[place]).second) continue;
    const double weight = static_cast<double>(newest_first.size() - place) / static_cast<double>(distinct);
    for (const int s : postings[newest_first[place]]) {
      if (kept.contains(s)) {
        kept[s] += weight;
      } else if (kept.size() < options.neighbours_m) {
        kept[s] = weight;
        oldest.push(s);
      } else if (s > oldest.top()) {
        kept.erase(oldest.top());
        oldest.pop();
        kept[s] = weight;
        oldest.push(s);
      } else {
        break;
      }
    }
  }
  std::vector<std::pair<double, int>> best;
  for (const auto& [s, score] : kept) best.emplace_back(score, s);
  std::sort(best.rbegin(), best.rend());
  best.resize(std::min(best.size(), options.neighbours_k));

  Scores scores;
  for (const auto& [score, s] : best) {
    const auto& items = sessions[static_cast<std::size_t>(s)];
    std::size_t p = 0;
    while (std::find(items.begin(), items.end(), newest_first[p]) == items.end()) ++p;
    const double lambda = std::max(0.0, 1 - 0.1 * static_cast<double>(p + 1));
    for (const int item : std::set<int>(items.begin(), items.end())) {
      const double idf = std::log(static_cast<double>(sessions.size()) / static_cast<double>(postings[item].size()));
      if (lambda > 0) scores["i" + std::to_string(item)] += lambda * score * (idf > 0 ? idf : 1);
    }
  }
  return scores;
}

// Two different items at least, since a session of one is no neighbour.
std::vector<int> some_session()
{
  auto items = *rc::gen::resize(14, rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 12)));
  items.insert(items.begin(), {12, *rc::gen::inRange(0, 12)});
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

std::string words_of(const std::vector<int>& items)
{
  std::string words;
  for (const int item : items) words += "i" + std::to_string(item) + " ";
  return words;
}

} // namespace

BOOST_AUTO_TEST_SUITE(neighbours)

BOOST_AUTO_TEST_CASE(scores_are_those_of_the_paper)
{
  BOOST_TEST(rc::check([] {
    ModelOptions options;
    options.neighbours_m = *rc::gen::inRange<std::size_t>(1, 20);
    options.neighbours_k = *rc::gen::inRange<std::size_t>(1, 20);
    options.last_items = *rc::gen::inRange<std::size_t>(1, 15);
    std::vector<std::vector<int>> sessions;
    Model model(options);
    std::int64_t minute = 0;
    for (int s = *rc::gen::inRange(1, 30); s-- > 0;) {
      // The first has every item, so that none of the question is unknown.
      sessions.push_back(sessions.empty() ? std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12} : some_session());
      for (const int item : sessions.back())
        model.learn(click("s" + std::to_string(sessions.size()), "i" + std::to_string(item), minute++));
    }
    model.freeze();
    const auto session = some_session();
    const auto expected = by_the_paper(sessions, session, options);
    const auto found = ask(model, words_of(session)).scores;
    RC_ASSERT(found.size() == expected.size());
    for (const auto& [item, score] : expected) {
      RC_ASSERT(found.contains(item));
      RC_ASSERT(std::abs(found.at(item) - score) <= 1e-9 * score);
    }
  }));
}

BOOST_AUTO_TEST_CASE(a_worked_example)
{
  // Asked: lamp, then desk. Weights: desk 2/2, lamp 1/2. Sessions: "lamp desk sofa" 1.5 at place 1, "lamp rug" 0.5 at place 2.
  const auto model = model_of({"lamp desk sofa", "lamp rug", "bed pillow"});
  const auto scores = ask(model, "lamp desk").scores;
  BOOST_TEST(scores.size() == 4U);
  BOOST_TEST(scores.at("sofa") == 1.5 * 0.9 * std::log(3.0), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(scores.at("rug") == 0.5 * 0.8 * std::log(3.0), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(scores.at("lamp") == (1.5 * 0.9 + 0.5 * 0.8) * std::log(1.5), boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(only_the_newest_sessions_are_looked_at)
{
  ModelOptions options;
  options.neighbours_m = 2;
  const auto model = model_of({"lamp old", "lamp newer", "lamp newest"}, options);
  BOOST_TEST(ask(model, "lamp").scores.count("old") == 0U);
  BOOST_TEST(ask(model, "lamp").scores.count("newer") == 1U);
}

BOOST_AUTO_TEST_CASE(of_these_only_the_most_similar_count)
{
  ModelOptions options;
  options.neighbours_k = 1;
  const auto model = model_of({"lamp desk sofa", "lamp rug"}, options);
  BOOST_TEST(ask(model, "lamp desk").scores.count("sofa") == 1U);
  BOOST_TEST(ask(model, "lamp desk").scores.count("rug") == 0U);
}

BOOST_AUTO_TEST_CASE(a_session_of_one_item_is_no_neighbour)
{
  const auto model = model_of({"lamp lamp lamp", "lamp", "lamp desk"});
  BOOST_TEST(ask(model, "lamp").neighbours.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_item_seen_long_before_never_speaks_against_anything)
{
  ModelOptions options;
  options.last_items = 32;
  const auto model = model_of({"lamp rug", "a b c d e f g h i j k l"}, options);
  for (const auto& [item, score] : ask(model, "lamp a b c d e f g h i j k l").scores) BOOST_TEST(score > 0, item);
  BOOST_TEST(ask(model, "lamp a b c d e f g h i j k l").scores.count("rug") == 0U);
  BOOST_TEST(ask(model, "lamp a b c d").scores.count("rug") == 1U);
}

BOOST_AUTO_TEST_CASE(items_never_learned_take_their_place_and_nothing_else)
{
  const auto model = model_of({"lamp desk", "rug bed"});
  BOOST_TEST(ask(model, "unknown other").scores.empty());
  const auto alone = ask(model, "lamp").scores.at("desk");
  const auto behind = ask(model, "lamp unknown").scores.at("desk");
  BOOST_TEST(behind == alone * (1.0 / 2.0) * (0.8 / 0.9), boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(a_very_long_session_counts_with_its_newest_items)
{
  Model model;
  for (int i = 0; i < 10'000; ++i) model.learn(click("robot", "i" + std::to_string(i), i));
  model.freeze();
  BOOST_TEST(ask(model, "i9999").scores.size() == kMaxSessionItems);
  BOOST_TEST(ask(model, "i0").scores.empty());
}

BOOST_AUTO_TEST_CASE(the_evidence_counts_sessions)
{
  const auto model = model_of({"lamp desk", "lamp desk rug", "lamp bed", "sofa bed"});
  const auto evidence = why(model, "sofa lamp", "desk");
  BOOST_TEST(model.index().table.items[evidence.beside].text == "lamp");
  BOOST_TEST(evidence.with == 2U);
  BOOST_TEST(evidence.of == 3U);
}

BOOST_AUTO_TEST_CASE(postings_stand_newest_first_and_once_a_session)
{
  const auto model = model_of({"lamp desk lamp", "desk sofa", "rug lamp desk"});
  const auto postings = model.index().neighbours.postings(model.index().number_of(ItemId("lamp")));
  BOOST_TEST((std::vector<SessionNumber>(postings.begin(), postings.end()) == std::vector<SessionNumber>{2, 0}));
}

BOOST_AUTO_TEST_SUITE_END()
