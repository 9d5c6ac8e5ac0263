#include "pipeline/consume.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <set>
#include <thread>

#include "adapters/file_log.h"
#include "support/scratch.h"

namespace attune {

namespace {

// Remembers the values; may fail at one of them.
class Seen final : public RecordOutput {
 public:
  Result<bool> put(const TopicPartition&, const Record& record) override
  {
    if (values.size() == fail_at) return Error{Code::io, "stdout: No space left on device"};
    if (!record.value) return false;
    values.emplace_back(*record.value);
    if (on_put) on_put();
    return true;
  }
  Status flush() override
  {
    flushed = values.size();
    return {};
  }
  std::vector<std::string> values;
  std::size_t flushed = 0;
  std::size_t fail_at = SIZE_MAX;
  std::function<void()> on_put;
};

struct LogInScratch {
  LogInScratch()
  {
    options.dir = scratch.path();
    options.partitions = 2;
    writer = std::move(*open_file_log_writer(options));
  }

  void append(std::string_view topic, std::int32_t partition, std::string_view value, std::int64_t time)
  {
    OutgoingRecord record;
    record.topic = topic;
    record.partition = partition;
    if (value != "null") record.value = value;
    record.timestamp = Timestamp{time};
    BOOST_REQUIRE(writer->append(record).ok());
  }
  void sync() { BOOST_REQUIRE(writer->flush(std::chrono::seconds(30)).ok()); }

  ConsumeOptions until_end(std::vector<std::string> topics = {"t"})
  {
    ConsumeOptions consume;
    consume.topics = std::move(topics);
    consume.to = LogBound{LogBound::Kind::latest, 0, {}};
    consume.stop = [] { return false; };
    consume.say = [this](const std::string& text) { said.push_back(text); };
    return consume;
  }
  Status run(ConsumeOptions consume)
  {
    auto reader = std::move(*open_file_log_reader(options));
    return Consumer(*reader, seen, std::move(consume)).run();
  }
  Status run_group(ConsumeOptions consume)
  {
    auto group = std::move(*open_file_log_group(options, "g"));
    return Consumer(*group, seen, std::move(consume)).run();
  }

