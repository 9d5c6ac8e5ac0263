#include "core/latency_histogram.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <vector>

using namespace attune;
using namespace std::chrono_literals;

namespace {

// Of any size: a number of so many bits.
rc::Gen<std::int64_t> times()
{
  return rc::gen::map(rc::gen::pair(rc::gen::inRange(0, 63), rc::gen::arbitrary<std::uint64_t>()),
                      [](const auto& pair) { return static_cast<std::int64_t>(pair.second >> (64 - std::max(pair.first, 1))); });
}

// The definition, by hand.
std::int64_t exact(std::vector<std::int64_t> values, std::uint64_t permille)
{
  std::sort(values.begin(), values.end());
  for (std::size_t i = 0; i < values.size(); ++i)
    if ((i + 1) * 1000 >= permille * values.size()) return values[i];
  return 0;
}

bool near(std::int64_t got, std::int64_t wanted)
{
  return std::abs(static_cast<double>(got - wanted)) <= 0.032 * static_cast<double>(wanted);
}

LatencyHistogram of(const std::vector<std::int64_t>& values)
{
  LatencyHistogram histogram;
  for (const auto value : values) histogram.add(std::chrono::nanoseconds(value));
  return histogram;
}

} // namespace

BOOST_AUTO_TEST_SUITE(latency_histogram)

BOOST_AUTO_TEST_CASE(every_percentile_is_within_32_permille_of_the_exact_one)
{
  BOOST_TEST(rc::check([] {
    const auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::int64_t>>(times()));
    const auto histogram = of(values);
    RC_ASSERT(histogram.count() == values.size());
    RC_ASSERT(histogram.max().count() == exact(values, 1000));
    for (const std::uint64_t permille : {1u, 500u, 900u, 990u, 999u, 1000u})
      RC_ASSERT(near(histogram.percentile(static_cast<double>(permille) / 1000).count(), exact(values, permille)));
  }));
}

BOOST_AUTO_TEST_CASE(merged_histograms_are_the_histogram_of_all)
{
  BOOST_TEST(rc::check([](const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
    const std::vector<std::int64_t> first(a.begin(), a.end()), second(b.begin(), b.end());
    auto all = first;
    all.insert(all.end(), second.begin(), second.end());
    auto merged = of(first);
    merged.merge(of(second));
    const auto whole = of(all);
    RC_ASSERT(merged.count() == whole.count());
    RC_ASSERT(merged.max() == whole.max());
    for (std::uint64_t rank = 1; rank <= whole.count(); ++rank) RC_ASSERT(merged.value_at(rank) == whole.value_at(rank));
  }));
}

BOOST_AUTO_TEST_CASE(small_times_are_exact_and_no_percentile_is_beyond_the_longest)
{
  LatencyHistogram histogram;
  BOOST_TEST(histogram.percentile(0.99).count() == 0);
  for (int i = 0; i < 64; ++i) histogram.add(std::chrono::nanoseconds(i));
  for (int i = 0; i < 64; ++i) BOOST_TEST(histogram.value_at(static_cast<std::uint64_t>(i) + 1).count() == i);
  LatencyHistogram one;
  one.add(-5ns);
  BOOST_TEST(one.max().count() == 0);
  one.add(1'000'001ns);
  BOOST_TEST(one.percentile(0.75).count() == 1'000'001);
  one.add(std::chrono::nanoseconds::max());
  BOOST_TEST(one.max().count() == std::chrono::nanoseconds::max().count());
}

BOOST_AUTO_TEST_CASE(a_thousandth_of_a_thousand_is_the_last_but_one)
{
  BOOST_TEST(LatencyHistogram::rank(0.999, 1000) == 999);
  BOOST_TEST(LatencyHistogram::rank(0.99, 100) == 99);
  BOOST_TEST(LatencyHistogram::rank(0.99, 101) == 100);
  BOOST_TEST(LatencyHistogram::rank(0.5, 1) == 1);
  BOOST_TEST(LatencyHistogram::rank(1, 7) == 7);
}

BOOST_AUTO_TEST_SUITE_END()
