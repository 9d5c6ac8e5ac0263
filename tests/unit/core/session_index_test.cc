#include "core/session_index.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <random>
#include <unordered_map>
#include <vector>

using namespace attune;

BOOST_AUTO_TEST_SUITE(session_index)

// Few hashes, so that several sessions share one, and stand where others belong.
BOOST_AUTO_TEST_CASE(it_finds_what_a_map_finds_whatever_was_put_in_and_taken_out)
{
  BOOST_TEST(rc::check([] {
    std::mt19937_64 random(*rc::gen::arbitrary<unsigned>());
    const auto spread = *rc::gen::element<std::uint64_t>(3, 40, 100'000);
    const auto steps = *rc::gen::inRange(0, 600);
    SessionIndex index;
    std::vector<std::uint64_t> keys; // of each session
    std::unordered_map<std::uint64_t, SessionNumber> expected;
    const auto hash_of = [&](std::uint64_t key) { return key % spread; };
    const auto find = [&](std::uint64_t key) {
      return index.find(hash_of(key), [&](SessionNumber session) { return keys[session] == key; });
    };
    for (int i = 0; i < steps; ++i) {
      const auto key = random() % 200;
      if (random() % 3 == 0) {
        if (const auto found = expected.find(key); found != expected.end()) {
          index.erase(hash_of(key), found->second);
          expected.erase(found);
        }
      } else {
        keys.push_back(key);
        const auto session = static_cast<SessionNumber>(keys.size() - 1);
        index.set(hash_of(key), session, [&](SessionNumber other) { return keys[other] == key; });
        expected[key] = session;
      }
    }
    RC_ASSERT(index.size() == expected.size());
    for (std::uint64_t key = 0; key < 200; ++key) {
      const auto found = expected.find(key);
      RC_ASSERT(find(key) == (found == expected.end() ? kNoSession : found->second));
    }
  }));
}

BOOST_AUTO_TEST_CASE(a_slot_is_eight_bytes_and_five_of_eight_at_least_are_taken)
{
  SessionIndex index;
  for (SessionNumber session = 0; session < 100'000; ++session) {
    index.insert(session * 0x9E3779B97F4A7C15ULL, session);
    if (session > 1'000) BOOST_TEST_REQUIRE(index.bytes() <= index.size() * 8 * 8 / 5);
  }
}

BOOST_AUTO_TEST_CASE(an_empty_one_holds_nothing)
{
  BOOST_TEST(SessionIndex().find(7, [](SessionNumber) { return true; }) == kNoSession);
}

BOOST_AUTO_TEST_SUITE_END()
