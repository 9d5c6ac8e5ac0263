#include "pipeline/group_feed.h"

#include <boost/test/unit_test.hpp>

#include "support/going_away.h"
#include "support/pipeline_fixture.h"

namespace attune {
namespace {

using namespace testing;
using namespace std::chrono_literals;

// A store whose incarnation the test chooses.
class Reincarnated final : public ProfileStore {
 public:
  Reincarnated(std::unique_ptr<ProfileStore> under, std::shared_ptr<Incarnation> now)
      : under_(std::move(under)), now_(std::move(now))
  {
  }
  Result<std::unique_ptr<ProfileStore>> another() override
  {
    auto more = under_->another();
    if (!more) return more.error();
    return std::unique_ptr<ProfileStore>(new Reincarnated(std::move(*more), now_));
  }
  Result<Incarnation> incarnation() override { return *now_; }
  Status get(std::span<const CustomerId> customers, std::vector<StoredProfile>& out) override
  {
    return under_->get(customers, out);
  }
  Status compare_and_set(std::span<const ProfileWrite> writes, std::vector<WriteOutcome>& out) override
  {
    return under_->compare_and_set(writes, out);
  }
  Status scan(const std::function<bool(const CustomerId&, const StoredProfile&)>& visit) override { return under_->scan(visit); }
  Result<std::unique_ptr<ProfileStore>> fresh_generation() override { return under_->fresh_generation(); }
  Status publish_generation() override { return under_->publish_generation(); }

 private:
  std::unique_ptr<ProfileStore> under_;
  std::shared_ptr<Incarnation> now_;
};

// Is slow to say how a store that was begun went, and then it went wrong.
class SlowToStore final : public Forwarding {
 public:
  using Forwarding::Forwarding;
  Status begin_store(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) override
  {
    BOOST_TEST(!positions.empty());
    ++begun;
    looks_ = 0;
    return {};
  }
  std::optional<Status> stored_outcome(Milliseconds) override
  {
    if (++looks_ < 3) return {};
    return Status(Error{Code::unreachable, "the log: store positions: timed out after 10 s"});
  }

  int begun = 0;

 private:
  int looks_ = 0;
};

// Loses what it was given, and says so, some times; or is away when it is given something.
class LosingDeadLetters final : public DeadLetterSink {
 public:
  LosingDeadLetters(int flushes, int puts) : flushes_(flushes), puts_(puts) {}
  Status put(const DeadLetter& letter) override
  {
    const std::lock_guard lock(mutex_);
    if (puts_-- > 0) return Error{Code::unreachable, "the sink: the queue is full"};
    held_.push_back(letter.text());
    return {};
  }
  Status flush(Milliseconds) override
  {
    const std::lock_guard lock(mutex_);
    const auto held = std::exchange(held_, {});
    if (flushes_-- > 0) return Error{Code::unreachable, "the sink: not delivered"};
    durable.insert(held.begin(), held.end());
    return {};
  }
  std::set<std::string> durable;

