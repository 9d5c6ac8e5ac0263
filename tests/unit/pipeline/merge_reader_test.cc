#include "pipeline/merge_reader.h"

#include <boost/test/unit_test.hpp>
#include <deque>
#include <map>

namespace attune {
namespace {

using namespace std::chrono_literals;

// A log whose partitions deliver when the test says so: what a broker does between two fetches.
class ScriptedLog final : public LogReader {
 public:
  struct Partition {
    std::deque<Record> ready;
    bool caught_up = false;
    bool gap = false;
    std::int64_t next = 0;
  };
  std::map<TopicPartition, Partition> state;

  void deliver(const TopicPartition& at, std::initializer_list<std::int64_t> timestamps)
  {
    auto& partition = state[at];
    for (const auto ms : timestamps) partition.ready.push_back({partition.next++, Timestamp{ms}, {}, {}, {}});
  }

  Result<std::vector<TopicPartition>> partitions(std::span<const std::string>) override { return std::vector<TopicPartition>{}; }
  Result<std::vector<std::string>> topics() override { return std::vector<std::string>{}; }
  Result<PartitionEnds> ends(const TopicPartition&) override { return PartitionEnds{}; }
  Result<std::int64_t> offset_at(const TopicPartition&, Timestamp) override { return std::int64_t{0}; }
  Status seek(const TopicPartition& at, std::int64_t offset) override
  {
    auto& ready = state[at].ready;
    while (!ready.empty() && ready.front().offset < offset) ready.pop_front();
    state[at].gap = false;
    return {};
  }
  void stop(const TopicPartition& at) override { state.erase(at); }
  Result<RecordBlockPtr> read(const TopicPartition& at, std::size_t max) override
  {
    auto& partition = state[at];
    if (partition.gap) return Error{Code::gap, to_string(at) + ": 5 records are gone"};
    if (partition.ready.empty()) return RecordBlockPtr{};
    auto block = std::make_shared<RecordBlock>();
    block->from = at;
    while (!partition.ready.empty() && block->records.size() < max) {
      block->records.push_back(partition.ready.front());
      partition.ready.pop_front();
    }
    return RecordBlockPtr(block);
  }
  bool caught_up(const TopicPartition& at) override { return state[at].ready.empty() && state[at].caught_up; }
  Status wait(Milliseconds) override { return {}; }
  void wake() override {}
};

const TopicPartition kClicks{"clicks", 0};
const TopicPartition kCarts{"carts", 0};

struct Fixture {
  ScriptedLog log;
  MergeOptions options;
  MergeReader::SteadyTime now{};
  std::vector<std::string> seen;