  testing::Scratch scratch;
  FileLogOptions options;
  std::unique_ptr<LogWriter> writer;
  Seen seen;
  std::vector<std::string> said;
};

using Values = std::vector<std::string>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(consume, LogInScratch)

BOOST_AUTO_TEST_CASE(partitions_and_topics_come_out_in_record_time_order)
{
  append("t", 0, "1", 100);
  append("t", 1, "2", 200);
  append("u", 0, "3", 300);
  append("t", 0, "4", 400);
  sync();
  BOOST_TEST(run(until_end({"t", "u"})).ok());
  BOOST_TEST(seen.values == (Values{"1", "2", "3", "4"}));
  BOOST_TEST(seen.flushed == 4u);
}

BOOST_AUTO_TEST_CASE(the_end_is_the_one_seen_at_the_start_however_busy_the_log_is)
{
  append("t", 0, "1", 1);
  append("t", 0, "2", 2);
  sync();
  // As each record comes out, two more go in.
  seen.on_put = [this] {
    append("t", 0, "new", 3);
    append("t", 1, "new", 3);
    sync();
  };
  BOOST_TEST(run(until_end()).ok());
  BOOST_TEST(seen.values == (Values{"1", "2"}));
}

BOOST_AUTO_TEST_CASE(tombstones_do_not_count_and_do_not_stop_the_end_from_being_reached)
{
  append("t", 0, "null", 1);
  append("t", 0, "1", 2);
  append("t", 0, "2", 3);
  append("t", 0, "null", 4);
  sync();
  auto consume = until_end();
  consume.count = 1;
  BOOST_TEST(run(consume).ok());
  BOOST_TEST(seen.values == (Values{"1"}));
  seen.values.clear();
  BOOST_TEST(run(until_end()).ok());
  BOOST_TEST(seen.values == (Values{"1", "2"}));
}

BOOST_AUTO_TEST_CASE(only_the_partitions_asked_for_are_read)
{
  append("t", 0, "1", 1);
  append("t", 1, "2", 2);
  sync();
  auto consume = until_end();
  consume.partitions = {1};
  BOOST_TEST(run(consume).ok());
  BOOST_TEST(seen.values == (Values{"2"}));
}

BOOST_AUTO_TEST_CASE(a_topic_named_that_does_not_exist_is_an_error_and_so_is_nothing_at_all)
{
  append("t", 0, "1", 1);
  sync();
  auto consume = until_end({"t", "tt"});
  consume.all_must_exist = true;
  const auto named = run(consume);
  BOOST_REQUIRE(!named.ok());
  BOOST_TEST(named.error().message == "tt: no such topic");
  const auto none = run(until_end({"tt"}));
  BOOST_REQUIRE(!none.ok());
  BOOST_TEST(none.error().message == "none of the topics exists: tt");
  BOOST_TEST(run(until_end({"t", "tt"})).ok());
}

BOOST_AUTO_TEST_CASE(a_follower_sees_a_topic_that_appears_later_from_its_beginning)
{
  append("t", 0, "1", 1);
  sync();
  auto consume = until_end({"t", "later"});
  consume.to.reset();
  consume.count = 2;
  bool made = false;
  consume.stop = [&] {
    if (!made && seen.flushed == 1) {
      made = true;
      append("later", 1, "2", 2);
      sync();
    }
    return false;
  };
  BOOST_TEST(run(consume).ok());
  BOOST_TEST(seen.values == (Values{"1", "2"}));
}

BOOST_AUTO_TEST_CASE(output_is_flushed_before_the_consumer_waits)
{
  append("t", 0, "1", 1);
  sync();
  auto consume = until_end();
  consume.to.reset();
  // It would follow for ever; the first quiet moment must have flushed what is there.
  consume.stop = [&] { return seen.flushed == 1; };
  BOOST_TEST(run(consume).ok());
}

BOOST_AUTO_TEST_CASE(a_group_goes_on_where_it_ended_and_ends_at_the_end)
{
  for (const auto* value : {"1", "2", "3"}) append("t", 0, value, 1);
  sync();
  auto first = until_end();
  first.to.reset();
  first.count = 2;
  BOOST_TEST(run_group(first).ok());
  BOOST_TEST(run_group(until_end()).ok());
  BOOST_TEST(seen.values == (Values{"1", "2", "3"}));
  BOOST_TEST(run_group(until_end()).ok());
  BOOST_TEST(seen.values.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_group_stores_no_position_beyond_what_its_output_took)
{
  for (const auto* value : {"1", "2", "3"}) append("t", 0, value, 1);
  sync();
  seen.fail_at = 1;
  const auto failed = run_group(until_end());
  BOOST_REQUIRE(!failed.ok());
  BOOST_TEST((failed.error().code == Code::io));
  seen.fail_at = SIZE_MAX;
  seen.values.clear();
  BOOST_TEST(run_group(until_end()).ok());
  BOOST_TEST(seen.values == (Values{"1", "2", "3"}));
}

BOOST_AUTO_TEST_CASE(a_position_the_log_does_not_reach_is_a_gap_and_not_the_end)
{
  for (const auto* value : {"1", "2"}) append("t", 0, value, 1);
  sync();
  auto admin = std::move(*open_file_log_admin(options));
  BOOST_TEST(admin->store_positions("g", {{{"t", 0}, {7, {}}}}).ok());
  const auto stopped = run_group(until_end());
  BOOST_REQUIRE(!stopped.ok());
  BOOST_TEST((stopped.error().code == Code::gap));
  BOOST_TEST(stopped.error().message == "t/0: the log lost 5 records that were read (position 7, end 2)");
  auto consume = until_end();
  consume.on_gap_continue = true;
  BOOST_TEST(run_group(consume).ok());
  BOOST_TEST(seen.values == (Values{"1", "2"}));
}

BOOST_AUTO_TEST_CASE(a_group_that_begins_at_latest_has_a_position_from_then_on)
{
  append("t", 0, "old", 1);
  sync();
  auto latest = until_end();
  latest.from = LogBound{LogBound::Kind::latest, 0, {}};
  BOOST_TEST(run_group(latest).ok());
  append("t", 0, "new", 2);
  sync();
  BOOST_TEST(run_group(until_end()).ok());
  BOOST_TEST(seen.values == (Values{"new"}));
}

BOOST_AUTO_TEST_CASE(two_members_of_a_group_end_together_and_share_every_record)
{
  for (int i = 0; i < 200; ++i) append("t", i % 2, std::to_string(i), i);
  sync();
  Seen other;
  Status ended;
  std::thread second([&] {
    auto group = std::move(*open_file_log_group(options, "g"));
    auto consume = until_end();
    consume.say = [](const std::string&) {};
    ended = Consumer(*group, other, consume).run();
  });
  const auto mine = run_group(until_end());
  second.join();
  BOOST_TEST(mine.ok());
  BOOST_TEST(ended.ok());
  std::set<std::string> all(seen.values.begin(), seen.values.end());
  all.insert(other.values.begin(), other.values.end());
  BOOST_TEST(all.size() == 200u);
}

BOOST_AUTO_TEST_CASE(records_that_are_gone_stop_it_or_are_told_and_passed)
{
  options.segment_bytes = 1; // hardly a record a segment
  writer = std::move(*open_file_log_writer(options));
  for (const auto* value : {"0", "1", "2", "3", "4", "5"}) {
    append("t", 0, value, 1);
    sync();
  }
  writer.reset();
  const auto partition = std::filesystem::path(options.dir) / "t" / "0";
  std::filesystem::remove(partition / "00000000000000000000.ndjson");
  std::filesystem::remove(partition / "00000000000000000000.newest");
  const auto earliest = std::move(*open_file_log_reader(options))->ends({"t", 0})->begin;
  BOOST_REQUIRE(earliest > 0 && earliest < 6);

  auto consume = until_end();
  consume.from = LogBound{LogBound::Kind::offset, 0, {}};
  const auto stopped = run(consume);
  BOOST_REQUIRE(!stopped.ok());
  BOOST_TEST((stopped.error().code == Code::gap));
  const auto gone = std::to_string(earliest);
  BOOST_TEST(stopped.error().message ==
             "t/0: " + gone + " records are gone before they were read (position 0, earliest " + gone + ")");
  BOOST_TEST(seen.values.empty());

  consume.on_gap_continue = true;
  BOOST_TEST(run(consume).ok());
  BOOST_TEST(seen.values.size() == static_cast<std::size_t>(6 - earliest));
  BOOST_TEST(seen.values.front() == gone);
  BOOST_TEST(said.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
