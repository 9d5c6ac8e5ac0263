#include "pipeline/ingest.h"

#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <deque>

#include "core/event_proto.h"
#include "support/pipeline_fixture.h"

namespace attune {
namespace {

using namespace testing;
using namespace std::chrono_literals;

class Block final : public RecordBlock {
 public:
  std::deque<std::string> texts;
};

RecordBlockPtr block_of(const TopicPartition& from, std::int64_t first, const std::vector<Event>& events)
{
  auto block = std::make_shared<Block>();
  block->from = from;
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto& json = block->texts.emplace_back();
    append_event_json(events[i], json);
    const std::string_view key = block->texts.emplace_back(events[i].customer.text);
    block->records.push_back({first + static_cast<std::int64_t>(i), kNoon, key, json, {}});
  }
  return block;
}

// A store that keeps its acknowledgements until told.
class Gate final : public ProfileStore {
 public:
  struct Shared {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = true;
    std::optional<Error> failure;
  };
  Gate(std::unique_ptr<ProfileStore> under, std::shared_ptr<Shared> shared) : under_(std::move(under)), shared_(std::move(shared))
  {
  }
  Result<std::unique_ptr<ProfileStore>> another() override
  {
    auto more = under_->another();
    if (!more) return more.error();
    return std::unique_ptr<ProfileStore>(new Gate(std::move(*more), shared_));
  }
  Result<Incarnation> incarnation() override { return under_->incarnation(); }
  Status get(std::span<const CustomerId> customers, std::vector<StoredProfile>& out) override
  {
    return under_->get(customers, out);
  }
  Status compare_and_set(std::span<const ProfileWrite> writes, std::vector<WriteOutcome>& out) override
  {
    std::unique_lock lock(shared_->mutex);
    shared_->opened.wait(lock, [this] { return shared_->open; });
    if (shared_->failure) return *shared_->failure;
    return under_->compare_and_set(writes, out);
  }
  Status scan(const std::function<bool(const CustomerId&, const StoredProfile&)>& visit) override { return under_->scan(visit); }
  Result<std::unique_ptr<ProfileStore>> fresh_generation() override { return under_->fresh_generation(); }
  Status publish_generation() override { return under_->publish_generation(); }

 private:
  std::unique_ptr<ProfileStore> under_;
  std::shared_ptr<Shared> shared_;
};

struct Fixture {
  std::shared_ptr<Gate::Shared> gate = std::make_shared<Gate::Shared>();
  Gate store{open_memory_store("", {}), gate};
  RememberedDeadLetters dead_letters;
  RememberedLate late;
  IngestOptions options;
  TopicPartition at{"customer_clicks", 0};

