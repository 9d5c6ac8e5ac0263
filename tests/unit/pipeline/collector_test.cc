#include "pipeline/collector.h"

#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>

#include "support/pipeline_fixture.h"

namespace attune {
namespace {

using namespace testing;

// A log that keeps what it is given and delivers when it is told to.
class HeldLog final : public LogWriter {
 public:
  struct Kept {
    std::string topic, key, value;
    Delivered delivered;
  };
  Status append(const OutgoingRecord& record, Delivered delivered) override
  {
    if (refusing) return Error{refusing_with, "the disk is full"};
    kept.push_back(
        {std::string(record.topic), std::string(record.key.value()), std::string(record.value.value()), std::move(delivered)});
    return {};
  }
  Status flush(Milliseconds) override { return {}; }
  [[nodiscard]] std::uint64_t undelivered() const override { return kept.size(); }
  [[nodiscard]] bool delivery_failed() const override { return false; }
  void deliver(const Result<Placed>& placed = Placed{0, 0})
  {
    auto all = std::move(kept);
    kept.clear();
    for (auto& each : all) each.delivered(placed);
  }
  std::deque<Kept> kept;
  bool refusing = false;
  Code refusing_with = Code::io;
};

struct Fixture {
  HeldLog log;
  RememberedDeadLetters dead_letters;
  SystemClock clock;
  UnderwayEvents underway;
  std::vector<Status> done; // outlives the collector, whose end is told too
  std::optional<Collector> collector;

