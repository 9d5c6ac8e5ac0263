#include "core/session.h"

#include <boost/test/unit_test.hpp>

#include "support/profile_builders.h"

namespace attune {
namespace {

using namespace testing;

// (start, end) of the sessions of views at these times, put in one by one in this order.
using Spans = std::vector<std::pair<std::int64_t, std::int64_t>>;

Spans spans(const std::vector<std::int64_t>& times, std::int64_t gap)
{
  Profile profile = a_profile();
  for (std::size_t i = 0; i < times.size(); ++i) put_in(profile, an_event(EventType::view, named("e", i), times[i]));
  Spans all;
  for (const auto& session : sessions(profile, Milliseconds(gap))) all.emplace_back(session.start.ms, session.end.ms);
  return all;
}

Event of_session(Event event, const char* session)
{
  event.session = SessionId(session);
  return event;
}

std::vector<std::string> items_of(const Session& session)
{
  std::vector<std::string> items;
  for (const auto& item : session.items) items.push_back(item.text);
  return items;
}

} // namespace

BOOST_AUTO_TEST_SUITE(session)

// The published cases of session windows, as far as they speak of the windows themselves (lateness is the profile's floor here).
BOOST_AUTO_TEST_CASE(sessions_merge_as_kafka_streams_and_bytewax_say)
{
  // KStreamSessionWindowAggregateProcessorTest.shouldMergeSessions
  BOOST_TEST((spans({0, 1001}, 1000) == Spans{{0, 0}, {1001, 1001}}));
  BOOST_TEST((spans({0, 1001, 500}, 1000) == Spans{{0, 1001}}));
  // SessionWindows' documentation
  BOOST_TEST((spans({10, 12, 20}, 5) == Spans{{10, 12}, {20, 20}}));
  BOOST_TEST((spans({10, 12, 20, 16}, 5) == Spans{{10, 20}}));
  // bytewax test_fold_window; its last event is late there, and in place here
  BOOST_TEST((spans({1, 5, 11, 12, 13, 14, 20, 1}, 5) == Spans{{1, 5}, {11, 14}, {20, 20}}));
  // bytewax test_session_windower
  BOOST_TEST((spans({0, 10}, 10) == Spans{{0, 10}}));
  BOOST_TEST((spans({0, -10}, 10) == Spans{{-10, 0}}));
  BOOST_TEST((spans({0, 20, 10}, 10) == Spans{{0, 20}}));
  BOOST_TEST((spans({0, 20, 25, 40}, 10) == Spans{{0, 0}, {20, 25}, {40, 40}}));
}

BOOST_AUTO_TEST_CASE(a_gap_of_exactly_the_idle_limit_is_within_a_session)
{
  const std::int64_t idle = kSessionIdle.count();
  BOOST_TEST((spans({0, idle, 2 * idle + 1}, idle) == Spans{{0, idle}, {2 * idle + 1, 2 * idle + 1}}));
}

BOOST_AUTO_TEST_CASE(the_sites_session_decides_where_both_events_have_one)
{
  const Profile profile =
      profile_of({of_session(an_event(EventType::view, "1", 0), "a"), of_session(an_event(EventType::view, "2", 1), "b"),
                  of_session(an_event(EventType::view, "3", kDay), "b"), an_event(EventType::view, "4", kDay + kMinute),
                  an_event(EventType::view, "5", 2 * kDay)});
  const auto all = sessions(profile);
  BOOST_TEST(all.size() == 3u);
  BOOST_TEST(all[0].id.text == "a");
  BOOST_TEST(all[1].id.text == "b");
  BOOST_TEST(all[1].end == Timestamp{kDay + kMinute});
  BOOST_TEST(all[2].id.text == "c1@172800000");
}

BOOST_AUTO_TEST_CASE(a_session_walks_all_lists_in_order_and_lists_what_told_interest)
{
  Event search = an_event(EventType::search, "3", 3, "");
  Event shown = an_event(EventType::impression, "4", 4, "");
  shown.items = {{ItemId("shown"), 0, {}}};
  const Profile profile =
      profile_of({an_event(EventType::view, "1", 1, "a"), an_event(EventType::click, "2", 2, "a"), search, shown,
                  an_event(EventType::cart_add, "5", 5, "b"), an_event(EventType::cart_remove, "6", 6, "z"),
                  an_event(EventType::view, "7", 7, "a"), a_purchase("8", 8, {a_line("c", 1, "1"), a_line("d", 1, "1")})});
  const auto now = current_session(profile, {kHour});
  BOOST_TEST(items_of(*now) == (std::vector<std::string>{"a", "b", "a", "c", "d"}));
  BOOST_TEST(now->start == Timestamp{1});
  BOOST_TEST(now->end == Timestamp{8});
}

BOOST_AUTO_TEST_CASE(the_current_session_is_as_of_now)
{
  const Profile profile = profile_of({an_event(EventType::view, "1", 0, "a"), an_event(EventType::view, "2", kDay, "b"),
                                      an_event(EventType::view, "3", kDay + 1, "c")});
  BOOST_TEST(!current_session(profile, {-1}));
  BOOST_TEST(items_of(*current_session(profile, {kDay - 1})) == (std::vector<std::string>{"a"}));
  BOOST_TEST(items_of(*current_session(profile, {kDay})) == (std::vector<std::string>{"b"}));
  BOOST_TEST(items_of(*current_session(profile, {9 * kDay})) == (std::vector<std::string>{"b", "c"}));
}

BOOST_AUTO_TEST_CASE(the_current_session_is_the_last_of_all_sessions)
{
  StreamKnobs knobs;
  knobs.days = 3;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Profile profile = profile_of(a_stream(seed, knobs));
    const auto all = sessions(profile);
    const auto now = current_session(profile, *last_time(profile));
    BOOST_TEST(now->id.text == all.back().id.text);
    BOOST_TEST(now->start == all.back().start);
    BOOST_TEST(items_of(*now) == items_of(all.back()));
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
