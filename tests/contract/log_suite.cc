#include "contract/log_suite.h"

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace attune::contract {
namespace {

using SteadyClock = std::chrono::steady_clock;

// A record that owns its bytes.
struct OwnedRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  friend bool operator==(const OwnedRecord&, const OwnedRecord&) = default;
};

struct ReadRecord : OwnedRecord {
  std::int64_t offset = 0;
  Timestamp timestamp;
};

std::ostream& operator<<(std::ostream& out, const OwnedRecord& record)
{
  out << "key " << record.key.value_or("(null)") << " value " << record.value.value_or("(null)") << " headers";
  for (const auto& [name, value] : record.headers) {
    out << ' ' << name << '=' << value.value_or("(null)");
  }
  return out;
}

template <class Condition>
bool eventually(Condition condition)
{
  const auto deadline = SteadyClock::now() + log_under_test().patience;
  while (!condition()) {
    if (SteadyClock::now() > deadline) {
      return false;
    }
  }
  return true;
}

std::string message(const Status& status)
{
  return status.ok() ? "ok" : status.error().message;
}

template <class T>
T must(Result<T> result)
{
  if (!result.ok()) {
    BOOST_FAIL(result.error().message);
  }
  return std::move(result).value();
}

void must(const Status& status)
{
  BOOST_REQUIRE_MESSAGE(status.ok(), message(status));
}

TopicSettings settings_of(const std::string& topic, std::int32_t partitions)
{
  TopicSettings settings;
  settings.topic = topic;
  settings.partitions = partitions;
  settings.replication = 1;
  settings.retention = std::chrono::hours(24 * 7);
  return settings;
}

// A topic made for this test, known to everybody when it returns.
std::string make_topic(std::int32_t partitions)
{
  const std::string topic = log_under_test().fresh_topic_name();
  must(log_under_test().make_admin()->create(settings_of(topic, partitions)));
  auto reader = log_under_test().make_reader();
  const std::vector<std::string> topics{topic};
  BOOST_REQUIRE(eventually([&] { return must(reader->partitions(topics)).size() == static_cast<std::size_t>(partitions); }));
  return topic;
}

Status append(LogWriter& writer, const TopicPartition& at, const OwnedRecord& record, LogWriter::Delivered delivered = {},
              std::optional<Timestamp> timestamp = {})
{
  std::vector<Header> headers;
  for (const auto& [name, value] : record.headers) {
    headers.push_back({name, value ? std::optional<std::string_view>(*value) : std::nullopt});
  }
  OutgoingRecord out;
  out.topic = at.topic;
  out.partition = at.partition;
  out.key = record.key ? std::optional<std::string_view>(*record.key) : std::nullopt;
  out.value = record.value ? std::optional<std::string_view>(*record.value) : std::nullopt;
  out.headers = headers;
  out.timestamp = timestamp;
  return writer.append(out, std::move(delivered));
}

// Appends and waits until it is durable.
Placed append_one(LogWriter& writer, const TopicPartition& at, const OwnedRecord& record, std::optional<Timestamp> timestamp = {})
{
  std::optional<Result<Placed>> placed;
  must(append(
      writer, at, record, [&](const Result<Placed>& result) { placed = result; }, timestamp));
  must(writer.flush(log_under_test().patience));
  BOOST_REQUIRE(placed.has_value());
  return must(*placed);
}

void append_numbers(LogWriter& writer, const TopicPartition& at, int from, int to)
{
  for (int i = from; i < to; ++i) {
    must(append(writer, at, {"k", std::to_string(i), {}}));
  }
  must(writer.flush(log_under_test().patience));
}

ReadRecord owned(const Record& record)
{
  ReadRecord out;
  out.offset = record.offset;
  out.timestamp = record.timestamp;
  if (record.key) {
    out.key = std::string(*record.key);
  }
  if (record.value) {
    out.value = std::string(*record.value);
  }
  for (const Header& header : record.headers) {
    out.headers.emplace_back(header.name, header.value ? std::optional<std::string>(*header.value) : std::nullopt);
  }
  return out;
}

// Reads on in a partition that was sought until there are `count` records.
std::vector<ReadRecord> read_records(LogReader& reader, const TopicPartition& at, std::size_t count, std::size_t max = 1000)
{
  std::vector<ReadRecord> out;
  eventually([&] {
    const RecordBlockPtr block = must(reader.read(at, max));
    if (block) {
      BOOST_TEST(block->from.topic == at.topic);
      BOOST_TEST(block->from.partition == at.partition);
      BOOST_TEST(!block->records.empty());
      BOOST_TEST(block->records.size() <= max);
      for (const Record& record : block->records) {
        out.push_back(owned(record));
      }
    } else if (out.size() < count) {
      must(reader.wait(Milliseconds(1000)));
    }
    return out.size() >= count;
  });
  BOOST_REQUIRE_EQUAL(out.size(), count);
  return out;
}

std::vector<ReadRecord> read_from(const TopicPartition& at, std::int64_t offset, std::size_t count)
{
  auto reader = log_under_test().make_reader();
  must(reader->seek(at, offset));
  return read_records(*reader, at, count);
}

// Who has which partition: what members of one group were told, in one sequence.
struct Ownership {
  std::map<TopicPartition, int> owner;
  bool overlapped = false;
};

class Member final : public GroupListener {
 public:
  Member(int number, Ownership& ownership, const std::string& group, const std::vector<std::string>& topics)
      : number_(number), ownership_(ownership), log_(log_under_test().make_group(group))
  {
    must(log_->join(topics, *this));
  }

  void assigned(const std::vector<TopicPartition>& partitions) override
  {
    for (const auto& at : partitions) {
      ownership_.overlapped |= !ownership_.owner.emplace(at, number_).second;
      mine_.insert(at);
    }
  }
  void revoked(const std::vector<TopicPartition>& partitions, bool) override
  {
    if (at_revocation_) {
      at_revocation_(partitions);
    }
    for (const auto& at : partitions) {
      ownership_.owner.erase(at);
      mine_.erase(at);
    }
  }

  void pump() { must(log_->wait(Milliseconds(20))); }
  void on_revocation(std::function<void(const std::vector<TopicPartition>&)> action) { at_revocation_ = std::move(action); }
  [[nodiscard]] const std::set<TopicPartition>& mine() const { return mine_; }
  LogGroup& log() { return *log_; }

 private:
  int number_;
  Ownership& ownership_;
  std::set<TopicPartition> mine_;
  std::function<void(const std::vector<TopicPartition>&)> at_revocation_;
  std::unique_ptr<LogGroup> log_;
};

constexpr const char* kBinary = "\x00\xff\xfe\n\x80";

} // namespace