  std::size_t take(MergeReader& merge, std::size_t max = 100)
  {
    auto taken = merge.take(max, now, [this](const RecordBlockPtr& block, std::size_t index) {
      const auto& record = block->records[index];
      seen.push_back(block->from.topic + ":" + std::to_string(record.timestamp.ms) + "@" + std::to_string(record.offset));
    });
    BOOST_TEST_REQUIRE(taken.ok());
    return *taken;
  }
};

BOOST_FIXTURE_TEST_SUITE(merge_reader, Fixture)

BOOST_AUTO_TEST_CASE(partitions_come_in_record_time_order)
{
  log.deliver(kClicks, {1, 4, 5, 9});
  log.deliver(kCarts, {2, 3, 6});
  log.state[kClicks].caught_up = log.state[kCarts].caught_up = true;
  MergeReader merge(log, options);
  BOOST_TEST(merge.add(kClicks, 0).ok());
  BOOST_TEST(merge.add(kCarts, 0).ok());
  BOOST_TEST(take(merge) == 7u);
  const std::vector<std::string> expected{"clicks:1@0", "carts:2@0", "carts:3@1", "clicks:4@1",
                                          "clicks:5@2", "carts:6@2", "clicks:9@3"};
  BOOST_TEST(seen == expected, boost::test_tools::per_element());
  BOOST_TEST(merge.drained());
}

BOOST_AUTO_TEST_CASE(blocks_of_any_size_give_the_same_order)
{
  for (const std::size_t size : {1u, 2u, 3u, 100u}) {
    ScriptedLog fresh;
    log = fresh;
    seen.clear();
    log.deliver(kClicks, {1, 1, 4, 5, 9});
    log.deliver(kCarts, {2, 3, 6, 9});
    log.state[kClicks].caught_up = log.state[kCarts].caught_up = true;
    options.block_records = size;
    MergeReader merge(log, options);
    BOOST_TEST(merge.add(kClicks, 0).ok());
    BOOST_TEST(merge.add(kCarts, 0).ok());
    while (take(merge, 2) > 0) {
    }
    const std::vector<std::string> expected{"clicks:1@0", "clicks:1@1", "carts:2@0", "carts:3@1", "clicks:4@2",
                                            "clicks:5@3", "carts:6@2",  "carts:9@3", "clicks:9@4"};
    BOOST_TEST(seen == expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(a_partition_that_is_behind_and_empty_holds_the_others_back_for_its_patience)
{
  log.deliver(kClicks, {1, 2, 3});
  log.deliver(kCarts, {1});
  MergeReader merge(log, options);
  BOOST_TEST(merge.add(kClicks, 0).ok());
  BOOST_TEST(merge.add(kCarts, 0).ok());
  BOOST_TEST(take(merge) == 1u); // the cart; then carts have nothing at hand, though they are behind
  BOOST_TEST(take(merge) == 0u);
  now += options.patience;
  BOOST_TEST(take(merge) == 3u); // within --align of the last cart
}

BOOST_AUTO_TEST_CASE(beyond_align_a_partition_that_is_behind_is_waited_for_until_it_is_abandoned)
{
  options.align = 1000ms;
  log.deliver(kClicks, {500, 5000});
  log.deliver(kCarts, {1});
  MergeReader merge(log, options);
  BOOST_TEST(merge.add(kClicks, 0).ok());
  BOOST_TEST(merge.add(kCarts, 0).ok());
  BOOST_TEST(take(merge) == 1u);
  now += options.patience;
  BOOST_TEST(take(merge) == 1u); // 500 is within 1000 of 1; 5000 is not
  BOOST_TEST(take(merge) == 0u);
  log.deliver(kCarts, {3000});
  BOOST_TEST(take(merge) == 1u);
  now += options.patience;
  BOOST_TEST(take(merge) == 0u);
  now += options.abandon;
  BOOST_TEST(take(merge) == 1u);
  const std::vector<std::string> expected{"carts:1@0", "clicks:500@0", "carts:3000@1", "clicks:5000@1"};
  BOOST_TEST(seen == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_partition_that_is_caught_up_holds_nobody_back)
{
  log.deliver(kClicks, {1, 999'999'999});
  log.state[kCarts].caught_up = true;
  MergeReader merge(log, options);
  BOOST_TEST(merge.add(kClicks, 0).ok());
  BOOST_TEST(merge.add(kCarts, 0).ok());
  BOOST_TEST(take(merge) == 2u);
}

BOOST_AUTO_TEST_CASE(nothing_at_or_beyond_the_end_is_handed_over)
{
  log.deliver(kClicks, {1, 2, 3, 4});
  MergeReader merge(log, options);
  BOOST_TEST(merge.add(kClicks, 1, 3).ok());
  BOOST_TEST(take(merge) == 2u);
  BOOST_TEST(merge.finished());
  const std::vector<std::string> expected{"clicks:2@1", "clicks:3@2"};
  BOOST_TEST(seen == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_end_inside_a_hole_is_reached)
{
  log.state[kClicks].next = 4;
  log.deliver(kClicks, {1});
  log.state[kClicks].next = 9;
  log.deliver(kClicks, {2});
  MergeReader merge(log, options);
  BOOST_TEST(merge.add(kClicks, 0, 7).ok());
  BOOST_TEST(take(merge) == 1u);
  BOOST_TEST(merge.finished());
}

BOOST_AUTO_TEST_CASE(an_end_behind_the_last_record_is_reached_once_the_partition_is_caught_up)
{
  log.deliver(kClicks, {1});
  MergeReader merge(log, options);
  BOOST_TEST(merge.add(kClicks, 0, 5).ok());
  BOOST_TEST(take(merge) == 1u);
  BOOST_TEST(!merge.finished());
  log.state[kClicks].caught_up = true;
  BOOST_TEST(take(merge) == 0u);
  BOOST_TEST(merge.finished());
  BOOST_TEST(merge.next_offset(kClicks).value() == 5);
}

BOOST_AUTO_TEST_CASE(a_gap_is_told_and_can_be_stepped_over)
{
  log.deliver(kClicks, {1, 2});
  log.state[kClicks].gap = true;
  MergeReader merge(log, options);
  log.state[kClicks].gap = false;
  BOOST_TEST(merge.add(kClicks, 0).ok());
  log.state[kClicks].gap = true;
  const auto taken = merge.take(10, now, [](const RecordBlockPtr&, std::size_t) {});
  BOOST_TEST_REQUIRE(!taken.ok());
  BOOST_TEST((taken.error().code == Code::gap));
  BOOST_TEST(merge.skip_to(kClicks, 1).ok());
  BOOST_TEST(take(merge) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace attune
