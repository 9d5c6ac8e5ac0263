#include "pipeline/train.h"

#include "support/clicks.h"
#include "support/pipeline_fixture.h"

using namespace attune;
using namespace attune::testing;

namespace {

std::vector<Event> shop_events()
{
  std::vector<Event> events;
  for (int i = 0; i < 200; ++i) {
    auto event = click("s" + std::to_string(i % 17), "i" + std::to_string(i % 13), i);
    if (i % 10 == 3) event.type = EventType::cart_add;
    events.push_back(event);
  }
  return events;
}

struct TrainFixture : PipelineFixture {
  Lessons lessons;
  Trainer trainer{[this](const Event& event) { lessons.add(event); }, dead_letters};
  std::unique_ptr<LogReader> log;
  std::vector<LogRange> ranges;

  // Of all events' topics, to the ends they have now.
  void open()
  {
    auto opened = open_file_log_reader(log_options);
    BOOST_TEST_REQUIRE(opened.ok());
    log = std::move(*opened);
    const auto partitions = log->partitions(kTopics);
    BOOST_TEST_REQUIRE(partitions.ok());
    auto resolved =
        resolve_log_ranges(*log, *partitions, {LogBound::Kind::earliest, 0, {}}, LogBound{LogBound::Kind::latest, 0, {}});
    BOOST_TEST_REQUIRE(resolved.ok());
    ranges = std::move(*resolved);
  }
  // What was read, learned.
  Model model()
  {
    lessons.sort();
    Model made;
    made.learn(lessons);
    made.positions = trainer.positions();
    return made;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(train, TrainFixture)

BOOST_AUTO_TEST_CASE(a_log_teaches_what_its_events_teach_and_says_up_to_where)
{
  const auto events = shop_events();
  produce(events);
  open();
  std::uint64_t told = 0;
  TrainOptions options;
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    told = done;
    BOOST_TEST(total == 200U);
  };
  BOOST_TEST_REQUIRE(trainer.log(*log, ranges, options).ok());
  auto expected = trained(events);
  auto read_model = model();
  BOOST_TEST((read_model.positions == trainer.positions()));
  read_model.positions.clear();
  BOOST_TEST((bytes_of(read_model) == bytes_of(expected)));
  BOOST_TEST(lessons.size() == 200U);
  BOOST_TEST(told == 200U);
  std::int64_t read = 0;
  for (const auto& position : trainer.positions()) read += position.offset;
  BOOST_TEST(read == 200);
  BOOST_TEST(trainer.positions().size() == ranges.size());
  BOOST_TEST(std::is_sorted(trainer.positions().begin(), trainer.positions().end()));
}

BOOST_AUTO_TEST_CASE(what_arrives_after_the_ends_were_seen_is_not_learned)
{
  produce({click("s1", "lamp", 1)});
  open();
  produce({click("s2", "desk", 2)});
  BOOST_TEST_REQUIRE(trainer.log(*log, ranges, {}).ok());
  BOOST_TEST(model().holdings().clicks == 1U);
  BOOST_TEST(model().number_of("desk") == kUnknownItem);
}

BOOST_AUTO_TEST_CASE(what_is_no_event_is_a_dead_letter_and_all_around_it_is_learned)
{
  produce({click("s1", "lamp", 1)});
  produce_raw(kClicksTopic, "c-s1", R"({"type":"view","colour":1})");
  produce({click("s1", "desk", 2)});
  open();
  BOOST_TEST_REQUIRE(trainer.log(*log, ranges, {}).ok());
  BOOST_TEST(model().holdings().clicks == 2U);
  BOOST_TEST(trainer.rejected() == 1U);
  BOOST_REQUIRE(dead_letters.texts.size() == 1U);
  BOOST_TEST(dead_letters.texts[0].starts_with("customer_clicks/"));
  BOOST_TEST(dead_letters.texts[0].find("colour") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stop_leaves_positions_that_say_what_was_learned)
{
  produce(shop_events());
  open();
  TrainOptions options;
  options.stop = [] { return true; };
  BOOST_TEST_REQUIRE(trainer.log(*log, ranges, options).ok());
  BOOST_TEST(lessons.size() == 0U);
  for (const auto& position : trainer.positions()) BOOST_TEST(position.offset == 0);
}

BOOST_AUTO_TEST_CASE(an_empty_log_is_read_at_once)
{
  produce({click("s1", "lamp", 1)});
  open();
  for (auto& range : ranges) range.from = *range.to;
  BOOST_TEST_REQUIRE(trainer.log(*log, ranges, {}).ok());
  BOOST_TEST(lessons.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_forget_event_of_the_log_is_obeyed_whatever_partition_it_lies_in)
{
  Event forget;
  forget.type = EventType::forget;
  forget.customer = CustomerId("c-s1");
  forget.id = EventId("forget");
  forget.time = Timestamp{kFirstMinute + 60'000};
  produce({click("s1", "lamp", 1), click("s2", "lamp", 1), forget, click("s1", "desk", 2)});
  open();
  BOOST_TEST_REQUIRE(trainer.log(*log, ranges, {}).ok());
  const auto made = model();
  BOOST_TEST(made.holdings().clicks == 2U);
  BOOST_TEST(made.holdings().refused == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