  std::unique_ptr<Ingest> start()
  {
    auto started = Ingest::start(store, options, {&dead_letters, &late, {}}, [] {});
    BOOST_TEST_REQUIRE(started.ok());
    return std::move(*started);
  }
  static void submit(Ingest& ingest, const RecordBlockPtr& block, std::size_t from = 0, std::size_t to = SIZE_MAX)
  {
    for (auto i = from; i < std::min(to, block->records.size()); ++i) ingest.submit(block, i);
    ingest.dispatch();
  }
  void set_open(bool open)
  {
    {
      const std::lock_guard lock(gate->mutex);
      gate->open = open;
    }
    gate->opened.notify_all();
  }
};

BOOST_FIXTURE_TEST_SUITE(ingest, Fixture)

BOOST_AUTO_TEST_CASE(no_position_is_given_before_the_write_is_acknowledged)
{
  set_open(false);
  auto ingest = start();
  submit(*ingest, block_of(at, 10, {view("c", "1", kNoon), view("c", "2", kNoon + 1ms)}));
  BOOST_TEST(!ingest->wait_idle(50ms));
  BOOST_TEST(ingest->take_positions().value().empty());
  set_open(true);
  BOOST_TEST(ingest->wait_idle(10s));
  BOOST_TEST(ingest->take_positions().value().at(at) == 12);
  BOOST_TEST(ingest->take_positions().value().empty());
}

BOOST_AUTO_TEST_CASE(a_position_passes_only_the_contiguous_acknowledged_prefix)
{
  options.workers = 2;
  auto ingest = start();
  // A failed write keeps its own block and all behind it from being passed, whatever the other shards do.
  submit(*ingest, block_of(at, 0, {view("a", "1", kNoon)}));
  BOOST_TEST(ingest->wait_idle(10s));
  {
    const std::lock_guard lock(gate->mutex);
    gate->failure = Error{Code::config, "refused"};
  }
  submit(*ingest, block_of(at, 1, {view("b", "2", kNoon)}));
  ingest->wait_idle(10s); // or failed
  submit(*ingest, block_of(at, 2, {view("c", "3", kNoon)}));
  BOOST_TEST_REQUIRE(ingest->failure().has_value());
  BOOST_TEST(ingest->failure().value().message == "refused");
  BOOST_TEST(ingest->take_positions().value().at(at) == 1);
}

BOOST_AUTO_TEST_CASE(half_a_block_is_a_position_too)
{
  auto ingest = start();
  const auto block = block_of(at, 100, {view("a", "1", kNoon), view("b", "2", kNoon), view("c", "3", kNoon)});
  submit(*ingest, block, 0, 2);
  BOOST_TEST(ingest->wait_idle(10s));
  BOOST_TEST(ingest->take_positions().value().at(at) == 102);
  submit(*ingest, block, 2, 3);
  BOOST_TEST(ingest->wait_idle(10s));
  BOOST_TEST(ingest->take_positions().value().at(at) == 103);
}

BOOST_AUTO_TEST_CASE(what_can_not_be_read_is_buried_with_its_place_and_passed)
{
  auto ingest = start();
  auto block = std::make_shared<Block>();
  block->from = at;
  block->records.push_back({7, kNoon, std::string_view("c"), std::string_view("{\"type\":\"dance\"}"), {}});
  block->records.push_back({8, kNoon, std::string_view("c"), std::nullopt, {}});
  submit(*ingest, block);
  BOOST_TEST(ingest->wait_idle(10s));
  BOOST_TEST(ingest->take_positions().value().at(at) == 9);
  BOOST_TEST_REQUIRE(dead_letters.texts.size() == 2u);
  BOOST_TEST(dead_letters.texts[0].starts_with("customer_clicks/0@7: type: "), dead_letters.texts[0]);
  BOOST_TEST(dead_letters.texts[1] == "customer_clicks/0@8: no value");
}

BOOST_AUTO_TEST_CASE(a_buried_record_in_protobuf_says_so_and_keeps_its_bytes)
{
  auto ingest = start();
  submit(*ingest, block_of(at, 0, {identify("ana", "anon-1", "i1", kNoon)}));
  BOOST_TEST(ingest->wait_idle(10s));
  std::string bytes;
  append_event_proto(identify("bob", "anon-1", "i2", kNoon + 1ms), bytes);
  auto block = std::make_shared<Block>();
  block->from = at;
  block->records.push_back({1, kNoon, std::string_view("bob"), bytes, {{kContentTypeHeader, kProtobufContentType}}});
  block->records.push_back(
      {2, kNoon, std::string_view("c"), std::string_view("\xff\x00", 2), {{kContentTypeHeader, kProtobufContentType}}});
  submit(*ingest, block);
  BOOST_TEST(ingest->wait_idle(10s));
  BOOST_TEST_REQUIRE(dead_letters.lines.size() == 2u);
  std::set<std::string> buried;
  for (const auto& line : dead_letters.lines) {
    const auto letter = parse_dead_letter(line);
    BOOST_TEST_REQUIRE(letter.ok());
    BOOST_TEST(letter->format == "protobuf");
    buried.insert(letter->value);
  }
  BOOST_TEST((buried == std::set{bytes, std::string("\xff\x00", 2)}));
}

BOOST_AUTO_TEST_CASE(a_record_without_id_and_time_is_the_same_event_at_every_delivery)
{
  auto ingest = start();
  const auto deliver = [&] {
    auto block = std::make_shared<Block>();
    block->from = at;
    block->records.push_back(
        {7, kNoon, std::string_view("c"), std::string_view(R"({"type":"view","customer":"c","item":"i"})"), {}});
    submit(*ingest, block);
    BOOST_TEST(ingest->wait_idle(10s));
  };
  deliver();
  const auto once = profiles_of(store);
  deliver();
  BOOST_TEST((profiles_of(store) == once));
  BOOST_TEST(ingest->counts().repeated == 1u);
}

BOOST_AUTO_TEST_CASE(an_identify_that_lost_is_buried_with_the_winners_name)
{
  auto ingest = start();
  submit(*ingest, block_of(at, 0, {identify("ana", "anon-1", "i1", kNoon)}));
  BOOST_TEST(ingest->wait_idle(10s));
  submit(*ingest, block_of(at, 1, {identify("bob", "anon-1", "i2", kNoon + 1ms)}));
  BOOST_TEST(ingest->wait_idle(10s));
  BOOST_TEST_REQUIRE(dead_letters.texts.size() == 1u);
  BOOST_TEST(dead_letters.texts[0] == "customer_clicks/0@1: alias: belongs to ana already");
}

BOOST_AUTO_TEST_CASE(there_is_no_room_while_too_much_is_in_flight)
{
  options.in_flight_records = 2;
  set_open(false);
  auto ingest = start();
  BOOST_TEST(ingest->has_room());
  submit(*ingest, block_of(at, 0, {view("a", "1", kNoon), view("b", "2", kNoon)}));
  BOOST_TEST(!ingest->has_room());
  set_open(true);
  BOOST_TEST(ingest->wait_idle(10s));
  BOOST_TEST(ingest->has_room());
}

BOOST_AUTO_TEST_CASE(after_a_reset_nothing_of_before_counts)
{
  {
    const std::lock_guard lock(gate->mutex);
    gate->failure = Error{Code::replaced, "another store"};
  }
  auto ingest = start();
  submit(*ingest, block_of(at, 0, {view("a", "1", kNoon)}));
  ingest->wait_idle(10s); // or failed
  BOOST_TEST_REQUIRE(ingest->failure().has_value());
  {
    const std::lock_guard lock(gate->mutex);
    gate->failure.reset();
  }
  BOOST_TEST(ingest->reset().ok());
  BOOST_TEST(!ingest->failure().has_value());
  BOOST_TEST(ingest->take_positions().value().empty());
  submit(*ingest, block_of(at, 0, {view("a", "1", kNoon)}));
  BOOST_TEST(ingest->wait_idle(10s));
  BOOST_TEST(ingest->take_positions().value().at(at) == 1);
  BOOST_TEST(profiles_of(store).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace attune