BOOST_AUTO_TEST_SUITE(log_contract)

// --- Records ------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_is_appended_is_read_back_byte_for_byte)
{
  const TopicPartition at{make_topic(1), 0};
  const std::string binary(kBinary, 5);
  const std::vector<std::optional<std::string>> keys{std::nullopt, "", "customer", binary, "null", "\"q\"", "é\n\t\\ \x7f"};
  const std::vector<std::optional<std::string>> values{std::nullopt,
                                                       "",
                                                       "plain",
                                                       binary,
                                                       "null",
                                                       "true",
                                                       "-1.50e3",
                                                       "\"a string\"",
                                                       "[1, 2]",
                                                       "[]",
                                                       "{}",
                                                       " {}",
                                                       "{} ",
                                                       "{\"a\": 1}",
                                                       "{\"b64\":\"AAAA\"}",
                                                       "{\"b64\":1}",
                                                       "{ \"b64\" : \"AAAA\"}",
                                                       "{\"\\u006264\":\"AAAA\"}",
                                                       "{\"b64\":\"AAAA\",\"c\":1}",
                                                       "{\"a\":\n1}",
                                                       "{\"a\":1}\r",
                                                       "{\"a\":1,\"a\":1}",
                                                       "{broken",
                                                       "12345678901234567890123",
                                                       "1e999",
                                                       "{\"k\":\"\xff\"}",
                                                       "}",
                                                       std::string("nul\0inside", 10),
                                                       "line\nbreak",
                                                       "\xef\xbb\xbf{}",
                                                       "\xed\xa0\x80",
                                                       "\"",
                                                       "\\",
                                                       "\xc3\xa9",
                                                       "1 2",
                                                       "tru"};
  const std::vector<std::vector<std::pair<std::string, std::optional<std::string>>>> headers{
      {},
      {{"a", "1"}},
      {{"a", std::nullopt}},
      {{"a", "1"}, {"a", "2"}},
      {{"b64", "AAAA"}},
      {{"x", binary}, {"y", ""}, {"", "empty name"}}};
  std::vector<OwnedRecord> records;
  for (const auto& key : keys) {
    records.push_back({key, "{}", {}});
  }
  for (const auto& value : values) {
    records.push_back({"k", value, {}});
  }
  for (const auto& header : headers) {
    records.push_back({"k", "{}", header});
    records.push_back({std::nullopt, std::nullopt, header});
  }
  auto writer = log_under_test().make_writer();
  for (const auto& record : records) {
    must(append(*writer, at, record));
  }
  must(writer->flush(log_under_test().patience));
  const auto read = read_from(at, 0, records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    BOOST_TEST(static_cast<const OwnedRecord&>(read[i]) == records[i]);
  }
}

