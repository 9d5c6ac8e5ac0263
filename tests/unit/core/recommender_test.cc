#include "core/recommender.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "core/ranking.h"
#include "support/clicks.h"
#include "support/profile_builders.h"

using namespace attune;
using namespace attune::testing;

namespace {

constexpr Timestamp kNow{kFirstMinute + 1000 * 60'000};
const Catalog kNoCatalog;

std::vector<ItemId> items(std::initializer_list<std::string_view> names)
{
  return {names.begin(), names.end()};
}

std::vector<std::string> names(const Recommendation& answer)
{
  std::vector<std::string> out;
  for (const auto& item : answer.items) out.push_back(item.item.text);
  return out;
}

RecommendRequest after(std::initializer_list<std::string_view> recent, std::size_t n = 10)
{
  RecommendRequest request;
  request.recent = items(recent);
  request.n = n;
  return request;
}

Event done(EventType type, std::string_view item, std::int64_t minute)
{
  return an_event(type, std::string(type_name(type)) + std::to_string(minute), kFirstMinute + minute * 60'000, std::string(item));
}

std::vector<std::string> asked_of(const Model& model, const Profile& profile, const RecommendRequest& request = {})
{
  return names(recommend(model, &profile, request, kNoCatalog, kNow));
}

Catalog catalog_of(std::initializer_list<std::string_view> lines)
{
  Catalog catalog;
  for (const auto line : lines) catalog.put(*parse_catalog_item(line));
  return catalog;
}

std::string fault(std::string_view json)
{
  const auto parsed = parse_request(json);
  return parsed ? "" : parsed.error().text();
}

const auto per_element = boost::test_tools::per_element();
using Names = std::vector<std::string>;

} // namespace

BOOST_AUTO_TEST_SUITE(recommender)

BOOST_AUTO_TEST_CASE(what_goes_with_the_items_seen_comes_first_and_popular_items_behind)
{
  const auto model = model_of({"lamp desk", "rug bed", "rug bed", "rug"});
  const auto answer = recommend(model, nullptr, after({"lamp"}), kNoCatalog, kNow);
  BOOST_TEST(names(answer).front() == "desk");
  BOOST_TEST(answer.items.size() == 3U);
  BOOST_TEST((answer.tier == Tier::fresh));
  BOOST_TEST(!answer.degraded.has_value());
  BOOST_TEST(answer.model == model.name());
}

BOOST_AUTO_TEST_CASE(asking_for_more_changes_nothing_among_the_first)
{
  const auto model = model_of({"lamp desk", "lamp chair desk", "rug bed", "rug", "rug", "lamp rug"});
  const auto few = recommend(model, nullptr, after({"lamp"}, 3), kNoCatalog, kNow);
  const auto many = recommend(model, nullptr, after({"lamp"}, 100), kNoCatalog, kNow);
  for (std::size_t i = 0; i < few.items.size(); ++i) {
    BOOST_TEST(few.items[i].item.text == many.items[i].item.text);
    BOOST_TEST(few.items[i].score == many.items[i].score);
  }
}

// The blend proposes some hundred items; all that is popular stands behind them.
BOOST_AUTO_TEST_CASE(popular_items_fill_up_below_the_lowest_score)
{
  Model model;
  for (int i = 0; i < 300; ++i) model.learn(click("s" + std::to_string(i), "i" + std::to_string(i % 120), i));
  const auto answer = recommend(model, nullptr, after({"i7"}, 110), kNoCatalog, kNow);
  BOOST_TEST(answer.items.size() == 110U);
  for (std::size_t i = 1; i < answer.items.size(); ++i) BOOST_TEST(answer.items[i - 1].score >= answer.items[i].score);
  std::vector<std::string> all = names(answer);
  std::sort(all.begin(), all.end());
  BOOST_TEST((std::adjacent_find(all.begin(), all.end()) == all.end()));
}

BOOST_AUTO_TEST_CASE(who_is_unknown_sees_what_is_popular)
{
  const auto model = model_of({"lamp desk", "rug bed", "rug"});
  const auto answer = recommend(model, nullptr, {}, kNoCatalog, kNow);
  BOOST_TEST(names(answer).front() == "rug");
  BOOST_TEST(answer.items.size() == 4U);
  BOOST_TEST((answer.tier == Tier::popular));
  BOOST_TEST((recommend(model, nullptr, after({"never-learned"}), kNoCatalog, kNow).tier == Tier::popular));
}

BOOST_AUTO_TEST_CASE(an_empty_model_gives_nothing_and_says_so)
{
  const auto answer = recommend(Model(), nullptr, after({"lamp"}), kNoCatalog, kNow);
  BOOST_TEST(answer.items.empty());
  BOOST_REQUIRE(answer.degraded.has_value());
  BOOST_TEST(answer.degraded->code == "empty_model");
}

BOOST_AUTO_TEST_CASE(contributions_sum_exactly_to_the_score_and_scores_fall)
{
  BOOST_TEST(rc::check([] {
    Model model;
    const int sessions = *rc::gen::inRange(1, 20);
    std::int64_t minute = 0;
    for (int s = 0; s < sessions; ++s)
      for (int i = *rc::gen::inRange(1, 8); i-- > 0;)
        model.learn(click("s" + std::to_string(s), "i" + std::to_string(*rc::gen::inRange(0, 15)), minute++));
    RecommendRequest request;
    request.why = true;
    request.n = *rc::gen::inRange<std::size_t>(1, 20);
    for (int i = *rc::gen::inRange(0, 12); i-- > 0;) request.recent.emplace_back("i" + std::to_string(*rc::gen::inRange(0, 18)));
    const auto answer = recommend(model, nullptr, request, kNoCatalog, kNow);
    for (std::size_t i = 0; i < answer.items.size(); ++i) {
      double sum = 0;
      for (const auto& reason : answer.items[i].reasons) {
        RC_ASSERT(reason.score != 0);
        RC_ASSERT(reason.score < 0 || !reason.source.empty());
        sum += reason.score;
      }
      RC_ASSERT(sum == answer.items[i].score);
      if (i > 0) {
        const auto& before = answer.items[i - 1];
        RC_ASSERT(before.score >= sum);
      }
    }
  }));
}

BOOST_AUTO_TEST_CASE(the_item_just_seen_is_left_out_and_one_seen_before_is_not)
{
  const auto model = model_of({"lamp desk", "desk lamp", "rug"});
  auto on_page = after({"desk"});
  on_page.item = ItemId("lamp");
  for (const auto& request : {after({"desk", "lamp"}), on_page}) {
    const auto shown = names(recommend(model, nullptr, request, kNoCatalog, kNow));
    BOOST_TEST(shown.front() == "desk");
    BOOST_TEST(std::count(shown.begin(), shown.end(), "lamp") == 0);
  }
}

BOOST_AUTO_TEST_CASE(what_is_in_the_cart_is_left_out)
{
  const auto model = model_of({"lamp desk chair", "rug"});
  const auto profile = profile_of({done(EventType::cart_add, "desk", 1), done(EventType::view, "lamp", 2)});
  const auto shown = asked_of(model, profile);
  BOOST_TEST(shown.front() == "chair");
  BOOST_TEST(std::count(shown.begin(), shown.end(), "desk") == 0);
}

BOOST_AUTO_TEST_CASE(complements_of_what_is_in_the_cart_are_shown)
{
  std::vector<Event> events;
  for (int i = 0; i < 200; ++i)
    for (const auto* item : {i % 2 == 0 ? "phone" : "tv", i % 2 == 0 ? "case" : "cable"}) {
      auto event = click("s" + std::to_string(i), item, static_cast<std::int64_t>(events.size()));
      event.type = EventType::cart_add;
      events.push_back(event);
    }
  const auto model = learned(events);
  const auto profile = profile_of({done(EventType::cart_add, "phone", 1), done(EventType::view, "never-learned", 2)});
  RecommendRequest request;
  request.why = true;
  const auto answer = recommend(model, &profile, request, kNoCatalog, kNow);
  BOOST_REQUIRE(!answer.items.empty());
  BOOST_TEST(answer.items[0].item.text == "case");
  const auto& reasons = answer.items[0].reasons;
  BOOST_TEST((
      std::any_of(reasons.begin(), reasons.end(), [](const Contribution& c) { return c.source == "complements" && c.score > 0; })));
}

BOOST_AUTO_TEST_CASE(the_profiles_session_asks_unless_the_request_brings_its_own_items)
{
  const auto model = model_of({"lamp desk", "rug bed", "tv"});
  const auto profile = profile_of({done(EventType::view, "lamp", 1)});
  BOOST_TEST(asked_of(model, profile).front() == "desk");
  BOOST_TEST(asked_of(model, profile, after({"rug"})).front() == "bed");
  const auto answer = recommend(model, &profile, {}, kNoCatalog, kNow);
  BOOST_TEST(answer.profile_version == profile.version());
  BOOST_TEST((answer.tier == Tier::fresh));
}

BOOST_AUTO_TEST_CASE(events_after_the_moment_asked_for_do_not_count)
{
  const auto model = model_of({"lamp desk", "rug bed", "tv"});
  const auto profile = profile_of({done(EventType::view, "lamp", 1), done(EventType::view, "rug", 5)});
  const Timestamp between{kFirstMinute + 2 * 60'000};
  BOOST_TEST(names(recommend(model, &profile, {}, kNoCatalog, between)).front() == "desk");
}

BOOST_AUTO_TEST_CASE(where_nothing_was_seen_the_cart_asks_and_then_the_last_purchase)
{
  const auto model = model_of({"lamp desk", "rug bed", "tv"});
  // A search ends the session of a day before: it has no items.
  const auto search = [](std::int64_t minute) {
    return an_event(EventType::search, "q" + std::to_string(minute), kFirstMinute + minute * 60'000, "");
  };
  const auto cart_holder = profile_of({done(EventType::cart_add, "rug", 1), search(500)});
  BOOST_TEST(asked_of(model, cart_holder).front() == "bed");
  const auto buyer = profile_of({done(EventType::purchase, "lamp", 1), search(500)});
  BOOST_TEST(asked_of(model, buyer).front() == "desk");
}

BOOST_AUTO_TEST_CASE(what_the_catalog_can_not_show_is_left_out)
{
  const auto model =
      model_of({"lamp desk", "lamp sold-out", "lamp expired", "lamp unknown", "lamp deleted", "lamp in-stock", "lamp lasting"});
  auto catalog = catalog_of({R"({"item":"desk"})", R"({"item":"sold-out","stock":0})",
                             R"({"item":"expired","expires":"2026-01-01T00:00:00Z"})", R"({"item":"deleted"})",
                             R"({"item":"in-stock","stock":1})", R"({"item":"lasting","expires":"2030-01-01T00:00:00Z"})"});
  catalog.put(*parse_catalog_item(R"({"item":"deleted","deleted":true})"));
  auto shown = names(recommend(model, nullptr, after({"lamp"}), catalog, kNow));
  std::sort(shown.begin(), shown.end());
  BOOST_TEST(shown == (Names{"desk", "in-stock", "lasting"}), per_element);
  BOOST_TEST(recommend(model, nullptr, after({"lamp"}), kNoCatalog, kNow).items.size() == 7U);
}

BOOST_AUTO_TEST_CASE(reasons_read_well)
{
  const auto model = model_of({"lamp desk", "lamp desk rug", "lamp bed", "tv sofa", "tv sofa"});
  const auto catalog =
      catalog_of({R"({"item":"lamp","name":"Reading lamp"})", R"({"item":"desk"})", R"({"item":"rug"})", R"({"item":"bed"})"});
  auto request = after({"lamp"});
  request.why = true;
  const auto answer = recommend(model, nullptr, request, catalog, kNow);
  BOOST_REQUIRE(!answer.items.empty());
  BOOST_TEST(answer.items[0].item.text == "desk");
  BOOST_TEST(answer.items[0].reasons.at(0).source == "neighbours");
  BOOST_TEST(answer.items[0].reasons.at(0).sentence == "seen next to Reading lamp in 2 of 3 similar visits");

  request.recent.clear();
  const auto popular = recommend(model, nullptr, request, kNoCatalog, kNow);
  BOOST_TEST(popular.items.at(0).reasons.at(0).source == "popular");
  BOOST_TEST(popular.items.at(0).reasons.at(0).sentence.starts_with("the most popular of all, seen "));
  BOOST_TEST(popular.items.at(4).reasons.at(0).sentence.starts_with("among the 10 most popular, seen "));
}

BOOST_AUTO_TEST_CASE(the_answer_as_json)
{
  Recommendation answer;
  answer.recommendation = RecommendationId("r1");
  answer.customer = CustomerId("c\"1");
  answer.slot = Slot("home");
  answer.items = {
      {ItemId("a"), 1.5, {{"neighbours", 1.5, "seen next to b in 1 of 2 similar sessions"}}, "gift", "for you", R"(,"name":"A")"}};
  answer.degraded = Degraded{"late", "over 50 ms"};
  answer.profile_version = 7;
  answer.model = "00000000000000ff";
  std::string json;
  append_recommendation_json(answer, true, json);
  BOOST_TEST(
      json ==
      R"({"recommendation":"r1","customer":"c\"1","slot":"home","items":[{"item":"a","score":1.5,"name":"A","offer":"gift","say":"for you","reasons":[)"
      R"({"source":"neighbours","score":1.5,"sentence":"seen next to b in 1 of 2 similar sessions"}]}],"tier":"fresh",)"
      R"("age_ms":0,"degraded":{"code":"late","detail":"over 50 ms"},"profile_version":7,"model":"00000000000000ff"})");
  json.clear();
  append_recommendation_json({}, false, json);
  BOOST_TEST(json == R"({"recommendation":"","slot":"","items":[],"tier":"fresh","age_ms":0,"profile_version":0,"model":""})");
}

BOOST_AUTO_TEST_CASE(a_request_line_is_read_over_the_defaults)
{
  RecommendRequest defaults;
  defaults.slot = Slot("cart");
  defaults.n = 4;
  const auto request =
      parse_request(R"({"customer":"c1","item":"i","recent":["a","b"],"at":"2026-01-01T00:00:00Z","why":true})", defaults);
  BOOST_REQUIRE(request.ok());
  BOOST_TEST(request->customer.text == "c1");
  BOOST_TEST(request->slot.text == "cart");
  BOOST_TEST(request->n == 4U);
  BOOST_TEST(request->item.text == "i");
  BOOST_TEST((request->recent == items({"a", "b"})));
  BOOST_TEST(request->at->ms == 1'767'225'600'000);
  BOOST_TEST(request->why);
  BOOST_TEST(parse_request(R"({"n":500,"at":12})")->n == 500U);
}

BOOST_AUTO_TEST_CASE(a_request_that_can_not_be_is_refused_by_name)
{
  BOOST_TEST(fault(R"({"colour":1})") == "colour: unknown key");
  BOOST_TEST(fault(R"({"n":0})") == "n: not a whole number of 1 to 500");
  BOOST_TEST(fault(R"({"n":501})") == "n: not a whole number of 1 to 500");
  BOOST_TEST(fault(R"({"n":1.5})") == "n: not a whole number of 1 to 500");
  BOOST_TEST(fault(R"({"n":"5"})") == "n: not a whole number of 1 to 500");
  BOOST_TEST(fault(R"({"n":99999999999999999999})") == "n: not a whole number of 1 to 500");
  BOOST_TEST(fault(R"({"customer":""})") == "customer: empty");
  BOOST_TEST(fault(R"({"customer":7})") == "customer: not a string");
  BOOST_TEST(fault(R"({"item":")" + std::string(129, 'x') + R"("})") == "item: over 128 bytes");
  BOOST_TEST(fault(R"({"recent":"a"})") == "recent: not an array of items");
  BOOST_TEST(fault(R"({"recent":["a",1]})") == "recent[1]: not a string");
  BOOST_TEST(fault(R"({"recent":[""]})") == "recent[0]: empty");
  BOOST_TEST(fault(R"({"at":"noon"})") == "at: not RFC 3339 and not integer milliseconds");
  BOOST_TEST(fault(R"({"why":1})") == "why: not true or false");
  BOOST_TEST(fault("[]") != "");
  BOOST_TEST(fault("") != "");
  BOOST_TEST(fault(R"({"n":1,"n":2})") != "");
}

BOOST_AUTO_TEST_CASE(a_line_with_a_version_is_a_profile_record)
{
  BOOST_TEST(is_profile_record(R"({"customer":"c1","version":3,"recent":[{"id":"x"}]})"));
  BOOST_TEST(is_profile_record(R"({"recent":[],"summary":{"version":1},"version":3})"));
  BOOST_TEST(!is_profile_record(R"({"customer":"version"})"));
  BOOST_TEST(!is_profile_record(R"({"customer":"c1","deep":{"version":3}})"));
  BOOST_TEST(!is_profile_record(R"("version")"));
  BOOST_TEST(!is_profile_record(R"(["version"])"));
}

// Everyone clicks lamps; those of the segment `early` chairs.
Model of_two_kinds()
{
  Model model;
  const std::vector<std::string_view> early{"early"};
  for (int i = 0; i < 300; ++i) {
    if (i % 3 == 0)
      model.learn(click("e" + std::to_string(i), "chair", i), {early});
    else
      model.learn(click("s" + std::to_string(i), "lamp", i));
  }
  return model;
}

Rules segment_of_buyers()
{
  return *Rules::parse("[segment.early]\nfield = \"count\"\ntype = \"purchase\"\nat_least = 1\n", "r");
}

BOOST_AUTO_TEST_CASE(who_is_in_a_segment_and_has_seen_nothing_known_gets_what_is_popular_in_it)
{
  const auto model = of_two_kinds();
  const auto rules = segment_of_buyers();
  Profile buyer;
  buyer.customer = CustomerId("b");
  std::vector<Event> events{done(EventType::purchase, "never-learned", 1)};
  for (auto& event : events) event.customer = buyer.customer;
  const Event* const all[] = {events.data()};
  Outcome outcome[1];
  apply(buyer, all, outcome);
  RecommendRequest request;
  request.why = true;
  const auto answer = recommend(model, &buyer, request, kNoCatalog, kNow, rules);
  BOOST_TEST((answer.tier == Tier::popular));
  BOOST_REQUIRE(answer.items.size() == 2U);
  BOOST_TEST(answer.items[0].item.text == "chair");
  BOOST_TEST(answer.items[0].reasons[0].sentence == "the most popular with customers of the segment early");
  BOOST_TEST(names(recommend(model, nullptr, request, kNoCatalog, kNow, rules)).front() == "lamp");
  BOOST_TEST(names(recommend(model, &buyer, request, kNoCatalog, kNow)).front() == "lamp");
}

BOOST_AUTO_TEST_CASE(what_is_popular_in_segments_is_told_without_a_profile)
{
  const auto model = of_two_kinds();
  std::vector<Ranked> popular;
  const auto first = [&](std::vector<std::string_view> segments) {
    rank_popular(model, segments, 1, popular);
    return std::string(popular.size() == 1 ? model.item(popular.front().item) : "");
  };
  BOOST_TEST(first({}) == "lamp");
  BOOST_TEST(first({"never-met"}) == "lamp");
  BOOST_TEST(first({"early", "never-met"}) == "chair");
  rank_popular(model, std::vector<std::string_view>{"early"}, 10, popular);
  BOOST_TEST(popular.size() == 2U);
}

// A click or two are not enough to go by.
BOOST_AUTO_TEST_CASE(a_segment_of_few_clicks_leans_on_what_all_click)
{
  auto model = model_of({"lamp", "lamp", "lamp", "lamp", "lamp", "desk"});
  model.learn(click("new", "rug", 100), {std::vector<std::string_view>{"early"}});
  std::vector<Ranked> popular;
  rank_popular(model, std::vector<std::string_view>{"early"}, 3, popular);
  BOOST_TEST(model.item(popular.front().item) == "lamp");
}

BOOST_AUTO_TEST_CASE(what_was_bought_again_says_how_often_and_when_last)
{
  constexpr int kDay = 24 * 60;
  auto model = model_of({"tea rug", "rug bed", "tea bed", "bed lamp", "lamp tea"});
  for (int s = 0; s < 60; ++s) {
    const auto who = CustomerId("c" + std::to_string(s % 12));
    auto coffee = click("a" + std::to_string(s), "coffee", 1000 + s / 12 * 30 * kDay + s % 12);
    coffee.type = EventType::purchase;
    auto milk = click("a" + std::to_string(s), "milk", 1000 + s / 12 * 30 * kDay + s % 12 - 1);
    for (auto* event : {&milk, &coffee}) {
      event->customer = who;
      model.learn(*event);
    }
  }
  Profile profile;
  profile.customer = CustomerId("c3");
  const auto last = model.question(session_key(profile.customer, {}), kFirstMinute).bought.at(0).last;
  auto bought = an_event(EventType::purchase, "p1", last - 30LL * kDay * 60'000, "coffee");
  auto again = an_event(EventType::purchase, "p2", last, "coffee");
  for (auto* event : {&bought, &again}) event->customer = profile.customer;
  const Event* const all[] = {&bought, &again};
  Outcome outcome[2];
  apply(profile, all, outcome);
  auto request = after({"milk"});
  request.customer = profile.customer;
  request.why = true;
  const auto sentence = [&](std::int64_t days) {
    const auto answer = recommend(model, &profile, request, kNoCatalog, Timestamp{last + days * kDay * 60'000});
    for (const auto& item : answer.items)
      if (item.item.text == "coffee")
        for (const auto& reason : item.reasons)
          if (reason.source == "affinity") return reason.sentence;
    return std::string();
  };
  BOOST_TEST(sentence(28) == "bought about every 30 days; last 28 days ago");
}

BOOST_AUTO_TEST_CASE(one_source_alone_answers_with_its_own_scores_and_popular_items_behind)
{
  const auto model = model_of({"lamp desk", "lamp chair desk", "rug bed", "rug bed", "rug"});
  auto request = after({"lamp"});
  request.source = Source::vmis;
  request.why = true;
  const auto answer = recommend(model, nullptr, request, kNoCatalog, kNow);
  Workspace work;
  std::vector<Ranked> ranked;
  Question question;
  question.session = {model.number_of("lamp")};
  rank(model, question, Source::vmis, 10, work, ranked);
  BOOST_TEST_REQUIRE(ranked.size() == 2U);
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    BOOST_TEST(answer.items[i].item.text == model.item(ranked[i].item));
    BOOST_TEST(answer.items[i].score == ranked[i].score);
    BOOST_TEST(answer.items[i].reasons.front().source == "vmis");
  }
  BOOST_TEST(answer.items.size() == 4U); // each of the others once
  auto all = names(answer);
  std::sort(all.begin(), all.end());
  BOOST_TEST((std::adjacent_find(all.begin(), all.end()) == all.end()));
  BOOST_TEST(answer.items[2].reasons.front().source == "popular");
}

BOOST_AUTO_TEST_SUITE_END()
