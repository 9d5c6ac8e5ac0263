#include "pipeline/evaluate.h"

#include <boost/test/unit_test.hpp>

#include "pipeline/evaluation_report.h"
#include "support/visits.h"

using namespace attune;
using namespace attune::testing;

namespace {

// a → b → c → … → z → a: what an oracle knows.
std::string after(const std::string& item)
{
  return item.empty() ? "" : std::string(1, item[0] == 'z' ? 'a' : static_cast<char>(item[0] + 1));
}
std::vector<std::string> oracle(const Scripted& model, const Question& question, std::size_t)
{
  return {after(last_of(model, question))};
}
// Whatever was learned last, whoever clicked it: right whenever it has seen the future.
std::vector<std::string> newest(const Scripted& model, const Question&, std::size_t)
{
  return {model.newest};
}

// Sessions that walk the alphabet, interleaved.
Lessons alphabet(int sessions, int steps)
{
  Lessons lessons;
  for (int step = 0; step < steps; ++step)
    for (int s = 0; s < sessions; ++s)
      lessons.add(lesson_at("s" + std::to_string(s), std::string(1, static_cast<char>('a' + (s + step) % 26)), step * 1000 + s));
  lessons.sort();
  return lessons;
}

double mean(const Answers& run, Metric metric)
{
  double sum = 0;
  for (const auto& scores : run.scores) sum += scores[metric];
  return run.scores.empty() ? -1 : sum / static_cast<double>(run.scores.size());
}

Evaluation prequential(const Lessons& lessons, const Lineup& lineup, ProbeOptions probes = {}, EvaluateOptions options = {})
{
  const LessonStream stream(lessons);
  auto out = evaluate_prequential(stream, Probes(stream, probes), lineup, options);
  BOOST_TEST_REQUIRE(out.ok());
  return std::move(*out);
}

Evaluation frozen(const Lessons& lessons, std::size_t from, const Lineup& lineup, EvaluateOptions options = {})
{
  const LessonStream stream(lessons);
  auto out = evaluate_frozen(stream, Probes(stream, {.from = from}), from, lineup, options);
  BOOST_TEST_REQUIRE(out.ok());
  return std::move(*out);
}

bool same(const std::vector<Answers>& a, const std::vector<Answers>& b)
{
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].scores != b[i].scores || a[i].exposure.gini != b[i].exposure.gini ||
        a[i].exposure.popularity != b[i].exposure.popularity || a[i].exposure.coverage != b[i].exposure.coverage ||
        a[i].unknown != b[i].unknown)
      return false;
  return true;
}

} // namespace

BOOST_AUTO_TEST_SUITE(evaluate)

BOOST_AUTO_TEST_CASE(an_oracle_hits_every_time)
{
  const auto lessons = alphabet(40, 10);
  const auto live = prequential(lessons, scripted({oracle}), {.from = 200});
  BOOST_TEST(live.clusters.size() == 200U);
  for (const auto& runs : {live.before, live.after, frozen(lessons, 200, scripted({oracle})).before}) {
    BOOST_TEST(mean(runs[0], Metric::hr) == 1);
    BOOST_TEST(mean(runs[0], Metric::mrr) == 1);
    BOOST_TEST(runs[0].unknown == 0U);
    BOOST_TEST(runs[0].taught == 0.25);
  }
}

BOOST_AUTO_TEST_CASE(a_click_is_asked_for_before_it_is_learned)
{
  // Everything clicked is new, and `newest` knows what was learned last: it would be right if it had learned too early.
  std::string words;
  for (int i = 0; i < 50; ++i) words += "s:i" + std::to_string(i) + ' ';
  const auto found = prequential(lessons_of(words), scripted({newest}));
  BOOST_TEST(mean(found.before[0], Metric::hr) == 0);
  BOOST_TEST(mean(found.after[0], Metric::hr) == 0);
  BOOST_TEST(found.before[0].unknown == 49U);
}

