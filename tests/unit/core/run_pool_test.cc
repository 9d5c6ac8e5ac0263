#include "core/run_pool.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <random>

using namespace attune;

namespace {

template <class T>
bool holds(const RunPool<T>& pool, const Run& run, const std::vector<T>& expected)
{
  const auto values = pool.values(run);
  return std::equal(values.begin(), values.end(), expected.begin(), expected.end());
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_pool)

BOOST_AUTO_TEST_CASE(runs_hold_what_vectors_hold)
{
  BOOST_TEST(rc::check([] {
    std::mt19937 random(*rc::gen::arbitrary<unsigned>());
    const auto longest = *rc::gen::element<std::size_t>(4, 70, kMaxRun);
    RunPool<std::uint64_t> pool;
    std::vector<Run> runs(20);
    std::vector<std::vector<std::uint64_t>> expected(runs.size());
    const auto count = *rc::gen::inRange(0, 3'000);
    for (int i = 0; i < count; ++i) {
      const auto at = random() % runs.size();
      if (random() % 40 == 0) {
        pool.release(runs[at]);
        expected[at].clear();
      } else if (expected[at].empty() && random() % 2 == 0) {
        expected[at].resize(random() % longest);
        for (auto& value : expected[at]) value = random();
        pool.assign(runs[at], expected[at]);
      } else if (random() % 40 == 0) {
        pool.reserve(runs[at], 1 + random() % longest);
      } else {
        for (auto more = random() % 8; more > 0 && expected[at].size() < longest; --more) {
          expected[at].push_back(random());
          pool.push(runs[at], expected[at].back());
        }
      }
      RC_ASSERT(holds(pool, runs[at], expected[at]));
    }
    for (std::size_t at = 0; at < runs.size(); ++at) RC_ASSERT(holds(pool, runs[at], expected[at]));
  }));
}

BOOST_AUTO_TEST_CASE(runs_over_many_pieces_of_memory_keep_apart)
{
  std::mt19937 random(3);
  RunPool<std::uint32_t> pool;
  std::vector<Run> runs(600);
  std::vector<std::vector<std::uint32_t>> expected(runs.size());
  for (int i = 0; i < 400'000; ++i) {
    const auto at = random() % runs.size();
    if (expected[at].size() == kMaxRun || random() % 900 == 0) {
      pool.release(runs[at]);
      expected[at].clear();
    }
    expected[at].push_back(random());
    pool.push(runs[at], expected[at].back());
  }
  for (std::size_t at = 0; at < runs.size(); ++at) BOOST_TEST_REQUIRE(holds(pool, runs[at], expected[at]));
}

BOOST_AUTO_TEST_CASE(what_was_expected_is_all_that_is_taken_and_what_comes_unexpected_has_room_too)
{
  constexpr std::size_t kRuns = 30'000;
  RunPool<std::uint32_t> pool;
  pool.expect(kRuns * RunPool<std::uint32_t>::room_of(5));
  const auto expected = pool.bytes();
  BOOST_TEST(expected >= kRuns * 8 * sizeof(std::uint32_t));
  std::vector<Run> runs(2 * kRuns);
  for (std::uint32_t i = 0; i < runs.size(); ++i) {
    const std::vector<std::uint32_t> values{i, i + 1, i + 2, i + 3, i + 4};
    pool.assign(runs[i], values);
    if (i + 1 == kRuns) BOOST_TEST(pool.bytes() == expected);
  }
  BOOST_TEST(pool.bytes() > expected);
  for (std::uint32_t i = 0; i < runs.size(); ++i)
    BOOST_TEST_REQUIRE(holds(pool, runs[i], std::vector<std::uint32_t>{i, i + 1, i + 2, i + 3, i + 4}));
}

BOOST_AUTO_TEST_CASE(what_was_released_is_used_again)
{
  RunPool<std::uint32_t> pool;
  const auto fill = [&pool] {
    std::vector<Run> runs(2'000);
    for (std::uint32_t i = 0; i < 60'000; ++i) pool.push(runs[i % runs.size()], i);
    for (auto& run : runs) pool.release(run);
  };
  fill();
  const auto bytes = pool.bytes();
  for (int i = 0; i < 20; ++i) fill();
  BOOST_TEST(pool.bytes() == bytes);
}

BOOST_AUTO_TEST_CASE(an_empty_run_has_no_values_and_a_full_one_has_all)
{
  RunPool<char> pool;
  Run run;
  BOOST_TEST(pool.values(run).empty());
  BOOST_TEST(pool.bytes() == 0U);
  for (std::size_t i = 0; i < kMaxRun; ++i) pool.push(run, 'x');
  BOOST_TEST(pool.values(run).size() == kMaxRun);
  pool.release(run);
  BOOST_TEST(pool.values(run).empty());
}

BOOST_AUTO_TEST_SUITE_END()
