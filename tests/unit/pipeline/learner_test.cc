#include "pipeline/learner.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "pipeline/probe_customer.h"
#include "support/pipeline_fixture.h"

namespace attune {
namespace {

using namespace testing;

struct Fixture : PipelineFixture {
  Knowledge knowledge{Model(), Catalog(), Rules()};
  std::atomic<bool> stop{false};
  std::vector<std::string> lines;

  LearnerOptions options()
  {
    LearnerOptions options;
    options.topics = kTopics;
    options.catalog_topic = std::string(kCatalogTopic);
    options.stop = [this] { return stop.load(); };
    options.say = [this](const std::string& line) { lines.push_back(line); };
    return options;
  }

  // Learns until `done`, then stops.
  void learn(
      LearnerOptions options,
      const std::function<bool(Learner&)>& done = [](Learner& learner) { return learner.counts().caught_up.load(); })
  {
    stop = false;
    auto reader = open_file_log_reader(log_options);
    BOOST_TEST_REQUIRE(reader.ok());
    Learner learner(**reader, knowledge, std::move(options));
    Status ran;
    std::thread running([&] { ran = learner.run(); });
    while (!done(learner)) std::this_thread::yield();
    stop = true;
    (*reader)->wake();
    running.join();
    BOOST_TEST(ran.ok());
  }
  [[nodiscard]] std::uint64_t clicks() const { return knowledge.read().model().holdings().clicks; }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(learner, Fixture)

BOOST_AUTO_TEST_CASE(what_the_log_holds_is_learned_once_and_the_positions_say_so)
{
  produce(shop_events(60, 7));
  learn(options());
  const auto learned = clicks();
  BOOST_TEST(learned > 0U);
  BOOST_TEST(!knowledge.read().model().positions.empty());
  learn(options()); // from the positions on: nothing is new
  BOOST_TEST(clicks() == learned);
  BOOST_TEST(knowledge.read().model().holdings().repeated == 0U);
}

BOOST_AUTO_TEST_CASE(two_who_follow_one_log_hold_the_same_clicks_as_training_once)
{
  const auto events = shop_events(200, 11);
  produce(events);
  learn(options());
  Model once;
  for (const auto& event : events) once.learn(event);
  BOOST_TEST(clicks() == once.holdings().clicks);
  BOOST_TEST(knowledge.read().model().holdings().pairs == once.holdings().pairs);
}

BOOST_AUTO_TEST_CASE(an_event_that_comes_later_is_learned_too)
{
  produce({view("ana", "e1", kNoon)});
  bool sent = false;
  learn(options(), [&](Learner& each) {
    if (each.counts().caught_up && !std::exchange(sent, true)) produce({view("ana", "e2", kNoon + Milliseconds(1000), "bulb")});
    return each.counts().events >= 2;
  });
  BOOST_TEST(clicks() == 2U);
}

BOOST_AUTO_TEST_CASE(a_frozen_model_learns_nothing_and_the_catalog_is_followed_all_the_same)
{
  produce({view("ana", "e1", kNoon)});
  produce_raw(kCatalogTopic, "lamp", R"({"item":"lamp","name":"Lamp"})");
  auto frozen = options();
  frozen.learn = false;
  learn(frozen);
  BOOST_TEST(clicks() == 0U);
  BOOST_TEST(knowledge.read().catalog().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_catalog_that_is_read_again_keeps_what_the_log_says_of_its_items)
{
  produce_raw(kCatalogTopic, "lamp", R"({"item":"lamp","name":"of the log"})");
  std::atomic<int> renewed{0};
  auto following = options();
  following.renewed = [&] { ++renewed; };
  bool sent = false;
  learn(following, [&](Learner& each) {
    if (each.counts().caught_up && !std::exchange(sent, true)) {
      Renewal renewal;
      renewal.catalog.emplace();
      for (const auto* line : {R"({"item":"lamp","name":"of the file"})", R"({"item":"bulb","name":"of the file"})"})
        renewal.catalog->put(*parse_catalog_item(line));
      each.renew(std::move(renewal));
    }
    return renewed == 1;
  });
  const auto reading = knowledge.read();
  BOOST_TEST_REQUIRE(reading.catalog().size() == 2U);
  BOOST_TEST(reading.catalog().find(ItemId("lamp"))->name == "of the log");
  BOOST_TEST(reading.catalog().find(ItemId("bulb"))->name == "of the file");
}

BOOST_AUTO_TEST_CASE(answers_go_on_while_a_snapshot_is_written_and_something_was_read_again)
{
  produce({view("ana", "e1", kNoon)});
  std::atomic<bool> writing{false}, answered{false};
  auto saving = options();
  saving.snapshot = [&](const Model&) -> Status {
    writing = true;
    while (!answered) std::this_thread::yield();
    return {};
  };
  saving.snapshot_every = Milliseconds(1);
  learn(saving, [&](Learner& each) {
    if (!writing) return false;
    Renewal renewal;
    renewal.rules.emplace();
    each.renew(std::move(renewal));
    BOOST_TEST(clicks() == 1U);
    answered = true;
    return true;
  });
}

// A log in which something is always new.
class BusyLog final : public LogReader {
 public:
  explicit BusyLog(LogReader& under, std::function<void()> before_reading) : under_(under), before_(std::move(before_reading)) {}
  Result<std::vector<TopicPartition>> partitions(std::span<const std::string> topics) override { return under_.partitions(topics); }
  Result<std::vector<std::string>> topics() override { return under_.topics(); }
  Result<PartitionEnds> ends(const TopicPartition& at) override { return under_.ends(at); }
  Result<std::int64_t> offset_at(const TopicPartition& at, Timestamp time) override { return under_.offset_at(at, time); }
  Status seek(const TopicPartition& at, std::int64_t offset) override { return under_.seek(at, offset); }
  void stop(const TopicPartition& at) override { under_.stop(at); }
  Result<RecordBlockPtr> read(const TopicPartition& at, std::size_t max) override
  {
    before_();
    return under_.read(at, max);
  }
  bool caught_up(const TopicPartition&) override { return false; }
  Status wait(Milliseconds limit) override { return under_.wait(limit); }
  void wake() override { under_.wake(); }

 private:
  LogReader& under_;
  std::function<void()> before_;
};

BOOST_AUTO_TEST_CASE(what_was_there_at_the_start_is_learned_although_more_comes_all_the_time_and_who_is_behind_says_so)
{
  produce({view("ana", "e1", kNoon)});
  auto under = open_file_log_reader(log_options);
  BOOST_TEST_REQUIRE(under.ok());
  int sent = 1;
  BusyLog busy(**under, [&] {
    ++sent;
    produce({view("ana", "e" + std::to_string(sent), kNoon + Milliseconds(1000 * sent))});
  });
  std::optional<Learner> learner;
  auto until_caught_up = options();
  until_caught_up.stop = [&] { return learner->counts().caught_up || sent > 300; };
  learner.emplace(busy, knowledge, std::move(until_caught_up));
  BOOST_TEST(learner->run().ok());
  BOOST_TEST(learner->counts().caught_up);
  BOOST_TEST(learner->counts().behind);
}

BOOST_AUTO_TEST_CASE(a_probes_events_teach_nothing)
{
  produce({view("attune-probe-1", "e1", kNoon), view("ana", "e2", kNoon)});
  auto skipping = options();
  skipping.skip = is_probe_customer;
  learn(skipping);
  BOOST_TEST(clicks() == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_no_event_is_read_over)
{
  produce_raw(kClicksTopic, "ana", "nonsense");
  produce({view("ana", "e1", kNoon)});
  learn(options());
  BOOST_TEST(clicks() == 1U);
}

BOOST_AUTO_TEST_CASE(a_snapshot_is_written_at_the_end_and_only_when_something_was_learned)
{
  produce({view("ana", "e1", kNoon)});
  int written = 0;
  auto saving = options();
  saving.snapshot = [&](const Model& model) -> Status {
    ++written;
    BOOST_TEST(model.holdings().clicks == 1U);
    return {};
  };
  learn(saving);
  BOOST_TEST(written == 1);
  learn(saving);
  BOOST_TEST(written == 1);
}

BOOST_AUTO_TEST_CASE(a_position_of_another_log_is_noticed)
{
  produce({view("ana", "e1", kNoon)});
  knowledge.change([](Model& model, Catalog&, const Rules&) {
    for (int i = 0; i < 3; ++i) model.positions.push_back({{std::string(kClicksTopic), i}, 1000});
  });
  learn(options());
  BOOST_TEST(clicks() == 1U);
  BOOST_TEST_REQUIRE(!lines.empty());
  BOOST_TEST(lines.front().find("another log") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_an_offer_uses_up_is_counted_once_and_is_in_the_snapshot)
{
  knowledge.replace(*Rules::parse("[[offer]]\nname = \"strap\"\nitem = \"strap\"\n", "rules.toml"));
  auto shown = event(EventType::impression, "ana", "i1", kNoon);
  shown.items = {{ItemId("strap"), 0, std::nullopt}};
  produce({shown});
  OfferLedger saved;
  auto saving = options();
  saving.snapshot = [&](const Model& model) -> Status {
    saved = model.offers;
    return {};
  };
  learn(saving);
  learn(saving); // from where it stood
  BOOST_TEST((saved == OfferLedger{{"strap", {1, 0}}}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
