#include "core/ranking.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <set>

#include "core/model_state.h"
#include "support/clicks.h"

using namespace attune;
using namespace attune::testing;

namespace {

Model some_model(unsigned seed)
{
  std::mt19937 random(seed);
  Model model;
  const auto clicks = static_cast<int>(random() % 300);
  for (int i = 0; i < clicks; ++i)
    model.learn(click("s" + std::to_string(i / 4), "i" + std::to_string(std::min(random() % 40, random() % 40)), i));
  return model;
}

Question some_question(const Model& model)
{
  Question question;
  for (int i = *rc::gen::inRange(0, 12); i-- > 0;)
    question.session.push_back(model.number_of("i" + std::to_string(*rc::gen::inRange(0, 45))));
  question.remind = *rc::gen::arbitrary<bool>();
  return question;
}

} // namespace

BOOST_AUTO_TEST_SUITE(ranking)

BOOST_AUTO_TEST_CASE(every_source_ranks_each_item_once_best_first_and_never_the_item_just_seen)
{
  BOOST_TEST(rc::check([] {
    const auto model = some_model(*rc::gen::arbitrary<unsigned>());
    const auto question = some_question(model);
    const auto n = *rc::gen::inRange<std::size_t>(1, 60);
    Workspace work;
    std::vector<Ranked> out;
    for (std::size_t s = 0; s < kSources; ++s) {
      const auto source = static_cast<Source>(s);
      rank(model, question, source, n, work, out);
      RC_ASSERT(out.size() <= n);
      std::set<ItemNumber> items;
      for (std::size_t i = 0; i < out.size(); ++i) {
        RC_ASSERT(items.insert(out[i].item).second);
        RC_ASSERT((question.session.empty() || out[i].item != question.session.back()));
        RC_ASSERT((i == 0 || out[i - 1].score >= out[i].score)); // rapidcheck takes a bare || apart and evaluates both sides
      }
    }
  }));
}

BOOST_AUTO_TEST_CASE(a_workspace_that_answered_others_answers_as_a_new_one)
{
  BOOST_TEST(rc::check([] {
    const Model models[]{some_model(1), some_model(*rc::gen::arbitrary<unsigned>())};
    Workspace kept;
    std::vector<Ranked> out;
    std::vector<Ranked> expected;
    for (int i = 0; i < 6; ++i) {
      const auto& model = models[i % 2];
      const auto question = some_question(model);
      Workspace fresh;
      rank(model, question, Source::blend, 30, kept, out);
      rank(model, question, Source::blend, 30, fresh, expected);
      RC_ASSERT(std::equal(out.begin(), out.end(), expected.begin(), expected.end(),
                           [](const Ranked& a, const Ranked& b) { return a.item == b.item && a.score == b.score; }));
    }
  }));
}

BOOST_AUTO_TEST_CASE(the_numbers_items_got_do_not_decide)
{
  // The same sessions learned in another order: other numbers, the same raw sources.
  std::vector<Event> events;
  std::mt19937 random(11);
  for (int i = 0; i < 300; ++i) events.push_back(click("s" + std::to_string(i / 4), "i" + std::to_string(random() % 30), i));
  const auto one = learned(events);
  std::shuffle(events.begin(), events.end(), random);
  const auto other = learned(events);
  const auto names = [](const Model& model, Source source) {
    Workspace work;
    std::vector<Ranked> out;
    Question question;
    question.session = {model.number_of("i3"), model.number_of("i7")};
    rank(model, question, source, 10, work, out);
    std::vector<std::string> all;
    for (const auto& ranked : out) all.emplace_back(model.item(ranked.item));
    return all;
  };
  for (const auto source : {Source::after, Source::next, Source::together, Source::cosine})
    BOOST_TEST(names(one, source) == names(other, source), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(without_reminders_nothing_of_this_visit_comes_again)
{
  const auto model = model_of({"lamp desk lamp", "desk lamp rug", "rug desk"});
  Workspace work;
  std::vector<Ranked> out;
  Question question;
  question.session = {model.number_of("desk"), model.number_of("rug")};
  const auto has_desk = [&] {
    rank(model, question, Source::blend, 10, work, out);
    return std::any_of(out.begin(), out.end(), [&](const Ranked& ranked) { return model.item(ranked.item) == "desk"; });
  };
  BOOST_TEST(has_desk());
  question.remind = false;
  BOOST_TEST(!has_desk());
}

BOOST_AUTO_TEST_CASE(sources_have_names)
{
  for (std::size_t s = 0; s < kSources; ++s) {
    const auto source = static_cast<Source>(s);
    BOOST_TEST((parse_source(source_name(source)) == source));
  }
  BOOST_TEST(!parse_source("gut-feeling").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