BOOST_AUTO_TEST_CASE(what_others_clicked_meanwhile_counts_for_the_list_asked_for_before_and_not_for_the_one_asked_for_after)
{
  // Right before s clicks x, t does.
  const auto found = prequential(lessons_of("s:a t:x s:x"), scripted({newest}));
  BOOST_TEST(mean(found.before[0], Metric::hr) == 1);
  BOOST_TEST(mean(found.after[0], Metric::hr) == 0);
  BOOST_TEST(found.before[0].unknown == 0U);
  BOOST_TEST(found.after[0].unknown == 1U);
}

BOOST_AUTO_TEST_CASE(a_frozen_model_learns_nothing_of_the_test_range)
{
  const auto learned = [](const Scripted& model, const Question&, std::size_t) {
    BOOST_TEST(model.lessons == 4U);
    return model.learned;
  };
  // c is of the test range alone; b is not.
  const auto found = frozen(lessons_of("s:a s:b t:b t:a u:a u:c u:b u:c"), 4, scripted({learned}), {.threads = 1});
  BOOST_TEST(found.before[0].scores.size() == 3U);
  BOOST_TEST(found.before[0].unknown == 2U);
  BOOST_TEST(mean(found.before[0], Metric::hr) == 1.0 / 3, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(a_frozen_question_holds_the_whole_visit_and_its_cart)
{
  Lessons lessons;
  const auto kinds = {ClickKind::view, ClickKind::view, ClickKind::cart_add, ClickKind::view, ClickKind::view};
  std::int64_t second = 0;
  for (const char* item : {"a", "b", "c"}) lessons.add(lesson_at("train", item, second++));
  second = 10;
  std::size_t at = 0;
  for (const char* item : {"a", "b", "b", "new", "c"}) lessons.add(lesson_at("s", item, second++, *(kinds.begin() + at++)));
  lessons.sort();
  std::vector<Question> questions;
  const auto listen = [&](const Scripted&, const Question& question, std::size_t) {
    questions.push_back(question);
    return std::vector<std::string>{};
  };
  // The visit began in the training range, with "a".
  frozen(lessons, 4, scripted({listen}), {.threads = 1});
  BOOST_REQUIRE(questions.size() == 3U);
  const std::vector<ItemNumber> a_b_new{0, 1, kUnknownItem};
  BOOST_TEST(questions.back().session == a_b_new, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_click_that_came_too_soon_is_learned_all_the_same)
{
  Lessons lessons;
  lessons.add(lesson_at("s", "a", 0));
  lessons.add(lesson_at("s", "b", 10));
  auto soon = lesson_at("s", "c", 10);
  soon.time += 20;
  lessons.add(soon);
  lessons.add(lesson_at("s", "d", 30));
  lessons.sort();
  const auto oracle_knows = prequential(lessons, scripted({oracle}), {.min_gap_ms = 50});
  BOOST_TEST(oracle_knows.clusters.size() == 2U);
  // d comes after c: who had not learned c would ask about b.
  std::vector<std::string> lasts;
  const auto listen = [&](const Scripted& model, const Question& question, std::size_t) {
    lasts.push_back(last_of(model, question));
    return std::vector<std::string>{};
  };
  prequential(lessons, scripted({listen}), {.min_gap_ms = 50}, {.after = false, .threads = 1});
  BOOST_TEST(lasts == (std::vector<std::string>{"a", "c"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_item_just_clicked_takes_no_place_of_a_list)
{
  const auto stubborn = [](const Scripted& model, const Question& question, std::size_t) {
    const auto last = last_of(model, question);
    return std::vector<std::string>{last, after(last)};
  };
  const auto lessons = alphabet(30, 4);
  BOOST_TEST(mean(prequential(lessons, scripted({stubborn}), {.from = 60}).before[0], Metric::mrr) == 1);
  BOOST_TEST(mean(frozen(lessons, 60, scripted({stubborn})).before[0], Metric::mrr) == 1);
}

BOOST_AUTO_TEST_CASE(a_list_has_k_places)
{
  const auto second = [](const Scripted& model, const Question& question, std::size_t) {
    const auto next = after(last_of(model, question));
    return std::vector<std::string>{after(after(next)), next};
  };
  const auto lessons = alphabet(40, 4);
  BOOST_TEST(mean(frozen(lessons, 80, scripted({second}), {.k = 2}).before[0], Metric::mrr) == 0.5);
  BOOST_TEST(mean(frozen(lessons, 80, scripted({second}), {.k = 1}).before[0], Metric::hr) == 0);
}

BOOST_AUTO_TEST_CASE(the_order_of_reading_changes_nothing)
{
  const auto lessons = alphabet(25, 8);
  Lessons backwards;
  for (auto i = lessons.size(); i-- > 0;) backwards.add(lessons[i]);
  backwards.sort();
  const auto first = prequential(lessons, scripted({newest, oracle}), {.from = 50});
  const auto again = prequential(backwards, scripted({newest, oracle}), {.from = 50});
  BOOST_TEST(same(first.before, again.before));
  BOOST_TEST(same(first.after, again.after));
  BOOST_TEST(same(frozen(lessons, 100, scripted({newest})).before, frozen(backwards, 100, scripted({newest})).before));
}

BOOST_AUTO_TEST_CASE(the_number_of_threads_changes_nothing)
{
  const auto lessons = alphabet(50, 6);
  const auto lineup = scripted({newest, oracle});
  const auto alone = prequential(lessons, lineup, {.from = 100}, {.threads = 1});
  const auto frozen_alone = frozen(lessons, 100, lineup, {.threads = 1});
  for (const std::size_t threads : {2, 3, 8}) {
    const auto shared = prequential(lessons, lineup, {.from = 100}, {.threads = threads});
    BOOST_TEST(same(alone.before, shared.before));
    BOOST_TEST(same(alone.after, shared.after));
    BOOST_TEST(same(frozen_alone.before, frozen(lessons, 100, lineup, {.threads = threads}).before));
  }
}

BOOST_AUTO_TEST_CASE(entrants_of_one_model_share_it_and_are_asked_in_their_own_ways)
{
  Lineup lineup;
  lineup.entrants = {{"all", 0, 0}, {"none", 0, 1}};
  lineup.make = [](std::size_t) {
    return std::make_unique<Scripted>([](const Scripted& model, const Question& question, std::size_t way) {
      return way == 0 ? oracle(model, question, way) : std::vector<std::string>{};
    });
  };
  const auto lessons = alphabet(40, 5);
  for (const auto& runs : {prequential(lessons, lineup, {.from = 100}).before, frozen(lessons, 100, lineup).before}) {
    BOOST_TEST(mean(runs[0], Metric::hr) == 1);
    BOOST_TEST(mean(runs[1], Metric::hr) == 0);
  }
}

BOOST_AUTO_TEST_CASE(each_item_of_a_basket_is_held_out_and_the_others_are_no_answer)
{
  // Two orders teach cup and pot; of the third each of its three items is asked for. "hat" was never learned.
  Lessons lessons;
  Baskets baskets;
  const auto buy = [&](std::string_view order, std::string_view item, std::int64_t second) {
    Event event;
    event.id = EventId(std::string(order) + std::string(item));
    event.type = EventType::purchase;
    event.customer = CustomerId("c" + std::string(order));
    event.order = OrderId(order);
    event.item = ItemId(item);
    event.time = Timestamp{second * 1000};
    lessons.add(event);
    baskets.add_order(event);
  };
  for (const char* order : {"1", "2"})
    for (const char* item : {"cup", "pot"}) buy(order, item, order[0]);
  for (const char* item : {"cup", "hat", "pot"}) buy("3", item, 100);
  lessons.sort();
  baskets.sort();
  const auto everything = [](const Scripted& model, const Question& question, std::size_t) {
    BOOST_TEST(question.session.empty());
    BOOST_TEST(model.lessons == 4U);
    return model.learned;
  };
  const LessonStream stream(lessons);
  const auto found = evaluate_baskets(stream, baskets, 2, scripted({everything}), {.threads = 1});
  BOOST_TEST_REQUIRE(found.ok());
  BOOST_REQUIRE(found->before[0].scores.size() == 3U);
  BOOST_TEST(found->before[0].unknown == 1U);
  // Given pot, the list is "cup" alone, and given cup it is "pot" alone: both stand first.
  BOOST_TEST(mean(found->before[0], Metric::mrr) == 2.0 / 3, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(a_stop_ends_it_without_an_answer)
{
  const auto lessons = alphabet(30, 5);
  const LessonStream stream(lessons);
  EvaluateOptions options;
  options.stop = [] { return true; };
  const auto found = evaluate_prequential(stream, Probes(stream, {}), scripted({oracle}), options);
  BOOST_TEST_REQUIRE(!found.ok());
  BOOST_TEST((found.error().code == Code::stopped));
}

BOOST_AUTO_TEST_CASE(a_contender_that_fails_in_a_thread_fails_the_evaluation)
{
  const auto failing = [](const Scripted&, const Question&, std::size_t) -> std::vector<std::string> {
    throw std::runtime_error("no memory");
  };
  const auto lessons = alphabet(30, 5);
  const LessonStream stream(lessons);
  BOOST_CHECK_THROW((void)evaluate_prequential(stream, Probes(stream, {}), scripted({failing}), {}), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(evaluation_report)

namespace {

Evaluation two_configurations()
{
  Evaluation out;
  Scores hit, miss;
  hit[Metric::hr] = hit[Metric::mrr] = 1;
  out.before.resize(2);
  for (std::uint32_t q = 0; q < 200; ++q) {
    out.clusters.push_back(q);
    out.before[0].scores.push_back(q % 2 == 0 ? hit : miss);
    out.before[1].scores.push_back(q % 4 == 0 ? hit : miss);
  }
  for (auto& run : out.before) run.microseconds.assign(200, 7);
  return out;
}

std::vector<std::string> missed(std::string_view targets)
{
  const auto evaluation = two_configurations();
  const EvaluationReport report(evaluation, {"ours", "theirs"}, {"frozen", 20, {}, 2});
  const auto parsed = parse_targets(targets);
  BOOST_TEST_REQUIRE(parsed.ok());
  return report.missed(*parsed);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_target_is_missed_when_the_first_figure_is_below_it)
{
  BOOST_TEST(missed("hr=0.5,mrr=0.49").empty());
  BOOST_TEST(missed("hr=0.51").size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_difference_is_missed_only_when_its_whole_interval_lies_below)
{
  // The difference is .25 ± .06.
  BOOST_TEST(missed("hr.diff=-0.003,hr.diff=0.26").empty());
  BOOST_TEST(missed("mrr.diff=0.4").size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_no_target_is_refused)
{
  for (const auto* text : {"hr", "hr=", "hr=x", "hr=0.5x", "colour=1", "mrr.dif=1", "=1", ","})
    BOOST_TEST(!parse_targets(text).ok());
}

BOOST_AUTO_TEST_CASE(the_first_configuration_is_compared_with_each_other)
{
  const auto evaluation = two_configurations();
  const EvaluationReport report(evaluation, {"ours", "theirs"}, {"frozen", 20, {}, 1});
  BOOST_TEST(report.json(0).find("difference") == std::string::npos);
  const auto other = report.json(1);
  BOOST_TEST(other.find("\"difference\":{\"of\":\"ours\",\"hr\":{\"value\":0.25000,") != std::string::npos);
  BOOST_TEST(other.find("\"us\":{\"p50\":7.0,\"p99\":7.0}") != std::string::npos);
  BOOST_TEST(report.table().find("ours - theirs") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