  Fixture() { make(16u << 20); }
  void make(std::size_t most_bytes, Milliseconds patience = std::chrono::seconds(10))
  {
    CollectorParts parts;
    parts.log = &log;
    parts.dead_letters = &dead_letters;
    parts.underway = &underway;
    parts.clock = &clock;
    parts.randomness = [](std::array<std::uint8_t, 10>& bytes) { bytes.fill(7); };
    parts.name_space = "shop";
    parts.most_bytes = most_bytes;
    parts.patience = patience;
    collector.emplace(std::move(parts));
  }
  void send(std::string_view body)
  {
    const auto batch = collector->read(body);
    BOOST_TEST_REQUIRE(batch.ok());
    collector->collect(*batch, "http 10.0.0.1", [this](const Status& status) { done.push_back(status); });
  }
};

constexpr std::string_view kView = R"({"id":"e1","type":"view","customer":"ana","item":"lamp","time":1700000000000})";

} // namespace

BOOST_FIXTURE_TEST_SUITE(collector, Fixture)

BOOST_AUTO_TEST_CASE(what_a_token_may_be_asked_for_is_under_way_once_it_is_acknowledged_and_not_before)
{
  const auto batch = collector->read(kView);
  BOOST_TEST_REQUIRE(batch.ok());
  std::size_t when_told = 0;
  collector->collect(*batch, "http 10.0.0.1", [&](const Status&) { when_told = underway.size(); });
  BOOST_TEST(underway.size() == 0U);
  log.deliver();
  BOOST_TEST(when_told == 1U);
  BOOST_TEST(underway.completing(batch->token(), CustomerId("ana"), nullptr).has_value());

  send(R"({"id":"e2","type":"view","customer":"ana","item":"lamp","time":1700000000000})");
  log.deliver(Error{Code::io, "the disk is full"});
  BOOST_TEST(underway.size() == 1U);
  send(std::string(kView) + "\n" + R"({"id":"e3","type":"view","customer":"bob","item":"lamp","time":1700000000000})");
  log.deliver();
  BOOST_TEST(underway.size() == 1U); // of several customers there is no token
}

BOOST_AUTO_TEST_CASE(what_a_silent_log_has_not_taken_in_time_is_told_once_and_not_acknowledged)
{
  make(16u << 20, Milliseconds(20));
  std::promise<Status> told;
  const auto batch = collector->read(kView);
  collector->collect(*batch, "http 10.0.0.1", [&](const Status& status) { told.set_value(status); });
  const auto status = told.get_future().get();
  BOOST_TEST_REQUIRE(!status.ok());
  BOOST_TEST((status.error().code == Code::unreachable));
  BOOST_TEST(collector->bytes_in_flight() == kView.size());
  log.deliver(); // it came there after all: nobody is told twice
  BOOST_TEST(collector->bytes_in_flight() == 0U);
  BOOST_TEST(collector->counts().acknowledged.load() == 0U);
  BOOST_TEST(collector->counts().failed.load() == 1U);
}

BOOST_AUTO_TEST_CASE(a_log_that_can_not_be_written_is_at_its_end_and_one_that_is_away_is_not)
{
  send(kView);
  log.deliver(Error{Code::unreachable, "kafka://db1: away"});
  BOOST_TEST(collector->log_ended().ok());
  send(kView);
  log.deliver(Error{Code::io, "log: No space left on device"});
  BOOST_TEST_REQUIRE(!collector->log_ended().ok());
  BOOST_TEST(collector->log_ended().error().message == "log: No space left on device");
}

BOOST_AUTO_TEST_CASE(who_still_waits_when_the_collector_ends_is_told_and_the_log_may_deliver_later)
{
  send(kView);
  collector.reset();
  BOOST_TEST_REQUIRE(done.size() == 1U);
  BOOST_TEST((done.front().error().code == Code::stopped));
  log.deliver();
  BOOST_TEST(done.size() == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_is_acknowledged_before_all_of_it_is_durable)
{
  send(std::string("[") + std::string(kView) + R"(,{"type":"cart_add","customer":"ana","item":"bulb"}])");
  BOOST_TEST_REQUIRE(log.kept.size() == 2U);
  BOOST_TEST(done.empty());
  log.kept.front().delivered(Placed{0, 0});
  BOOST_TEST(done.empty());
  log.kept.back().delivered(Placed{0, 1});
  BOOST_TEST_REQUIRE(done.size() == 1U);
  BOOST_TEST(done.front().ok());
  BOOST_TEST(collector->counts().acknowledged == 2U);
}

BOOST_AUTO_TEST_CASE(a_whole_event_travels_as_it_came_to_its_topic_under_its_customer)
{
  send(kView);
  BOOST_TEST_REQUIRE(log.kept.size() == 1U);
  BOOST_TEST(log.kept[0].value == kView);
  BOOST_TEST(log.kept[0].topic == "shop.customer_clicks");
  BOOST_TEST(log.kept[0].key == "ana");
}

BOOST_AUTO_TEST_CASE(what_is_no_event_is_a_dead_letter_with_its_bytes_and_the_others_count)
{
  const auto body =
      std::string(kView) + "\n{\"type\":\"view\",\"customer\":\"ana\",\"id\":\"e2\",\"price\":\"x\",\"item\":\"l\"}\n";
  const auto batch = collector->read(body);
  BOOST_TEST_REQUIRE(batch.ok());
  BOOST_TEST(batch->events.size() == 1U);
  BOOST_TEST_REQUIRE(batch->refused.size() == 1U);
  BOOST_TEST(batch->refused[0].index == 1U);
  BOOST_TEST(batch->refused[0].id.text == "e2");
  BOOST_TEST(batch->refused[0].why.field == "price");
  send(body);
  BOOST_TEST_REQUIRE(dead_letters.texts.size() == 1U);
  BOOST_TEST(dead_letters.texts[0] == "http 10.0.0.1:1: price: not a decimal");
}

BOOST_AUTO_TEST_CASE(one_failed_record_fails_the_batch)
{
  send(std::string("[") + std::string(kView) + "," + std::string(kView) + "]");
  log.kept.front().delivered(Error{Code::io, "the disk is full"});
  log.kept.back().delivered(Placed{0, 1});
  BOOST_TEST_REQUIRE(done.size() == 1U);
  BOOST_TEST(!done.front().ok());
  BOOST_TEST(collector->counts().acknowledged == 0U);
  BOOST_TEST(collector->bytes_in_flight() == 0U);
}

BOOST_AUTO_TEST_CASE(a_log_that_takes_nothing_more_is_said_at_once)
{
  log.refusing = true;
  send(kView);
  BOOST_TEST_REQUIRE(done.size() == 1U);
  BOOST_TEST(!done.front().ok());
  BOOST_TEST(collector->bytes_in_flight() == 0U);
}

BOOST_AUTO_TEST_CASE(a_log_at_its_end_is_told_and_one_that_is_away_or_refuses_a_record_is_not)
{
  log.refusing = true;
  for (const auto code : {Code::unreachable, Code::busy, Code::bad_data, Code::stopped}) {
    log.refusing_with = code;
    send(kView);
    BOOST_TEST(collector->log_ended().ok());
  }
  log.refusing = false;
  send(kView);
  log.deliver(Error{Code::unreachable, "not delivered"});
  BOOST_TEST(collector->log_ended().ok());
  send(kView);
  log.deliver(Error{Code::config, "not authorized"});
  BOOST_TEST_REQUIRE(!collector->log_ended().ok());
  BOOST_TEST(collector->log_ended().error().message == "not authorized");
}

BOOST_AUTO_TEST_CASE(beyond_the_bound_senders_are_turned_away_until_there_is_room)
{
  make(200);
  send(kView);
  send(kView);
  BOOST_TEST(done.empty());
  send(kView);
  BOOST_TEST_REQUIRE(done.size() == 1U);
  BOOST_TEST_REQUIRE(!done.front().ok());
  BOOST_TEST((done.front().error().code == Code::busy));
  log.deliver();
  send(kView);
  BOOST_TEST(done.size() == 3U);
  log.deliver();
  BOOST_TEST(done.back().ok());
}

BOOST_AUTO_TEST_CASE(who_is_turned_away_leaves_no_dead_letter_and_does_so_again_when_let_in)
{
  const auto body = std::string(kView) + "\nnonsense\n";
  make(200);
  send(kView);
  send(kView);
  send(body);
  BOOST_TEST_REQUIRE(done.size() == 1U);
  BOOST_TEST(!done.front().ok());
  BOOST_TEST(dead_letters.texts.empty());
  log.deliver();
  send(body);
  BOOST_TEST(dead_letters.texts.size() == 1U);
  log.deliver();
}

BOOST_AUTO_TEST_CASE(a_batch_larger_than_the_bound_goes_alone)
{
  make(10);
  send(kView);
  log.deliver();
  BOOST_TEST_REQUIRE(done.size() == 1U);
  BOOST_TEST(done.front().ok());
}

BOOST_AUTO_TEST_CASE(a_token_is_for_one_customer)
{
  const auto one = collector->read(kView);
  BOOST_TEST(one->token().entries().size() == 1U);
  const auto two = collector->read(std::string("[") + std::string(kView) + R"(,{"type":"view","customer":"bob","item":"lamp"}])");
  BOOST_TEST(two->token().empty());
  BOOST_TEST(two->customer().empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
