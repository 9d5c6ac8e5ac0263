// What may run side by side on one model (core/model.h); of its own, so that it is quickly built under ThreadSanitizer.
#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/ranking.h"
#include "core/recommender.h"
#include "support/clicks.h"

using namespace attune;
using namespace attune::testing;

namespace {

Event next_click(int i)
{
  auto event = click("s" + std::to_string(i / 5), "item" + std::to_string(i * i % 97), i);
  if (i % 7 == 0) event.type = EventType::cart_add;
  if (i % 3 == 0) event.slot = Slot("home");
  return event;
}

Model a_model(int clicks)
{
  Model model;
  for (int i = 0; i < clicks; ++i) model.learn(next_click(i));
  return model;
}

// Asks as a daemon does: the recommender over a session, and each source over the model's own question.
std::string ask(const Model& model, int i)
{
  const auto last = "s" + std::to_string(i % 50);
  RecommendRequest request;
  request.recent = {ItemId("item" + std::to_string(i % 97)), ItemId("item" + std::to_string(i * 3 % 97))};
  request.why = true;
  std::string json;
  append_recommendation_json(recommend(model, nullptr, request, Catalog(), Timestamp{0}), true, json);
  const auto question = model.question(session_key(CustomerId("c-" + last), SessionId(last)), kFirstMinute, "home");
  thread_local Workspace work;
  thread_local std::vector<Ranked> ranked;
  for (std::size_t source = 0; source < kSources; ++source) {
    rank(model, question, static_cast<Source>(source), 20, work, ranked);
    for (const auto& each : ranked) json += model.item(each.item);
  }
  return json + model.name() + std::to_string(model.holdings().clicks);
}

std::string encoded(const Model& model)
{
  std::string bytes;
  static_cast<void>(model.encode([&bytes](std::string_view piece) {
    bytes += piece;
    std::this_thread::yield();
    return Status();
  }));
  return bytes;
}

} // namespace

BOOST_AUTO_TEST_SUITE(model_shared)

BOOST_AUTO_TEST_CASE(answers_given_while_the_model_is_encoded_are_those_of_the_model_and_so_are_the_bytes)
{
  const auto model = a_model(200);
  const auto bytes = encoded(model);
  std::vector<std::string> expected;
  for (int i = 0; i < 20; ++i) expected.push_back(ask(model, i));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 40; ++i) wrong += ask(model, i % 20) == expected[static_cast<std::size_t>(i % 20)] ? 0 : 1;
    });
  threads.emplace_back([&] {
    for (int i = 0; i < 20; ++i) wrong += encoded(model) == bytes ? 0 : 1;
  });
  for (auto& thread : threads) thread.join();
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(under_a_shared_lock_it_is_asked_and_encoded_and_under_an_exclusive_one_it_learns)
{
  constexpr auto kPause = std::chrono::milliseconds(1);
  auto model = a_model(200);
  std::shared_mutex lock;
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&] {
      for (int i = 0; !done; ++i) {
        {
          const std::shared_lock shared(lock);
          wrong += ask(model, i % 50).empty() ? 1 : 0;
        }
        std::this_thread::sleep_for(kPause); // such a lock prefers those who share it
      }
    });
  threads.emplace_back([&] {
    while (!done) {
      Model::Saved saved;
      {
        const std::shared_lock shared(lock);
        std::string bytes;
        saved = *model.encode([&bytes](std::string_view piece) {
          bytes += piece;
          return Status();
        });
        wrong += bytes == encoded(model) ? 0 : 1;
      }
      {
        const std::unique_lock alone(lock);
        model.set_saved(saved);
      }
      std::this_thread::sleep_for(kPause);
    }
  });
  for (int i = 200; i < 260; ++i) {
    const std::unique_lock alone(lock);
    model.learn(next_click(i));
  }
  done = true;
  for (auto& thread : threads) thread.join();
  BOOST_TEST(wrong == 0);
  BOOST_TEST(encoded(model) == encoded(a_model(260)));
}

// Of enough items that the threads it is read by share them out.
BOOST_AUTO_TEST_CASE(a_model_read_by_several_threads_at_once_and_several_times_beside_is_the_same_each_time)
{
  ModelOptions options;
  options.rate = 0;
  Model model(options);
  for (int i = 0; i < 6'000; ++i) {
    auto event = click("s" + std::to_string(i % 1'500), "item" + std::to_string(i * 7919 % 2'003), i);
    if (i % 7 == 0) event.type = EventType::cart_add;
    model.learn(event);
  }
  const auto bytes = encoded(model);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 4; ++i) {
        const auto read = Model::decode(bytes);
        wrong += read && encoded(*read) == bytes ? 0 : 1;
      }
    });
  for (auto& thread : threads) thread.join();
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(what_the_sink_says_ends_the_writing)
{
  const auto model = a_model(20'000);
  int pieces = 0;
  const auto saved = model.encode([&](std::string_view) -> Status {
    ++pieces;
    return Error{Code::io, "disk full"};
  });
  BOOST_REQUIRE(!saved.ok());
  BOOST_TEST(saved.error().message == "disk full");
  BOOST_TEST(pieces == 1);
}

// The file comes in pieces, so that a large model is never twice in memory.
BOOST_AUTO_TEST_CASE(no_piece_of_the_file_is_larger_than_a_few_megabytes)
{
  const auto model = a_model(40'000);
  std::size_t largest = 0;
  std::size_t all = 0;
  const auto saved = model.encode([&](std::string_view piece) {
    largest = std::max(largest, piece.size());
    all += piece.size();
    return Status();
  });
  BOOST_REQUIRE(saved.ok());
  BOOST_TEST(all == saved->bytes);
  BOOST_TEST(all > 1'100'000U);
  BOOST_TEST(largest <= 1'100'000U);
}

BOOST_AUTO_TEST_SUITE_END()
