#include "service/progress.h"

#include <boost/test/unit_test.hpp>

#include "unit/service/surroundings.h"

using namespace attune;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(progress)

BOOST_AUTO_TEST_CASE(the_line_tells_the_rate)
{
  BOOST_TEST(progress_text(1'234'567, "events", {}, 2s) == "1,234,567 events  617,283/s");
  BOOST_TEST(progress_text(0, "events", {}, 0ms) == "0 events  0/s");
}

BOOST_AUTO_TEST_CASE(a_known_end_adds_percent_and_time_left)
{
  BOOST_TEST(progress_text(500, "lines", 0.25, 10s) == "500 lines  25%  50/s  0:30 left");
  BOOST_TEST(progress_text(500, "lines", 0.001, 10s) == "500 lines  0%  50/s  2:46:30 left");
  BOOST_TEST(progress_text(500, "lines", 0.0, 10s) == "500 lines  0%  50/s");
  BOOST_TEST(progress_text(500, "lines", 1.0, 10s) == "500 lines  100%  50/s  0:00 left");
}

BOOST_AUTO_TEST_CASE(nothing_is_drawn_where_no_terminal_is)
{
  const auto ended = testing::in_child([] {
    Progress shown("lines", true);
    const auto end = std::chrono::steady_clock::now() + 150ms;
    for (std::uint64_t done = 0; std::chrono::steady_clock::now() < end; ++done) shown.update(done);
    return 0;
  });
  BOOST_TEST(ended.err == "");
}

BOOST_AUTO_TEST_SUITE_END()