BOOST_AUTO_TEST_CASE(records_of_a_partition_keep_their_order_and_have_consecutive_offsets)
{
  const TopicPartition at{make_topic(2), 1};
  auto writer = log_under_test().make_writer();
  std::mutex mutex;
  std::vector<std::int64_t> delivered;
  for (int i = 0; i < 5000; ++i) {
    must(append(*writer, at, {"k", std::to_string(i), {}}, [&](const Result<Placed>& placed) {
      std::lock_guard lock(mutex);
      delivered.push_back(placed.ok() && placed.value().partition == at.partition ? placed.value().offset : -1);
    }));
  }
  must(writer->flush(log_under_test().patience));
  BOOST_REQUIRE_EQUAL(delivered.size(), 5000u);
  const auto read = read_from(at, 0, 5000);
  for (int i = 0; i < 5000; ++i) {
    BOOST_REQUIRE_EQUAL(delivered[i], i);
    BOOST_REQUIRE_EQUAL(read[i].offset, i);
    BOOST_REQUIRE_EQUAL(*read[i].value, std::to_string(i));
  }
}

BOOST_AUTO_TEST_CASE(a_record_is_stamped_with_the_time_it_was_received_unless_it_brings_one)
{
  const TopicPartition at{make_topic(1), 0};
  auto writer = log_under_test().make_writer();
  const Timestamp before = SystemClock().now();
  append_one(*writer, at, {"k", "now", {}});
  const Timestamp after = SystemClock().now();
  append_one(*writer, at, {"k", "given", {}}, Timestamp{1234567890123});
  const auto read = read_from(at, 0, 2);
  BOOST_TEST(read[0].timestamp.ms >= before.ms);
  BOOST_TEST(read[0].timestamp.ms <= after.ms);
  BOOST_TEST(read[1].timestamp.ms == 1234567890123);
}

BOOST_AUTO_TEST_CASE(a_tombstone_is_not_an_empty_value)
{
  const TopicPartition at{make_topic(1), 0};
  auto writer = log_under_test().make_writer();
  append_one(*writer, at, {"k", std::nullopt, {}});
  append_one(*writer, at, {"k", "", {}});
  const auto read = read_from(at, 0, 2);
  BOOST_TEST(!read[0].value.has_value());
  BOOST_TEST((read[1].value == std::optional<std::string>("")));
}

BOOST_AUTO_TEST_CASE(a_record_too_large_for_the_log_is_refused_and_the_next_one_is_taken)
{
  const TopicPartition at{make_topic(1), 0};
  auto writer = log_under_test().make_writer();
  bool called = false;
  const Status status =
      append(*writer, at, {"k", std::string(log_under_test().too_large_bytes, 'x'), {}}, [&](const auto&) { called = true; });
  BOOST_REQUIRE(!status.ok());
  BOOST_TEST((status.error().code == Code::bad_data));
  BOOST_TEST(append_one(*writer, at, {"k", "small", {}}).offset == 0);
  BOOST_TEST(!called);
}

