#include "pipeline/answer_service.h"

#include <boost/test/unit_test.hpp>
#include <future>

#include "adapters/memory_store.h"
#include "pipeline/profile_writer.h"
#include "support/clicks.h"
#include "support/events.h"
#include "support/held_store.h"
#include "support/own_thread.h"

namespace attune {
namespace {

using namespace testing;
using namespace std::chrono_literals;

// Visits whose second item follows from the first, and a customer, ana, who has seen a lamp.
struct Fixture {
  SystemClock clock;
  std::shared_ptr<Hold> hold = std::make_shared<Hold>();
  HeldStore store{open_memory_store("", {}), hold};
  Knowledge knowledge{model_of({"lamp bulb", "lamp bulb", "lamp bulb", "desk chair", "desk chair", "sofa rug"}), Catalog(),
                      Rules()};
  KnownProfiles known{1 << 20};
  Watchers watchers{8};
  UnderwayEvents underway;
  OwnThread loop; // outlives those who post to it
  std::shared_ptr<OwnThread> thread{std::shared_ptr<void>(), &loop};
  std::unique_ptr<ProfileReaders> readers;
  std::unique_ptr<ProfileStore> writing = std::move(*store.another());
  ProfileWriter writer{*writing, ProfileWriterOptions{1 << 20, {}, {}, [this](const Profile& profile) {
                                                        known.changed(profile, clock.now());
                                                        watchers.changed(profile);
                                                      }}};
  std::optional<AnswerService> service;

  Fixture()
  {
    auto started = ProfileReaders::start(store, known, clock, 1, 64);
    BOOST_TEST_REQUIRE(started.ok());
    readers = std::move(*started);
    make({});
    write(view("ana", "e1", now(), "lamp"));
  }
  ~Fixture() { hold->hang(false); }

  void make(std::function<bool()> told)
  {
    AnswerParts parts;
    parts.knowledge = &knowledge;
    parts.known = &known;
    parts.watchers = &watchers;
    parts.readers = readers.get();
    parts.underway = &underway;
    parts.clock = &clock;
    parts.randomness = [](std::array<std::uint8_t, 16>& bytes) { bytes.fill(1); };
    parts.fallback = {{"", {ItemId("gift-card")}}};
    parts.changes_are_told = std::move(told);
    service.emplace(std::move(parts));
  }

  Timestamp now() { return clock.now(); }
  void write(const Event& event)
  {
    const Event* one = &event;
    std::vector<Verdict> verdicts;
    BOOST_TEST_REQUIRE(writer.apply({&one, 1}, verdicts).ok());
  }