 private:
  std::mutex mutex_;
  std::vector<std::string> held_;
  int flushes_, puts_;
};

BOOST_AUTO_TEST_SUITE(position_notes)

BOOST_AUTO_TEST_CASE(a_note_reads_back_as_it_was_written)
{
  const PositionNote note{{"data1", "run1"}, {{Timestamp{1}, 10}, {Timestamp{5000}, 12}}};
  const auto read = parse_note(to_note(note));
  BOOST_TEST((read.incarnation == note.incarnation));
  BOOST_TEST((read.trail == note.trail));
}

BOOST_AUTO_TEST_CASE(a_note_that_is_not_ours_is_of_no_incarnation)
{
  for (const auto& text : {"", "x", "2 a b", "1 a", "{\"json\":true}"}) BOOST_TEST(parse_note(text).incarnation.data.empty(), text);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(group_feed, PipelineFixture)

BOOST_AUTO_TEST_CASE(a_log_becomes_profiles_and_stops_at_its_end)
{
  const auto events = shop_events(500, 20);
  produce(events);
  BOOST_TEST_REQUIRE(feed().ok());
  BOOST_TEST((profiles_of(*store) == expected_of(events)));
  BOOST_TEST(late.ids.empty());
}

BOOST_AUTO_TEST_CASE(what_a_group_has_read_it_does_not_read_again)
{
  produce(shop_events(200, 5));
  BOOST_TEST_REQUIRE(feed().ok());
  produce({view("new", "n1", kNoon)});
  std::uint64_t read = 0;
  auto options = feed_options();
  options.progress = [&](std::uint64_t done, std::optional<std::uint64_t>) { read = done; };
  BOOST_TEST_REQUIRE(feed(std::move(options), *store).ok());
  BOOST_TEST(read == 1u);
}

BOOST_AUTO_TEST_CASE(positions_whose_storing_failed_behind_our_back_are_stored_again)
{
  const auto events = shop_events(400, 20);
  produce(events);
  auto opened = open_file_log_group(log_options, "g");
  BOOST_TEST_REQUIRE(opened.ok());
  {
    SlowToStore log(std::move(*opened));
    auto ingest = Ingest::start(*store, {}, {&dead_letters, &late, {}}, [&log] { log.wake(); });
    BOOST_TEST_REQUIRE(ingest.ok());
    auto options = feed_options();
    options.store_every = 0ms;
    std::uint64_t fed = 0;
    options.until_end = false;
    options.progress = [&fed](std::uint64_t done, std::optional<std::uint64_t>) { fed = done; };
    options.stop = [&, end = std::chrono::steady_clock::now() + 20s] {
      return (fed == events.size() && log.begun > 0) || std::chrono::steady_clock::now() > end;
    };
    GroupFeed feeder(log, *store, **ingest, clock, std::move(options));
    BOOST_TEST_REQUIRE(feeder.run().ok());
    BOOST_TEST(log.begun > 0);
  }
  std::uint64_t read = 0;
  auto options = feed_options();
  options.progress = [&](std::uint64_t done, std::optional<std::uint64_t>) { read = done; };
  BOOST_TEST_REQUIRE(feed(std::move(options), *store).ok());
  BOOST_TEST(read == 0u);
  BOOST_TEST((profiles_of(*store) == expected_of(events)));
}

BOOST_AUTO_TEST_CASE(a_store_of_another_incarnation_begins_at_the_earliest_record)
{
  const auto events = shop_events(200, 5);
  produce(events);
  BOOST_TEST_REQUIRE(feed().ok());
  auto empty = open_memory_store("", {});
  BOOST_TEST_REQUIRE(feed(feed_options(), *empty).ok());
  BOOST_TEST((profiles_of(*empty) == expected_of(events)));
  BOOST_TEST(!said.empty());
}

BOOST_AUTO_TEST_CASE(the_same_data_in_another_run_steps_back_and_changes_nothing)
{
  const auto events = shop_events(200, 5);
  produce(events);
  auto incarnation = std::make_shared<Incarnation>(Incarnation{"data", "run1"});
  auto under = open_memory_store("", {});
  auto handle = under->another();
  Reincarnated reincarnated(std::move(*handle), incarnation);
  BOOST_TEST_REQUIRE(feed(feed_options(), reincarnated).ok());
  const auto before = profiles_of(*under);
  incarnation->run = "run2";
  std::uint64_t read = 0;
  auto options = feed_options();
  options.progress = [&](std::uint64_t done, std::optional<std::uint64_t>) { read = done; };
  BOOST_TEST_REQUIRE(feed(std::move(options), reincarnated).ok());
  BOOST_TEST(read == 200u); // all of it was within the rewind
  BOOST_TEST((profiles_of(*under) == before));
  BOOST_TEST_REQUIRE(!said.empty());
  BOOST_TEST(said.front().find("stepping back") != std::string::npos, said.front());
}

BOOST_AUTO_TEST_CASE(a_restarted_store_whose_position_has_no_trail_begins_at_the_earliest_record)
{
  const auto events = shop_events(200, 5);
  produce(events);
  auto admin = open_file_log_admin(log_options);
  BOOST_TEST_REQUIRE(admin.ok());
  auto reader = open_file_log_reader(log_options);
  BOOST_TEST_REQUIRE(reader.ok());
  // As a rebuild leaves them: at the ends, with no way back.
  std::vector<std::pair<TopicPartition, StoredPosition>> positions;
  const auto partitions = (*reader)->partitions(kTopics);
  BOOST_TEST_REQUIRE(partitions.ok());
  for (const auto& at : *partitions) positions.push_back({at, {(*reader)->ends(at).value().end, to_note({{"data", "run1"}, {}})}});
  BOOST_TEST_REQUIRE((*admin)->store_positions("g", positions).ok());

  auto under = open_memory_store("", {});
  Reincarnated reincarnated(std::move(*under->another()), std::make_shared<Incarnation>(Incarnation{"data", "run2"}));
  BOOST_TEST_REQUIRE(feed(feed_options(), reincarnated).ok());
  BOOST_TEST((profiles_of(*under) == expected_of(events)));
}

BOOST_AUTO_TEST_CASE(a_log_that_stays_away_is_given_up)
{
  produce(shop_events(200, 5));
  auto opened = open_file_log_group(log_options, "g");
  BOOST_TEST_REQUIRE(opened.ok());
  GoingAway log(std::move(*opened));
  auto ingest = Ingest::start(*store, {}, {&dead_letters, &late, {}}, [&log] { log.wake(); });
  BOOST_TEST_REQUIRE(ingest.ok());
  auto options = feed_options();
  options.give_up = 200ms;
  // Nobody waits for ever for a test that fails.
  const auto end = std::chrono::steady_clock::now() + 20s;
  options.stop = [end] { return std::chrono::steady_clock::now() > end; };
  GroupFeed feeder(log, *store, **ingest, clock, std::move(options));
  const auto fed = feeder.run();
  BOOST_TEST_REQUIRE(!fed.ok());
  BOOST_TEST((fed.error().code == Code::busy));
  BOOST_TEST(fed.error().message == "the log: connect: refused (given up)");
}

BOOST_AUTO_TEST_CASE(records_that_are_gone_stop_the_program_with_their_number)
{
  log_options.segment_bytes = 2000;
  const auto events = shop_events(100, 1);
  produce(events);
  BOOST_TEST_REQUIRE(feed().ok());
  produce(shop_events(400, 1));
  {
    // Retention by size takes what the group has not read yet.
    auto admin = open_file_log_admin(log_options);
    BOOST_TEST_REQUIRE(admin.ok());
    TopicSettings settings;
    settings.topic = kClicksTopic;
    settings.partitions = 3;
    settings.replication = 1;
    settings.retention_bytes = 4000;
    BOOST_TEST_REQUIRE((*admin)->alter(settings).ok());
  }
  produce(shop_events(5, 1));
  const auto fed = feed();
  BOOST_TEST_REQUIRE(!fed.ok());
  BOOST_TEST((fed.error().code == Code::gap));
  BOOST_TEST(fed.error().message.find("records are gone") != std::string::npos, fed.error().message);
  auto options = feed_options();
  options.on_gap_continue = true;
  BOOST_TEST(feed(std::move(options), *store).ok());
}

BOOST_AUTO_TEST_CASE(a_position_the_log_does_not_reach_stops_the_program_and_is_never_taken_for_the_end)
{
  const auto events = shop_events(100, 3);
  produce(events);
  auto admin = open_file_log_admin(log_options);
  BOOST_TEST_REQUIRE(admin.ok());
  const auto note = to_note({store->incarnation().value(), {}});
  BOOST_TEST_REQUIRE((*admin)->store_positions("g", {{{std::string(kClicksTopic), 0}, {1000, note}}}).ok());
  const auto fed = feed();
  BOOST_TEST_REQUIRE(!fed.ok());
  BOOST_TEST((fed.error().code == Code::gap));
  BOOST_TEST(fed.error().message.find("the log lost") != std::string::npos, fed.error().message);
  auto options = feed_options();
  options.on_gap_continue = true;
  BOOST_TEST_REQUIRE(feed(std::move(options), *store).ok());
  BOOST_TEST((profiles_of(*store) == expected_of(events)));
}

BOOST_AUTO_TEST_CASE(a_stop_finishes_what_is_in_flight_and_stores_the_positions)
{
  const auto events = shop_events(3000, 50);
  produce(events);
  std::atomic<bool> stop{false};
  auto options = feed_options();
  options.until_end = false;
  options.stop = [&] { return stop.load(); };
  options.progress = [&](std::uint64_t done, std::optional<std::uint64_t>) { stop = done > 0; };
  BOOST_TEST_REQUIRE(feed(std::move(options), *store).ok());
  BOOST_TEST_REQUIRE(feed().ok());
  BOOST_TEST((profiles_of(*store) == expected_of(events)));
}

BOOST_AUTO_TEST_CASE(what_a_sink_lost_while_it_was_away_is_given_to_it_again_and_nothing_counts_twice)
{
  for (const auto& [flushes, puts] : {std::pair(2, 0), std::pair(0, 2), std::pair(1, 1)}) {
    const auto customer = "c" + std::to_string(flushes) + std::to_string(puts);
    const std::vector events{view(customer, "e1", kNoon), view(customer, "e2", kNoon + Milliseconds(1000))};
    produce(events);
    produce_raw(kClicksTopic, customer, "nonsense");
    LosingDeadLetters losing(flushes, puts);
    auto group = open_file_log_group(log_options, customer);
    BOOST_TEST_REQUIRE(group.ok());
    const auto into = open_memory_store("", {});
    auto ingest = Ingest::start(*into, {}, {&losing, &late, {}}, [&group] { (*group)->wake(); });
    BOOST_TEST_REQUIRE(ingest.ok());
    auto options = feed_options();
    options.give_up.reset();
    GroupFeed feeder(**group, *into, **ingest, clock, std::move(options));
    const auto fed = feeder.run();
    BOOST_TEST(fed.ok());
    BOOST_TEST(losing.durable.size() >= 1U);
    BOOST_TEST(profiles_of(*into).at(customer) == expected_of(events).at(customer));
  }
}

BOOST_AUTO_TEST_CASE(with_a_limit_to_patience_a_sink_that_is_away_is_the_end)
{
  produce_raw(kClicksTopic, "c", "nonsense");
  LosingDeadLetters losing(1, 0);
  auto group = open_file_log_group(log_options, "g");
  BOOST_TEST_REQUIRE(group.ok());
  auto ingest = Ingest::start(*store, {}, {&losing, &late, {}}, [&group] { (*group)->wake(); });
  BOOST_TEST_REQUIRE(ingest.ok());
  const auto ended = GroupFeed(**group, *store, **ingest, clock, feed_options()).run();
  BOOST_TEST_REQUIRE(!ended.ok());
  BOOST_TEST((ended.error().code == Code::unreachable));
  BOOST_TEST(losing.durable.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace attune
