#include "pipeline/replay.h"

#include <boost/test/unit_test.hpp>
#include <thread>

#include "pipeline/event_record.h"
#include "pipeline/merge_reader.h"
#include "support/going_away.h"
#include "support/pipeline_fixture.h"

namespace attune {
namespace {

using namespace testing;
using namespace std::chrono_literals;

struct Fixture : PipelineFixture {
  FileLogOptions target_options;
  Milliseconds paused{0};

  Fixture()
  {
    target_options.dir = scratch.path() + "/target";
    target_options.partitions = 3;
  }

  static std::vector<LogRange> whole(LogReader& reader)
  {
    auto partitions = reader.partitions(kTopics);
    BOOST_TEST_REQUIRE(partitions.ok());
    std::vector<LogRange> ranges;
    for (const auto& at : *partitions) {
      auto ends = reader.ends(at);
      BOOST_TEST_REQUIRE(ends.ok());
      ranges.push_back({at, ends->begin, ends->end});
    }
    return ranges;
  }

  ReplayReport run(ReplayOptions options)
  {
    auto reader = open_file_log_reader(log_options);
    auto writer = open_file_log_writer(target_options);
    BOOST_TEST_REQUIRE(reader.ok());
    BOOST_TEST_REQUIRE(writer.ok());
    options.ranges = whole(**reader);
    options.topic_for = [](const std::string& topic) { return topic; };
    options.stop = [] { return false; };
    options.pause = [this](Milliseconds time) {
      paused += time;
      std::this_thread::sleep_for(time); // what is judged is the waiting itself
      return true;
    };
    auto report = replay(**reader, **writer, options);
    BOOST_TEST_REQUIRE(report.ok());
    return *report;
  }

  std::vector<Event> arrived()
  {
    auto reader = open_file_log_reader(target_options);
    BOOST_TEST_REQUIRE(reader.ok());
    MergeReader merge(**reader, {});
    for (const auto& range : whole(**reader)) BOOST_TEST_REQUIRE(merge.add(range.at, range.from, range.to).ok());
    EventDecoder decoder;
    std::vector<Event> events;
    while (!merge.finished()) {
      auto taken = merge.take(1000, std::chrono::steady_clock::now(), [&](const RecordBlockPtr& block, std::size_t index) {
        Event each;
        BOOST_TEST_REQUIRE(decoder.decode(block->from, block->records[index], each).ok());
        events.push_back(each);
      });
      BOOST_TEST_REQUIRE(taken.ok());
      if (*taken == 0) BOOST_TEST_REQUIRE((*reader)->wait(100ms).ok());
    }
    std::sort(events.begin(), events.end(),
              [](const Event& a, const Event& b) { return a.time != b.time ? *a.time < *b.time : a.id < b.id; });
    return events;
  }
};

BOOST_FIXTURE_TEST_SUITE(replaying, Fixture)

BOOST_AUTO_TEST_CASE(a_copy_holds_the_same_events)
{
  const auto events = shop_events(300, 7);
  produce(events);
  const auto report = run({});
  BOOST_TEST(report.written == 300u);
  BOOST_TEST((arrived() == events));
  BOOST_TEST(paused.count() == 0);
}

BOOST_AUTO_TEST_CASE(filters_leave_out_what_they_name_not)
{
  const auto events = shop_events(300, 7);
  produce(events);
  ReplayOptions options;
  options.types = {"purchase"};
  options.items = {"item-3"};
  const auto report = run(options);
  std::vector<Event> expected;
  for (const auto& each : events)
    if (each.type == EventType::purchase && each.items[0].item == ItemId("item-3")) expected.push_back(each);
  BOOST_TEST(!expected.empty());
  BOOST_TEST(report.written == expected.size());
  BOOST_TEST(report.filtered == events.size() - expected.size());
  BOOST_TEST((arrived() == expected));
}

BOOST_AUTO_TEST_CASE(shifted_times_move_all_by_the_same)
{
  auto events = shop_events(50, 3);
  produce(events);
  ReplayOptions options;
  options.shift = 48h;
  run(options);
  for (auto& each : events) each.time = *each.time + 48h;
  BOOST_TEST((arrived() == events));
}

BOOST_AUTO_TEST_CASE(shifting_to_a_moment_puts_the_first_event_there)
{
  std::vector<Event> visits; // of one partition, so that the first is first
  for (int i = 0; i < 50; ++i) visits.push_back(view("c", "e" + std::to_string(i), kNoon + 1s * i));
  produce(visits);
  ReplayOptions options;
  options.shift_to = Timestamp{5'000'000};
  run(options);
  const auto events = arrived();
  BOOST_TEST(events.front().time->ms == 5'000'000);
  BOOST_TEST(events.back().time->ms == 5'000'000 + 49'000);
}

BOOST_AUTO_TEST_CASE(a_range_some_of_which_is_gone_is_not_copied_in_silence)
{
  produce(shop_events(20, 3));
  auto reader = open_file_log_reader(log_options);
  auto writer = open_file_log_writer(target_options);
  BOOST_TEST_REQUIRE(reader.ok());
  BOOST_TEST_REQUIRE(writer.ok());
  ReplayOptions options;
  options.ranges = {{{"customer_clicks", 0}, 7, 9, 4}};
  const auto report = replay(**reader, **writer, options);
  BOOST_TEST_REQUIRE(!report.ok());
  BOOST_TEST((report.error().code == Code::gap));
  BOOST_TEST(report.error().message == "customer_clicks/0: 4 records are gone before they were read (position 3, earliest 7)");
}

BOOST_AUTO_TEST_CASE(a_log_that_stays_away_is_given_up)
{
  produce(shop_events(20, 3));
  GoingAway source(std::move(*open_file_log_group(log_options, "g")));
  auto writer = open_file_log_writer(target_options);
  BOOST_TEST_REQUIRE(writer.ok());
  ReplayOptions options;
  options.ranges = whole(source);
  options.topic_for = [](const std::string& topic) { return topic; };
  options.pause = [](Milliseconds) { return true; };
  int waits = 0;
  options.stop = [&] { return ++waits > 100'000; }; // of a test that fails
  options.give_up = 50ms;
  const auto report = replay(source, **writer, options);
  BOOST_TEST_REQUIRE(!report.ok());
  BOOST_TEST((report.error().code == Code::busy));
  BOOST_TEST(report.error().message == "the log: connect: refused (given up)");
}

BOOST_AUTO_TEST_CASE(the_pace_is_that_of_the_events_over_the_factor)
{
  produce(shop_events(11, 3)); // ten seconds of events
  ReplayOptions options;
  options.speed = 5;
  run(options);
  // Two seconds are due between the first and the last; the work itself takes little of it.
  BOOST_TEST(paused.count() > 0);
  BOOST_TEST((arrived().size() == 11u));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace attune
