#include "pipeline/knowledge.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

namespace attune {
namespace {

struct Fixture {
  Knowledge knowledge{Model(), Catalog(), Rules()};
  void wait_for_turns(std::uint32_t asked) const
  {
    while (knowledge.turns_asked() != asked) std::this_thread::yield();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(knowledge, Fixture)

BOOST_AUTO_TEST_CASE(who_asks_for_an_answer_while_something_is_learned_has_it_before_the_next_is)
{
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> answers{0};
    std::vector<std::thread> askers;
    knowledge.change([&](Model&, Catalog&, const Rules&) {
      for (int i = 0; i < 2; ++i)
        askers.emplace_back([&] {
          const auto reading = knowledge.read();
          ++answers;
        });
      wait_for_turns(3);
    });
    int before_the_next = 0;
    knowledge.change([&](Model&, Catalog&, const Rules&) { before_the_next = answers; });
    for (auto& each : askers) each.join();
    BOOST_TEST_REQUIRE(before_the_next == 2);
  }
}

BOOST_AUTO_TEST_CASE(who_learns_has_a_turn_although_somebody_always_reads)
{
  std::atomic<bool> learned{false};
  std::atomic<int> reading{0};
  std::vector<std::thread> askers;
  // Each lets go only once the other reads, as long as nothing is learned or waits to be: the knowledge is never without a reader.
  for (int i = 0; i < 2; ++i)
    askers.emplace_back([&] {
      while (!learned) {
        const auto held = knowledge.read();
        ++reading;
        while (reading < 2 && knowledge.turns_asked() == 0 && !learned) std::this_thread::yield();
        --reading;
      }
    });
  for (int i = 0; i < 200; ++i) knowledge.change([](Model&, Catalog&, const Rules&) {});
  learned = true;
  for (auto& each : askers) each.join();
}

BOOST_AUTO_TEST_CASE(what_is_replaced_is_what_is_read_from_then_on)
{
  Catalog catalog;
  CatalogItem lamp;
  lamp.item = ItemId("lamp");
  catalog.put(lamp);
  knowledge.replace(std::move(catalog));
  BOOST_TEST(knowledge.read().catalog().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