  static Ask ask_of(std::string_view customer)
  {
    Ask ask;
    ask.request.customer = CustomerId(customer);
    ask.request.n = 3;
    ask.budget = 2000ms;
    return ask;
  }
  std::future<Answered> begin(Ask ask)
  {
    auto promise = std::make_shared<std::promise<Answered>>();
    thread->post([this, promise, ask = std::move(ask)]() mutable {
      ask.begun = std::chrono::steady_clock::now();
      service->answer(thread, std::move(ask), [promise](Answered answered) { promise->set_value(std::move(answered)); });
    });
    return promise->get_future();
  }
  Recommendation answer(Ask ask) { return begin(std::move(ask)).get().recommendation; }
};

std::string first_item(const Recommendation& answer)
{
  return answer.items.empty() ? std::string("nothing") : answer.items.front().item.text;
}

Token token_of(const Event& event)
{
  Token token;
  token.add(event);
  return token;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(answer_service, Fixture)

BOOST_AUTO_TEST_CASE(a_customer_is_answered_from_the_profile_and_the_next_time_without_a_read)
{
  auto answer_one = answer(ask_of("ana"));
  BOOST_TEST(first_item(answer_one) == "bulb");
  BOOST_TEST(tier_name(answer_one.tier) == "fresh");
  const int reads = hold->reads;
  BOOST_TEST(first_item(answer(ask_of("ana"))) == "bulb");
  BOOST_TEST(hold->reads == reads);
}

BOOST_AUTO_TEST_CASE(a_change_is_in_the_very_next_answer)
{
  BOOST_TEST(first_item(answer(ask_of("ana"))) == "bulb");
  write(view("ana", "e2", now(), "desk"));
  BOOST_TEST(first_item(answer(ask_of("ana"))) == "chair");
}

BOOST_AUTO_TEST_CASE(a_token_is_waited_for_until_its_event_is_there)
{
  const auto event = view("ana", "e2", now(), "desk");
  auto ask = ask_of("ana");
  ask.after = token_of(event);
  auto waiting = begin(std::move(ask));
  while (watchers.size() == 0) std::this_thread::yield();
  BOOST_TEST((waiting.wait_for(0s) == std::future_status::timeout));
  write(event);
  const auto answered = waiting.get();
  BOOST_TEST(first_item(answered.recommendation) == "chair");
  BOOST_TEST(!answered.recommendation.degraded.has_value());
  BOOST_TEST(watchers.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_token_of_what_was_acknowledged_here_is_answered_at_once_with_all_that_is_under_way)
{
  const auto before = view("ana", "e2", now(), "sofa");
  const auto event = view("ana", "e3", now() + 1ms, "desk");
  underway.put({before});
  underway.put({event});
  auto ask = ask_of("ana");
  ask.after = token_of(event);
  ask.request.n = 10;
  const auto answered = begin(ask).get();
  BOOST_TEST((answered.recommendation.tier == Tier::fresh));
  BOOST_TEST(!answered.recommendation.degraded.has_value());
  for (const char* speaks : {"chair", "rug"})
    BOOST_TEST(std::any_of(answered.recommendation.items.begin(), answered.recommendation.items.end(),
                           [&](const auto& item) { return item.item.text == speaks; }));
  BOOST_TEST(answered.recommendation.profile_version == 3U);
  BOOST_TEST(service->counts().waited == 0U);
  // Of a token the profile holds nothing is put on top twice.
  write(before);
  write(event);
  BOOST_TEST(begin(ask).get().recommendation.profile_version == 3U);
}

BOOST_AUTO_TEST_CASE(a_token_that_names_more_than_was_acknowledged_here_is_waited_for)
{
  const auto here = view("ana", "e2", now(), "desk");
  const auto elsewhere = view("ana", "e3", now(), "sofa");
  underway.put({here});
  auto ask = ask_of("ana");
  ask.after = token_of(here);
  ask.after.add(elsewhere);
  auto waiting = begin(std::move(ask));
  while (watchers.size() == 0) std::this_thread::yield();
  write(elsewhere);
  const auto answered = waiting.get().recommendation; // the other one still comes from here
  BOOST_TEST(!answered.degraded.has_value());
  BOOST_TEST(answered.profile_version == 3U);
}

BOOST_AUTO_TEST_CASE(with_the_store_hanging_what_was_acknowledged_here_is_in_the_answer)
{
  hold->hang(true);
  underway.put({view("bob", "e2", now(), "desk")});
  auto ask = ask_of("bob");
  ask.budget = 20ms;
  ask.after = token_of(view("bob", "e2", now(), "desk"));
  const auto answered = begin(std::move(ask)).get().recommendation;
  BOOST_TEST(first_item(answered) == "chair");
  BOOST_TEST_REQUIRE(answered.degraded.has_value());
  BOOST_TEST(answered.degraded->code == "store_timeout");
  hold->hang(false);
}

BOOST_AUTO_TEST_CASE(where_nobody_tells_of_changes_a_token_is_waited_for_by_reading)
{
  make([] { return false; });
  const auto event = view("bob", "e2", now(), "desk");
  auto ask = ask_of("bob");
  ask.after = token_of(event);
  auto waiting = begin(std::move(ask));
  while (hold->reads < 3) std::this_thread::yield();
  write(event);
  BOOST_TEST(first_item(waiting.get().recommendation) == "chair");
}

BOOST_AUTO_TEST_CASE(a_token_whose_event_does_not_come_is_answered_at_the_deadline_and_says_which)
{
  auto ask = ask_of("ana");
  ask.after = token_of(view("ana", "never", now(), "desk"));
  ask.budget = 20ms;
  const auto answered = begin(std::move(ask)).get();
  BOOST_TEST_REQUIRE(answered.recommendation.degraded.has_value());
  BOOST_TEST(answered.recommendation.degraded->code == "waiting");
  BOOST_TEST(answered.recommendation.degraded->detail == "waiting for view never");
  BOOST_TEST(first_item(answered.recommendation) == "bulb");
}

BOOST_AUTO_TEST_CASE(a_token_of_nobody_known_is_not_waited_for_and_the_answer_says_so)
{
  auto ask = ask_of("");
  ask.request.recent = {ItemId("desk")};
  ask.after = token_of(view("ana", "e2", now()));
  const auto answered = answer(std::move(ask));
  BOOST_TEST(first_item(answered) == "chair");
  BOOST_TEST_REQUIRE(answered.degraded.has_value());
  BOOST_TEST(answered.degraded->detail == "waiting for view e2");
}

BOOST_AUTO_TEST_CASE(beyond_the_bound_of_watchers_a_token_is_not_waited_for)
{
  std::vector<std::future<Answered>> waiting;
  for (int i = 0; i < 8; ++i) {
    auto ask = ask_of("ana");
    ask.after = token_of(view("ana", "never", now()));
    waiting.push_back(begin(std::move(ask)));
  }
  while (watchers.size() < 8) std::this_thread::yield();
  auto ask = ask_of("ana");
  ask.after = token_of(view("ana", "never", now()));
  const auto answered = begin(std::move(ask)).get();
  BOOST_TEST_REQUIRE(answered.recommendation.degraded.has_value());
  BOOST_TEST(answered.wait.count() < 1'000'000);
  write(view("ana", "never", now()));
  for (auto& each : waiting) BOOST_TEST(!each.get().recommendation.degraded.has_value());
}

BOOST_AUTO_TEST_CASE(with_the_store_hanging_a_customer_that_is_known_is_answered_from_what_is_known)
{
  BOOST_TEST(first_item(answer(ask_of("ana"))) == "bulb");
  hold->hang(true);
  known.all_changed();
  auto ask = ask_of("ana");
  ask.budget = 30ms;
  const auto answered = begin(std::move(ask)).get().recommendation;
  BOOST_TEST(tier_name(answered.tier) == "cached");
  BOOST_TEST(first_item(answered) == "bulb");
  BOOST_TEST_REQUIRE(answered.degraded.has_value());
  BOOST_TEST(answered.degraded->code == "store_timeout");
  hold->hang(false);
}

BOOST_AUTO_TEST_CASE(with_the_store_hanging_the_clients_own_items_are_answered_else_what_is_popular)
{
  hold->hang(true);
  auto ask = ask_of("bob");
  ask.budget = 20ms;
  ask.request.recent = {ItemId("desk")};
  const auto with_items = begin(ask).get().recommendation;
  BOOST_TEST(tier_name(with_items.tier) == "session");
  BOOST_TEST(first_item(with_items) == "chair");
  ask.request.recent.clear();
  const auto without = begin(ask).get().recommendation;
  BOOST_TEST(tier_name(without.tier) == "popular");
  BOOST_TEST(!without.items.empty());
  hold->hang(false);
}

BOOST_AUTO_TEST_CASE(a_store_that_fails_again_and_again_is_given_a_rest_and_asked_again_after_it)
{
  hold->failing = true;
  for (int i = 0; i < 5; ++i) BOOST_TEST(answer(ask_of("ana")).degraded->code == "store_unavailable");
  const int reads = hold->reads;
  for (int i = 0; i < 20; ++i) static_cast<void>(answer(ask_of("bob")));
  BOOST_TEST(hold->reads <= reads + 1); // one may have been let through
  hold->failing = false;
  for (;;) {
    const auto answered = answer(ask_of("ana"));
    if (!answered.degraded) break;
  }
  BOOST_TEST(!readers->breaker().open());
}

BOOST_AUTO_TEST_CASE(events_on_their_way_are_in_the_answer_and_not_in_what_is_known)
{
  auto ask = ask_of("ana");
  ask.events = {view("ana", "e2", now(), "desk")};
  BOOST_TEST(first_item(answer(std::move(ask))) == "chair");
  BOOST_TEST(first_item(answer(ask_of("ana"))) == "bulb");
}

BOOST_AUTO_TEST_CASE(a_visitor_who_said_who_she_is_is_answered_with_both_histories)
{
  BOOST_TEST(first_item(answer(ask_of("anon-1"))) != "chair");
  write(identify("ana", "anon-1", "i1", now()));
  write(view("anon-1", "e2", now(), "desk"));
  BOOST_TEST(first_item(answer(ask_of("anon-1"))) == "chair");
  write(view("ana", "e3", now(), "sofa"));
  BOOST_TEST(first_item(answer(ask_of("anon-1"))) == "rug");
}

BOOST_AUTO_TEST_CASE(a_store_that_keeps_everyone_waiting_is_not_asked_again_meanwhile)
{
  hold->hang(true);
  auto ask = ask_of("bob");
  ask.budget = 20ms;
  BOOST_TEST(begin(ask).get().recommendation.degraded->code == "store_timeout");
  while (readers->answers()) std::this_thread::yield();
  ask.budget = 2000ms;
  const auto answered = begin(ask).get();
  BOOST_TEST(answered.recommendation.degraded->code == "store_unavailable");
  hold->hang(false);
  while (!readers->answers()) std::this_thread::yield();
  BOOST_TEST(!answer(ask_of("bob")).degraded.has_value());
}

BOOST_AUTO_TEST_CASE(a_short_budget_says_nothing_of_the_store)
{
  for (int i = 0; i < 20; ++i) {
    auto ask = ask_of("c" + std::to_string(i));
    ask.budget = 1ms;
    static_cast<void>(begin(std::move(ask)).get());
  }
  BOOST_TEST(!readers->breaker().open());
}

BOOST_AUTO_TEST_CASE(an_answer_from_what_was_known_says_how_old_it_is)
{
  bool told = true;
  make([&told] { return told; });
  BOOST_TEST(first_item(answer(ask_of("ana"))) == "bulb");
  const auto since = now();
  told = false;
  hold->failing = true;
  std::int64_t age = 0;
  while (age < 20) {
    const auto old = answer(ask_of("ana"));
    BOOST_TEST_REQUIRE(tier_name(old.tier) == "cached");
    BOOST_TEST_REQUIRE(old.age_ms <= (now() - since).count() + 20);
    age = old.age_ms;
  }
}

BOOST_AUTO_TEST_CASE(a_read_that_fails_while_a_token_is_waited_for_does_not_end_the_wait)
{
  BOOST_TEST(first_item(answer(ask_of("ana"))) == "bulb");
  const auto event = view("ana", "e2", now(), "desk");
  auto ask = ask_of("ana");
  ask.after = token_of(event);
  auto waiting = begin(std::move(ask));
  while (watchers.size() == 0) std::this_thread::yield();
  hold->failing = true;
  const int reads = hold->reads;
  known.changed(CustomerId("ana"));
  watchers.changed(CustomerId("ana"));
  while (hold->reads == reads) std::this_thread::yield();
  hold->failing = false;
  write(event);
  const auto answered = waiting.get().recommendation;
  BOOST_TEST(!answered.degraded.has_value());
  BOOST_TEST(first_item(answered) == "chair");
}

BOOST_AUTO_TEST_CASE(an_alias_whose_root_may_not_be_shown_is_nobody_known)
{
  write(identify("ana", "anon-1", "i1", now()));
  auto ask = ask_of("anon-1");
  BOOST_TEST(first_item(answer(ask)) == "bulb");
  ask.root_allowed = false;
  const auto hidden = begin(ask).get();
  BOOST_TEST((hidden.recommendation.tier == Tier::popular));
  BOOST_TEST(hidden.recommendation.profile_version == 0);
  BOOST_TEST(hidden.root.empty());
  ask.request.recent = {ItemId("desk")};
  const auto recent = answer(ask);
  BOOST_TEST((recent.tier == Tier::session));
  BOOST_TEST(first_item(recent) == "chair");
  // Neither when the store does not answer; and of oneself there is nothing to hide.
  hold->hang(true);
  known.all_changed();
  ask.budget = 50ms;
  BOOST_TEST((answer(ask).tier == Tier::session));
  hold->hang(false);
  auto own = ask_of("ana");
  own.root_allowed = false;
  BOOST_TEST(first_item(answer(own)) == "bulb");
}

BOOST_AUTO_TEST_CASE(an_alias_that_waits_hears_of_its_roots_change_by_name)
{
  write(identify("ana", "anon-1", "i1", now()));
  BOOST_TEST(first_item(answer(ask_of("anon-1"))) == "bulb");
  const auto event = view("anon-1", "e2", now(), "desk");
  auto ask = ask_of("anon-1");
  ask.after = token_of(event);
  auto waiting = begin(std::move(ask));
  while (watchers.size() < 2) std::this_thread::yield();
  // As a store's notification has it: the root's name.
  ProfileWriter other(*writing, ProfileWriterOptions{1 << 20, {}, {}, {}});
  const Event* one = &event;
  std::vector<Verdict> verdicts;
  BOOST_TEST_REQUIRE(other.apply({&one, 1}, verdicts).ok());
  known.changed(CustomerId("ana"));
  watchers.changed(CustomerId("ana"));
  BOOST_TEST(first_item(waiting.get().recommendation) == "chair");
}

BOOST_AUTO_TEST_CASE(without_a_model_the_static_list_is_shown)
{
  knowledge.change([](Model& model, Catalog&, const Rules&) { model = Model(); });
  const auto answered = answer(ask_of("ana"));
  BOOST_TEST(tier_name(answered.tier) == "static");
  BOOST_TEST(first_item(answered) == "gift-card");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
