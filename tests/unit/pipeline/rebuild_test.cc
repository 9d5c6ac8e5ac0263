#include "pipeline/rebuild.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>

#include "support/pipeline_fixture.h"

namespace attune {
namespace {

using namespace testing;
using namespace std::chrono_literals;

struct Fixture : PipelineFixture {
  RebuildOptions rebuild_options()
  {
    RebuildOptions options;
    options.event_topics = kTopics;
    options.identity_topic = kIdentityTopic;
    options.late_topic = kLateTopic;
    options.groups = {"g"};
    return options;
  }
  Result<RebuildReport> make_anew(const RebuildOptions& options)
  {
    auto reader = open_file_log_reader(log_options);
    auto admin = open_file_log_admin(log_options);
    BOOST_TEST_REQUIRE(reader.ok());
    BOOST_TEST_REQUIRE(admin.ok());
    return rebuild(**reader, **admin, *store, options);
  }
  Profiles profiles_now()
  {
    BOOST_TEST_REQUIRE(store->incarnation().ok()); // moves to the published generation
    return profiles_of(*store);
  }
};

BOOST_FIXTURE_TEST_SUITE(rebuilding, Fixture)

BOOST_AUTO_TEST_CASE(a_shuffled_log_gives_the_ordered_profiles)
{
  auto events = shop_events(3000, 3);
  const auto expected = expected_of(events);
  std::mt19937 random(5);
  std::shuffle(events.begin(), events.end(), random);
  for (std::size_t i = 0; i < events.size(); i += 100) {
    produce({events.begin() + static_cast<std::ptrdiff_t>(i),
             events.begin() + static_cast<std::ptrdiff_t>(std::min(i + 100, events.size()))});
    BOOST_TEST_REQUIRE(feed().ok());
  }
  BOOST_TEST(!late.ids.empty());
  BOOST_TEST((profiles_of(*store) != expected));
  const auto report = make_anew(rebuild_options());
  BOOST_TEST_REQUIRE(report.ok());
  BOOST_TEST(report->events == 3000u);
  BOOST_TEST(report->profiles == expected.size());
  BOOST_TEST((profiles_now() == expected));
}

BOOST_AUTO_TEST_CASE(passes_of_any_number_make_the_same_profiles)
{
  const auto events = shop_events(1000, 40);
  produce(events);
  auto options = rebuild_options();
  options.memory_bytes = 50'000; // more than ten passes
  BOOST_TEST_REQUIRE(make_anew(options).ok());
  BOOST_TEST((profiles_now() == expected_of(events)));
}

BOOST_AUTO_TEST_CASE(the_group_goes_on_where_the_rebuild_ended)
{
  const auto events = shop_events(300, 5);
  produce(events);
  BOOST_TEST_REQUIRE(feed().ok());
  BOOST_TEST_REQUIRE(make_anew(rebuild_options()).ok());
  produce({view("c1", "new", kNoon + 24h)});
  std::uint64_t read = 0;
  auto options = feed_options();
  options.progress = [&](std::uint64_t done, std::optional<std::uint64_t>) { read = done; };
  BOOST_TEST_REQUIRE(store->incarnation().ok());
  BOOST_TEST_REQUIRE(feed(std::move(options), *store).ok());
  BOOST_TEST(read == 1u);
}

BOOST_AUTO_TEST_CASE(aliases_end_up_in_their_customer_whatever_the_pass)
{
  std::vector<Event> events;
  for (int i = 0; i < 200; ++i)
    events.push_back(view("anon-" + std::to_string(i % 20), "e" + std::to_string(i), kNoon + Milliseconds(i)));
  for (int i = 0; i < 20; ++i) events.push_back(identify("ana", "anon-" + std::to_string(i), "i" + std::to_string(i), kNoon + 1s));
  produce(events);
  auto options = rebuild_options();
  options.memory_bytes = 20'000;
  BOOST_TEST_REQUIRE(make_anew(options).ok());
  const auto all = profiles_now();
  auto ana = decode_profile(CustomerId("ana"), all.at("ana"));
  BOOST_TEST_REQUIRE(ana.ok());
  BOOST_TEST(counts(*ana).at(0).second == 200u);
}

BOOST_AUTO_TEST_CASE(what_was_refused_is_not_brought_back)
{
  produce({view("c", "1", kNoon), consent("c", false, "no", kNoon + 1s), view("c", "2", kNoon + 2s),
           consent("c", true, "yes", kNoon + 3s), view("c", "3", kNoon + 4s)});
  BOOST_TEST_REQUIRE(make_anew(rebuild_options()).ok());
  const auto all = profiles_now();
  auto profile = decode_profile(CustomerId("c"), all.at("c"));
  BOOST_TEST_REQUIRE(profile.ok());
  BOOST_TEST_REQUIRE(profile->recent[static_cast<std::size_t>(RecentList::other)].size() == 1u);
  BOOST_TEST(profile->recent[static_cast<std::size_t>(RecentList::other)][0].place().id.text == "3");
}

BOOST_AUTO_TEST_CASE(a_late_sink_that_is_a_file_is_placed_too)
{
  const auto events = shop_events(50, 2);
  produce({events.begin(), events.end() - 1});
  auto options = rebuild_options();
  options.more_late = [&](const std::function<void(std::string_view)>& take) -> Status {
    std::string line;
    append_event_json(events.back(), line);
    take(line);
    return {};
  };
  BOOST_TEST_REQUIRE(make_anew(options).ok());
  BOOST_TEST((profiles_now() == expected_of(events)));
}

BOOST_AUTO_TEST_CASE(a_stopped_rebuild_leaves_the_store_as_it_was)
{
  const auto events = shop_events(100, 4);
  produce(events);
  BOOST_TEST_REQUIRE(feed().ok());
  auto options = rebuild_options();
  options.stop = [] { return true; };
  const auto report = make_anew(options);
  BOOST_TEST_REQUIRE(!report.ok());
  BOOST_TEST((report.error().code == Code::stopped));
  BOOST_TEST((profiles_now() == expected_of(events)));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace attune