BOOST_AUTO_TEST_CASE(a_key_goes_where_the_java_client_sends_it)
{
  // murmur2 of org.apache.kafka.common.utils.Utils, by its own tests (UtilsTest.testMurmur2).
  const std::vector<std::pair<std::string, std::int32_t>> hashes{{"21", -973932308},
                                                                 {"foobar", -790332482},
                                                                 {"a-little-bit-long-string", -985981536},
                                                                 {"a-little-bit-longer-string", -1486304829},
                                                                 {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
                                                                 {"abc", 479470107}};
  const std::string topic = make_topic(7);
  auto writer = log_under_test().make_writer();
  for (const auto& [key, hash] : hashes) {
    for (int repeat = 0; repeat < 2; ++repeat) {
      BOOST_TEST(append_one(*writer, {topic, kPartitionByKey}, {key, "v", {}}).partition == (hash & 0x7fffffff) % 7);
    }
  }
}

BOOST_AUTO_TEST_CASE(records_without_a_key_are_kept_too)
{
  const std::string topic = make_topic(3);
  auto writer = log_under_test().make_writer();
  for (int i = 0; i < 30; ++i) {
    must(append(*writer, {topic, kPartitionByKey}, {std::nullopt, std::to_string(i), {}}));
  }
  must(writer->flush(log_under_test().patience));
  auto reader = log_under_test().make_reader();
  std::int64_t total = 0;
  for (int p = 0; p < 3; ++p) {
    total += must(reader->ends({topic, p})).end;
  }
  BOOST_TEST(total == 30);
}

BOOST_AUTO_TEST_CASE(many_writers_at_once_lose_nothing)
{
  constexpr int kWriters = 4;
  constexpr int kEach = 1000;
  const std::string topic = make_topic(2);
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      auto writer = log_under_test().make_writer();
      for (int i = 0; i < kEach; ++i) {
        failures += !append(*writer, {topic, i % 2}, {"k", std::to_string(w) + ":" + std::to_string(i), {}}).ok();
        if (i % 50 == 0) {
          failures += !writer->flush(log_under_test().patience).ok();
        }
      }
      failures += !writer->flush(log_under_test().patience).ok();
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  BOOST_TEST(failures == 0);
  std::set<std::string> seen;
  for (int p = 0; p < 2; ++p) {
    const auto read = read_from({topic, p}, 0, kWriters * kEach / 2);
    std::map<char, int> last;
    for (std::size_t i = 0; i < read.size(); ++i) {
      BOOST_REQUIRE_EQUAL(read[i].offset, static_cast<std::int64_t>(i));
      const std::string& value = *read[i].value;
      BOOST_TEST(seen.insert(value).second);
      const int number = std::stoi(value.substr(2));
      BOOST_TEST((!last.contains(value[0]) || last[value[0]] < number), "records of one writer out of order");
      last[value[0]] = number;
    }
  }
  BOOST_TEST(seen.size() == static_cast<std::size_t>(kWriters * kEach));
}

BOOST_AUTO_TEST_CASE(one_writer_serves_many_threads)
{
  const TopicPartition at{make_topic(1), 0};
  auto writer = log_under_test().make_writer();
  std::atomic<int> delivered{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        if (!append(*writer, at, {"k", "v", {}}, [&](const Result<Placed>& placed) { delivered += placed.ok(); }).ok()) {
          return;
        }
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  must(writer->flush(log_under_test().patience));
  BOOST_TEST(delivered == 2000);
  read_from(at, 0, 2000);
}

BOOST_AUTO_TEST_CASE(flush_with_nothing_pending_is_done_at_once)
{
  auto writer = log_under_test().make_writer();
  must(writer->flush(log_under_test().patience));
}

BOOST_AUTO_TEST_CASE(with_callbacks_or_without_nothing_is_undelivered_after_a_flush)
{
  const std::string topic = make_topic(3);
  auto writer = log_under_test().make_writer();
  std::atomic<int> called{0};
  constexpr int kRecords = 3000;
  for (int i = 0; i < kRecords; ++i) {
    const std::string key = std::to_string(i % 7);
    OutgoingRecord record;
    record.topic = topic;
    record.key = key;
    record.value = "v";
    must(writer->append(record, i % 5 == 0 ? LogWriter::Delivered([&](const Result<Placed>&) { ++called; }) : nullptr));
    if (i == kRecords / 2) must(writer->flush(log_under_test().patience));
  }
  must(writer->flush(log_under_test().patience));
  BOOST_TEST(writer->undelivered() == 0u);
  BOOST_TEST(!writer->delivery_failed());
  BOOST_TEST(called == kRecords / 5);
}

// --- Reading ------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(topics_and_partitions_are_listed_sorted_and_a_missing_topic_has_none)
{
  const std::string two = make_topic(2);
  const std::string three = make_topic(3);
  auto reader = log_under_test().make_reader();
  const auto topics = must(reader->topics());
  BOOST_TEST(std::is_sorted(topics.begin(), topics.end()));
  BOOST_TEST(std::count(topics.begin(), topics.end(), two) == 1);
  BOOST_TEST(std::count(topics.begin(), topics.end(), three) == 1);
  const std::vector<std::string> asked{three, log_under_test().fresh_topic_name(), two};
  std::vector<TopicPartition> expected{{two, 0}, {two, 1}, {three, 0}, {three, 1}, {three, 2}};
  std::sort(expected.begin(), expected.end());
  BOOST_TEST((must(reader->partitions(asked)) == expected));
}

BOOST_AUTO_TEST_CASE(ends_are_those_of_the_records)
{
  const TopicPartition at{make_topic(1), 0};
  auto reader = log_under_test().make_reader();
  BOOST_TEST(must(reader->ends(at)).begin == 0);
  BOOST_TEST(must(reader->ends(at)).end == 0);
  auto writer = log_under_test().make_writer();
  append_numbers(*writer, at, 0, 10);
  BOOST_TEST(must(reader->ends(at)).begin == 0);
  BOOST_TEST(must(reader->ends(at)).end == 10);
}

BOOST_AUTO_TEST_CASE(reading_starts_where_it_was_sought_and_moves_when_sought_again)
{
  const TopicPartition at{make_topic(1), 0};
  append_numbers(*log_under_test().make_writer(), at, 0, 3000);
  auto reader = log_under_test().make_reader();
  must(reader->seek(at, 2990));
  BOOST_TEST(read_records(*reader, at, 10).front().offset == 2990);
  must(reader->seek(at, 7));
  const auto read = read_records(*reader, at, 2993, 64);
  for (std::size_t i = 0; i < read.size(); ++i) {
    BOOST_REQUIRE_EQUAL(read[i].offset, static_cast<std::int64_t>(i) + 7);
    BOOST_REQUIRE_EQUAL(*read[i].value, std::to_string(i + 7));
  }
  must(reader->seek(at, 1));
  BOOST_TEST(read_records(*reader, at, 1, 1).front().offset == 1);
  must(reader->seek(at, 2998));
  BOOST_TEST(read_records(*reader, at, 2).front().offset == 2998);
}

BOOST_AUTO_TEST_CASE(a_block_outlives_the_reading_after_it)
{
  const TopicPartition at{make_topic(1), 0};
  append_numbers(*log_under_test().make_writer(), at, 0, 1000);
  auto reader = log_under_test().make_reader();
  must(reader->seek(at, 0));
  std::vector<RecordBlockPtr> blocks;
  std::size_t count = 0;
  BOOST_REQUIRE(eventually([&] {
    if (auto block = must(reader->read(at, 10))) {
      count += block->records.size();
      blocks.push_back(std::move(block));
    } else {
      must(reader->wait(Milliseconds(100)));
    }
    return count == 1000;
  }));
  reader.reset();
  std::size_t number = 0;
  for (const auto& block : blocks) {
    for (const Record& record : block->records) {
      BOOST_REQUIRE_EQUAL(*record.value, std::to_string(number++));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_offset_at_a_time_is_that_of_the_first_record_at_or_after_it)
{
  const TopicPartition at{make_topic(1), 0};
  auto writer = log_under_test().make_writer();
  const std::int64_t base = SystemClock().now().ms - 100'000;
  for (int i = 0; i < 100; ++i) {
    must(append(*writer, at, {"k", "v", {}}, {}, Timestamp{base + i * 10}));
  }
  must(writer->flush(log_under_test().patience));
  auto reader = log_under_test().make_reader();
  BOOST_TEST(must(reader->offset_at(at, {base - 1})) == 0);
  BOOST_TEST(must(reader->offset_at(at, {base})) == 0);
  BOOST_TEST(must(reader->offset_at(at, {base + 1})) == 1);
  BOOST_TEST(must(reader->offset_at(at, {base + 500})) == 50);
  BOOST_TEST(must(reader->offset_at(at, {base + 501})) == 51);
  BOOST_TEST(must(reader->offset_at(at, {base + 990})) == 99);
  BOOST_TEST(must(reader->offset_at(at, {base + 991})) == 100);
}

BOOST_AUTO_TEST_CASE(a_reader_is_caught_up_once_it_has_read_everything)
{
  const TopicPartition at{make_topic(1), 0};
  auto writer = log_under_test().make_writer();
  append_numbers(*writer, at, 0, 5);
  auto reader = log_under_test().make_reader();
  must(reader->seek(at, 0));
  BOOST_TEST(!reader->caught_up(at));
  read_records(*reader, at, 5);
  BOOST_TEST(eventually([&] {
    BOOST_TEST(must(reader->read(at, 10)) == nullptr);
    return reader->caught_up(at) || (must(reader->wait(Milliseconds(100))), false);
  }));
}

BOOST_AUTO_TEST_CASE(an_empty_partition_is_caught_up)
{
  const TopicPartition at{make_topic(1), 0};
  auto reader = log_under_test().make_reader();
  must(reader->seek(at, 0));
  BOOST_TEST(eventually([&] {
    BOOST_TEST(must(reader->read(at, 10)) == nullptr);
    return reader->caught_up(at) || (must(reader->wait(Milliseconds(100))), false);
  }));
}

BOOST_AUTO_TEST_CASE(an_append_wakes_a_reader_that_waits)
{
  const TopicPartition at{make_topic(1), 0};
  auto writer = log_under_test().make_writer();
  append_numbers(*writer, at, 0, 1);
  auto reader = log_under_test().make_reader();
  must(reader->seek(at, 0));
  read_records(*reader, at, 1);
  for (int round = 0; round < 20; ++round) {
    Status appended;
    std::thread appender([&] {
      appended = append(*writer, at, {"k", std::to_string(round), {}});
      if (appended.ok()) {
        appended = writer->flush(log_under_test().patience);
      }
    });
    RecordBlockPtr block;
    while (!block) {
      const auto start = SteadyClock::now();
      const Status waited = reader->wait(log_under_test().patience);
      BOOST_TEST(waited.ok());
      BOOST_TEST((SteadyClock::now() - start < log_under_test().patience), "wait() was not woken");
      block = must(reader->read(at, 10));
    }
    appender.join();
    BOOST_TEST(appended.ok(), message(appended));
    BOOST_TEST(*block->records.front().value == std::to_string(round));
  }
}

BOOST_AUTO_TEST_CASE(wake_ends_a_wait_from_another_thread)
{
  auto reader = log_under_test().make_reader();
  std::atomic<bool> done{false};
  std::thread waker([&] {
    while (!done) {
      reader->wake();
      std::this_thread::yield();
    }
  });
  const auto start = SteadyClock::now();
  const Status waited = reader->wait(log_under_test().patience);
  const auto took = SteadyClock::now() - start;
  done = true;
  waker.join();
  BOOST_TEST(waited.ok());
  BOOST_TEST((took < log_under_test().patience));
}

BOOST_AUTO_TEST_CASE(several_partitions_are_read_side_by_side_and_one_that_is_stopped_gives_no_more)
{
  const std::string topic = make_topic(3);
  auto writer = log_under_test().make_writer();
  auto reader = log_under_test().make_reader();
  for (int p = 0; p < 3; ++p) {
    append_numbers(*writer, {topic, p}, p * 100, p * 100 + 50);
    must(reader->seek({topic, p}, 0));
  }
  for (int p = 2; p >= 0; --p) {
    BOOST_TEST(*read_records(*reader, {topic, p}, 50).back().value == std::to_string(p * 100 + 49));
  }
  reader->stop({topic, 1});
  append_numbers(*writer, {topic, 0}, 50, 51);
  BOOST_TEST(*read_records(*reader, {topic, 0}, 1).front().value == "50");
}

BOOST_AUTO_TEST_CASE(records_that_are_gone_are_a_gap_and_never_skipped_in_silence)
{
  TopicSettings settings = settings_of(log_under_test().fresh_topic_name(), 1);
  settings.retention_bytes = 4096;
  must(log_under_test().make_admin()->create(settings));
  const TopicPartition at{settings.topic, 0};
  auto writer = log_under_test().make_writer();
  for (int i = 0; i < 200; ++i) {
    append_one(*writer, at, {"k", std::string(1000, 'x'), {}});
  }
  log_under_test().lose_before(at, 50);
  auto reader = log_under_test().make_reader();
  std::int64_t begin = 0;
  BOOST_REQUIRE(eventually([&] { return (begin = must(reader->ends(at)).begin) >= 50; }));
  must(reader->seek(at, 10));
  std::optional<Error> error;
  BOOST_REQUIRE(eventually([&] {
    auto block = reader->read(at, 10);
    if (!block.ok()) {
      error = block.error();
      return true;
    }
    BOOST_REQUIRE(block.value() == nullptr);
    must(reader->wait(Milliseconds(100)));
    return false;
  }));
  BOOST_TEST((error->code == Code::gap));
  BOOST_TEST(error->message.find(to_string(at)) != std::string::npos, error->message);
  BOOST_TEST(error->message.find(std::to_string(begin - 10)) != std::string::npos, error->message);
  must(reader->seek(at, begin));
  BOOST_TEST(read_records(*reader, at, 1, 1).front().offset == begin);
}

// --- Groups -------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_new_group_has_no_positions)
{
  const std::string topic = make_topic(2);
  Ownership ownership;
  Member member(1, ownership, log_under_test().fresh_group_name(), {topic});
  BOOST_REQUIRE(eventually([&] { return member.pump(), member.mine().size() == 2; }));
  BOOST_TEST(!must(member.log().stored({topic, 0})).has_value());
}

BOOST_AUTO_TEST_CASE(stored_positions_and_notes_are_there_for_the_next_member)
{
  const std::string topic = make_topic(2);
  const std::string group = log_under_test().fresh_group_name();
  const StoredPosition stored{41, "incarnation \"7\" é"};
  {
    Ownership ownership;
    Member member(1, ownership, group, {topic});
    BOOST_REQUIRE(eventually([&] { return member.pump(), member.mine().size() == 2; }));
    must(member.log().store({{{topic, 0}, {7, "old"}}, {{topic, 1}, {3, ""}}}));
    must(member.log().store({{{topic, 0}, stored}}));
    BOOST_TEST((must(member.log().stored({topic, 0})) == std::optional(stored)));
    must(member.log().leave());
    must(member.log().leave());
  }
  Ownership ownership;
  Member member(2, ownership, group, {topic});
  BOOST_REQUIRE(eventually([&] { return member.pump(), member.mine().size() == 2; }));
  BOOST_TEST((must(member.log().stored({topic, 0})) == std::optional(stored)));
  BOOST_TEST((must(member.log().stored({topic, 1})) == std::optional(StoredPosition{3, ""})));
}

BOOST_AUTO_TEST_CASE(a_store_that_was_begun_is_told_of_once_and_is_there_for_the_next_member)
{
  const std::string topic = make_topic(1);
  const std::string group = log_under_test().fresh_group_name();
  const StoredPosition position{41, "begun"};
  {
    Ownership ownership;
    Member member(1, ownership, group, {topic});
    BOOST_REQUIRE(eventually([&] { return member.pump(), member.mine().size() == 1; }));
    BOOST_TEST(!member.log().stored_outcome(Milliseconds(0)).has_value());
    must(member.log().begin_store({{{topic, 0}, position}}));
    std::optional<Status> outcome;
    BOOST_REQUIRE(eventually([&] { return (outcome = member.log().stored_outcome(Milliseconds(50))).has_value(); }));
    must(*outcome);
    BOOST_TEST(!member.log().stored_outcome(Milliseconds(0)).has_value());
    BOOST_TEST((must(member.log().stored({topic, 0})) == std::optional(position)));
    must(member.log().leave());
  }
  Ownership ownership;
  Member member(2, ownership, group, {topic});
  BOOST_REQUIRE(eventually([&] { return member.pump(), member.mine().size() == 1; }));
  BOOST_TEST((must(member.log().stored({topic, 0})) == std::optional(position)));
}

BOOST_AUTO_TEST_CASE(positions_can_be_stored_for_a_group_without_members)
{
  const std::string topic = make_topic(1);
  const std::string group = log_under_test().fresh_group_name();
  must(log_under_test().make_admin()->store_positions(group, {{{topic, 0}, {12, "n"}}}));
  Ownership ownership;
  Member member(1, ownership, group, {topic});
  BOOST_REQUIRE(eventually([&] { return member.pump(), member.mine().size() == 1; }));
  BOOST_TEST((must(member.log().stored({topic, 0})) == std::optional(StoredPosition{12, "n"})));
}

BOOST_AUTO_TEST_CASE(two_members_share_and_who_stays_takes_all)
{
  const std::string topic = make_topic(4);
  const std::string group = log_under_test().fresh_group_name();
  Ownership ownership;
  Member first(1, ownership, group, {topic});
  BOOST_REQUIRE(eventually([&] { return first.pump(), first.mine().size() == 4; }));
  auto second = std::make_unique<Member>(2, ownership, group, std::vector{topic});
  BOOST_TEST(eventually([&] { return second->pump(), first.pump(), first.mine().size() == 2 && second->mine().size() == 2; }));
  must(second->log().leave());
  BOOST_TEST(second->mine().empty());
  BOOST_TEST(eventually([&] { return first.pump(), first.mine().size() == 4; }));
  BOOST_TEST(!ownership.overlapped, "a partition had two owners");
}

BOOST_AUTO_TEST_CASE(groups_do_not_see_each_other)
{
  const std::string topic = make_topic(2);
  Ownership ownership_a;
  Ownership ownership_b;
  const std::string group_a = log_under_test().fresh_group_name();
  Member a(1, ownership_a, group_a, {topic});
  Member b(2, ownership_b, log_under_test().fresh_group_name(), {topic});
  BOOST_TEST(eventually([&] { return a.pump(), b.pump(), a.mine().size() == 2 && b.mine().size() == 2; }));
  must(a.log().store({{{topic, 0}, {5, ""}}}));
  BOOST_TEST(!must(b.log().stored({topic, 0})).has_value());
}

BOOST_AUTO_TEST_CASE(a_partition_is_revoked_before_somebody_else_has_it_and_positions_can_be_stored_then)
{
  const std::string topic = make_topic(2);
  const std::string group = log_under_test().fresh_group_name();
  Ownership ownership;
  Member first(1, ownership, group, {topic});
  BOOST_REQUIRE(eventually([&] { return first.pump(), first.mine().size() == 2; }));
  std::vector<std::string> failures;
  first.on_revocation([&](const std::vector<TopicPartition>& partitions) {
    for (const auto& at : partitions) {
      const Status stored = first.log().store({{at, {77, "at revocation"}}});
      if (!stored.ok()) {
        failures.push_back(stored.error().message);
      }
    }
  });
  Member second(2, ownership, group, {topic});
  BOOST_REQUIRE(eventually([&] { return second.pump(), first.pump(), second.mine().size() == 1 && first.mine().size() == 1; }));
  BOOST_TEST(failures.empty());
  BOOST_TEST(!ownership.overlapped, "a partition had two owners");
  BOOST_TEST((must(second.log().stored(*second.mine().begin())) == std::optional(StoredPosition{77, "at revocation"})));
}

BOOST_AUTO_TEST_CASE(nothing_is_stored_for_a_partition_that_is_not_ours_any_more)
{
  const std::string topic = make_topic(2);
  const std::string group = log_under_test().fresh_group_name();
  Ownership ownership;
  Member first(1, ownership, group, {topic});
  BOOST_REQUIRE(eventually([&] { return first.pump(), first.mine().size() == 2; }));
  must(first.log().store({{{topic, 0}, {1, ""}}, {{topic, 1}, {1, ""}}}));
  Member second(2, ownership, group, {topic});
  BOOST_REQUIRE(eventually([&] { return second.pump(), first.pump(), second.mine().size() == 1 && first.mine().size() == 1; }));
  const TopicPartition lost = *second.mine().begin();
  const Status stored = first.log().store({{lost, {9, "stale"}}});
  BOOST_REQUIRE(!stored.ok());
  BOOST_TEST((stored.error().code == Code::stopped));
  const Status begun = first.log().begin_store({{lost, {9, "stale"}}});
  BOOST_REQUIRE(!begun.ok());
  BOOST_TEST((begun.error().code == Code::stopped));
  BOOST_TEST((must(second.log().stored(lost)) == std::optional(StoredPosition{1, ""})));
}

BOOST_AUTO_TEST_CASE(a_member_reads_what_it_was_assigned)
{
  const std::string topic = make_topic(2);
  Ownership ownership;
  Member member(1, ownership, log_under_test().fresh_group_name(), {topic});
  BOOST_REQUIRE(eventually([&] { return member.pump(), member.mine().size() == 2; }));
  auto writer = log_under_test().make_writer();
  for (int p = 0; p < 2; ++p) {
    append_numbers(*writer, {topic, p}, 0, 20);
    must(member.log().seek({topic, p}, 5));
  }
  for (int p = 0; p < 2; ++p) {
    BOOST_TEST(*read_records(member.log(), {topic, p}, 15).front().value == "5");
  }
  BOOST_TEST(must(member.log().ends({topic, 0})).end == 20);
}

BOOST_AUTO_TEST_CASE(a_topic_that_appears_later_is_assigned_when_it_does)
{
  const std::string topic = log_under_test().fresh_topic_name();
  const std::string there = make_topic(1);
  Ownership ownership;
  Member member(1, ownership, log_under_test().fresh_group_name(), {there, topic});
  BOOST_REQUIRE(eventually([&] { return member.pump(), member.mine().size() == 1; }));
  must(log_under_test().make_admin()->create(settings_of(topic, 2)));
  BOOST_TEST(eventually([&] { return member.pump(), member.mine().size() == 3; }));
}

// --- Topics -------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_topic_is_described_as_it_was_created_and_altered)
{
  auto admin = log_under_test().make_admin();
  TopicSettings settings = settings_of(log_under_test().fresh_topic_name(), 3);
  settings.retention = std::chrono::hours(5);
  settings.retention_bytes = 1 << 20;
  must(admin->create(settings));
  const auto described = [&]() -> std::optional<TopicSettings> {
    const auto all = must(admin->describe());
    BOOST_TEST(std::is_sorted(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.topic < b.topic; }));
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.topic == settings.topic; });
    return found == all.end() ? std::nullopt : std::optional(*found);
  };
  const auto is_as_set = [&] {
    const auto now = described();
    return now && now->partitions == settings.partitions && now->retention == settings.retention &&
           now->retention_bytes == settings.retention_bytes && now->compacted == settings.compacted && now->replication == 1;
  };
  BOOST_TEST(eventually(is_as_set));
  settings.partitions = 5;
  settings.retention = std::nullopt;
  settings.retention_bytes = std::nullopt;
  settings.compacted = true;
  must(admin->alter(settings));
  BOOST_TEST(eventually(is_as_set));
  settings.partitions = 2;
  BOOST_TEST(!admin->alter(settings).ok(), "partitions were taken away");
}

BOOST_AUTO_TEST_CASE(a_topic_is_created_once)
{
  auto admin = log_under_test().make_admin();
  const TopicSettings settings = settings_of(log_under_test().fresh_topic_name(), 1);
  must(admin->create(settings));
  const Status again = admin->create(settings);
  BOOST_REQUIRE(!again.ok());
  BOOST_TEST((again.error().code == Code::busy));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune::contract
