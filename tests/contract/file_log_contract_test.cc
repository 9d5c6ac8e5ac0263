// The embedded log under the contract of all logs, and what it promises beyond that: segments, times, retention,
// compaction. What happens when a process dies stands in unit/adapters/file_log_crash_test.cc.
#include <stdlib.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "adapters/file_log.h"
#include "contract/log_suite.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

// A directory of its own for the whole run.
const std::string& log_dir()
{
  static const struct Directory {
    std::string path;
    Directory()
    {
      std::string name = (fs::temp_directory_path() / "attune-file-log-XXXXXX").string();
      path = std::string(::mkdtemp(name.data())) + "/log";
    }
    ~Directory() { fs::remove_all(fs::path(path).parent_path()); }
  } directory;
  return directory.path;
}

class SetClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return {ms.load()}; }
  std::atomic<std::int64_t> ms{1'700'000'000'000};
};

FileLogOptions small_segments()
{
  FileLogOptions options;
  options.dir = log_dir();
  options.segment_bytes = 4096;
  return options;
}

std::string fresh_name(const std::string& kind)
{
  static std::atomic<int> count{0};
  return kind + "-" + std::to_string(count++);
}

template <class T>
T opened(Result<T> result)
{
  if (!result.ok()) {
    BOOST_FAIL(result.error().message);
  }
  return std::move(result).value();
}

void done(const Status& status)
{
  if (!status.ok()) {
    BOOST_FAIL(status.error().message);
  }
}

Status put(LogWriter& writer, const std::string& topic, std::optional<std::string_view> key, std::optional<std::string_view> value,
           std::optional<Timestamp> timestamp = {})
{
  OutgoingRecord record;
  record.topic = topic;
  record.partition = 0;
  record.key = key;
  record.value = value;
  record.timestamp = timestamp;
  return writer.append(record);
}

struct Seen {
  std::int64_t offset;
  std::string key;
  std::optional<std::string> value;
};

std::vector<Seen> read_all(const FileLogOptions& options, const std::string& topic, std::int64_t from)
{
  auto reader = opened(open_file_log_reader(options));
  const TopicPartition at{topic, 0};
  done(reader->seek(at, from));
  std::vector<Seen> out;
  while (auto block = opened(reader->read(at, 100))) {
    for (const Record& record : block->records) {
      out.push_back({record.offset, std::string(record.key.value_or("")),
                     record.value ? std::optional<std::string>(*record.value) : std::nullopt});
    }
  }
  BOOST_TEST(reader->caught_up(at));
  return out;
}

std::size_t segment_count(const std::string& topic)
{
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(log_dir() + "/" + topic + "/0")) {
    count += entry.path().extension() == ".ndjson" ? 1 : 0;
  }
  return count;
}

} // namespace

namespace contract {

const LogUnderTest& log_under_test()
{
  static const LogUnderTest log = [] {
    LogUnderTest out;
    out.make_writer = [] { return opened(open_file_log_writer(small_segments())); };
    out.make_reader = [] { return opened(open_file_log_reader(small_segments())); };
    out.make_group = [](const std::string& group) { return opened(open_file_log_group(small_segments(), group)); };
    out.make_admin = [] { return opened(open_file_log_admin(small_segments())); };
    out.fresh_topic_name = [] { return fresh_name("topic"); };
    out.fresh_group_name = [] { return fresh_name("group"); };
    out.lose_before = [](const TopicPartition&, std::int64_t) {}; // the writer did it, each time it sealed a segment
    out.too_large_bytes = (1 << 20) + 1;
    return out;
  }();
  return log;
}

} // namespace contract

BOOST_AUTO_TEST_SUITE(file_log)

BOOST_AUTO_TEST_CASE(a_topic_nobody_created_is_made_by_the_first_append)
{
  FileLogOptions options = small_segments();
  options.partitions = 3;
  const std::string topic = fresh_name("made");
  auto writer = opened(open_file_log_writer(options));
  done(put(*writer, topic, "k", "v"));
  done(writer->flush(std::chrono::seconds(30)));
  const auto all = opened(opened(open_file_log_admin(options))->describe());
  const auto made = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.topic == topic; });
  BOOST_REQUIRE(made != all.end());
  BOOST_TEST(made->partitions == 3);
  BOOST_TEST((made->retention == std::optional<Milliseconds>(std::chrono::hours(24 * 7))));
  BOOST_TEST(!made->compacted);
}

BOOST_AUTO_TEST_CASE(a_line_of_a_segment_is_the_envelope)
{
  const std::string topic = fresh_name("line");
  auto writer = opened(open_file_log_writer(small_segments()));
  done(put(*writer, topic, "c1", "{\"type\":\"view\"}", Timestamp{1700000000000}));
  done(writer->flush(std::chrono::seconds(30)));
  std::ifstream file(log_dir() + "/" + topic + "/0/00000000000000000000.ndjson");
  std::string line;
  std::getline(file, line);
  BOOST_TEST(line ==
             "{\"topic\":\"" + topic +
                 "\",\"partition\":0,\"offset\":0,\"timestamp\":1700000000000,\"key\":\"c1\",\"headers\":{},\"value\":{\"type\":"
                 "\"view\"}}");
}

BOOST_AUTO_TEST_CASE(names_that_would_leave_the_directory_are_refused)
{
  auto writer = opened(open_file_log_writer(small_segments()));
  const std::vector<std::string> names{"", ".", "..", "../x", "a/b", ".groups", "a b", std::string(250, 'a')};
  for (const std::string& topic : names) {
    const Status status = put(*writer, topic, "k", "v");
    BOOST_TEST(!status.ok(), topic);
    BOOST_TEST((status.error().code == Code::usage), topic);
  }
}

BOOST_AUTO_TEST_CASE(reading_goes_on_over_segments_in_bulk_and_from_any_offset)
{
  const std::string topic = fresh_name("segments");
  auto writer = opened(open_file_log_writer(small_segments()));
  for (int i = 0; i < 1000; ++i) {
    done(put(*writer, topic, "k", std::to_string(i)));
  }
  done(writer->flush(std::chrono::seconds(30)));
  BOOST_TEST(segment_count(topic) > 10u);
  for (const auto& entry : fs::directory_iterator(log_dir() + "/" + topic + "/0")) {
    BOOST_TEST(fs::file_size(entry.path()) <= 4096u);
  }
  for (const std::int64_t from : {0, 1, 333, 998, 999, 1000}) {
    const auto seen = read_all(small_segments(), topic, from);
    BOOST_REQUIRE_EQUAL(seen.size(), static_cast<std::size_t>(1000 - from));
    for (std::size_t i = 0; i < seen.size(); ++i) {
      BOOST_REQUIRE_EQUAL(seen[i].offset, from + static_cast<std::int64_t>(i));
      BOOST_REQUIRE_EQUAL(*seen[i].value, std::to_string(from + static_cast<std::int64_t>(i)));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_offset_deep_in_a_large_segment_is_found)
{
  FileLogOptions options = small_segments();
  options.segment_bytes = 64 << 20;
  const std::string topic = fresh_name("large");
  auto writer = opened(open_file_log_writer(options));
  const std::string filler(700, 'x');
  constexpr int kRecords = 6000; // about 5 MB: several steps of bisection
  for (int i = 0; i < kRecords; ++i) {
    done(put(*writer, topic, "k", i % 1000 == 7 ? std::string(600'000, 'y') : filler));
  }
  done(writer->flush(std::chrono::seconds(30)));
  auto reader = opened(open_file_log_reader(options));
  for (int from = 0; from < kRecords; from += 37) {
    done(reader->seek({topic, 0}, from));
    const auto block = opened(reader->read({topic, 0}, 1));
    BOOST_REQUIRE(block != nullptr);
    BOOST_REQUIRE_EQUAL(block->records.front().offset, from);
  }
}

BOOST_AUTO_TEST_CASE(times_that_were_given_out_of_order_are_searched_exactly)
{
  const std::string topic = fresh_name("times");
  FileLogOptions options = small_segments();
  options.retention = std::nullopt;
  auto writer = opened(open_file_log_writer(options));
  std::vector<std::int64_t> times;
  for (int i = 0; i < 500; ++i) {
    times.push_back(1'000'000 + (i * 7919) % 5000);
    done(put(*writer, topic, "k", "v", Timestamp{times.back()}));
  }
  done(writer->flush(std::chrono::seconds(30)));
  auto reader = opened(open_file_log_reader(small_segments()));
  for (std::int64_t time = 1'000'000; time < 1'005'100; time += 13) {
    const auto first = std::find_if(times.begin(), times.end(), [&](std::int64_t t) { return t >= time; });
    BOOST_REQUIRE_EQUAL(opened(reader->offset_at({topic, 0}, Timestamp{time})), first - times.begin());
  }
}

BOOST_AUTO_TEST_CASE(times_the_log_gives_never_go_back)
{
  FileLogOptions options = small_segments();
  const auto clock = std::make_shared<SetClock>();
  options.clock = clock;
  const std::string topic = fresh_name("clock");
  std::vector<std::int64_t> stamps;
  for (const std::int64_t now : {5000, 3000, 6000, 1000}) {
    clock->ms = now;
    auto writer = opened(open_file_log_writer(options));
    done(put(*writer, topic, "k", "v"));
    done(writer->flush(std::chrono::seconds(30)));
  }
  auto reader = opened(open_file_log_reader(options));
  done(reader->seek({topic, 0}, 0));
  while (auto block = opened(reader->read({topic, 0}, 100))) {
    for (const Record& record : block->records) {
      stamps.push_back(record.timestamp.ms);
    }
  }
  BOOST_TEST((stamps == std::vector<std::int64_t>{5000, 5000, 6000, 6000}));
}

BOOST_AUTO_TEST_CASE(old_segments_go_by_age_and_the_active_one_never)
{
  FileLogOptions options = small_segments();
  const auto clock = std::make_shared<SetClock>();
  options.clock = clock;
  options.retention = std::chrono::hours(1);
  const std::string topic = fresh_name("age");
  auto writer = opened(open_file_log_writer(options));
  const auto fill = [&](int count) {
    for (int i = 0; i < count; ++i) {
      done(put(*writer, topic, "k", "v"));
    }
    done(writer->flush(std::chrono::seconds(30)));
  };
  fill(300);
  BOOST_TEST(segment_count(topic) > 3u);
  BOOST_TEST(read_all(options, topic, 0).size() == 300u);
  clock->ms += std::chrono::milliseconds(std::chrono::minutes(61)).count();
  fill(1);
  auto reader = opened(open_file_log_reader(options));
  BOOST_TEST(opened(reader->ends({topic, 0})).begin == 300);
  BOOST_TEST(opened(reader->ends({topic, 0})).end == 301);
  BOOST_TEST(segment_count(topic) == 1u);
}

BOOST_AUTO_TEST_CASE(a_reader_in_a_segment_that_goes_away_reads_it_to_its_end_and_then_says_what_is_lost)
{
  FileLogOptions options = small_segments();
  options.retention = std::nullopt;
  const std::string topic = fresh_name("under");
  auto writer = opened(open_file_log_writer(options));
  for (int i = 0; i < 300; ++i) {
    done(put(*writer, topic, "k", std::to_string(i)));
  }
  done(writer->flush(std::chrono::seconds(30)));
  auto reader = opened(open_file_log_reader(options));
  done(reader->seek({topic, 0}, 0));
  BOOST_REQUIRE(opened(reader->read({topic, 0}, 1)) != nullptr);
  TopicSettings settings{topic, options.partitions, 1, std::nullopt, 1, false};
  done(opened(open_file_log_admin(options))->alter(settings));
  std::int64_t last = 0;
  for (;;) {
    auto block = reader->read({topic, 0}, 1000);
    if (!block.ok()) {
      BOOST_TEST((block.error().code == Code::gap), block.error().message);
      break;
    }
    BOOST_REQUIRE(*block != nullptr);
    BOOST_TEST((*block)->records.front().offset == last + 1);
    last = (*block)->records.back().offset;
  }
  BOOST_TEST(last > 10);
  BOOST_TEST(last < opened(reader->ends({topic, 0})).begin);
}

BOOST_AUTO_TEST_CASE(compaction_keeps_the_newest_of_each_key_with_its_offset)
{
  FileLogOptions options = small_segments();
  const auto clock = std::make_shared<SetClock>();
  options.clock = clock;
  const std::string topic = fresh_name("compact");
  auto admin = opened(open_file_log_admin(options));
  TopicSettings settings{topic, 1, 1, std::nullopt, std::nullopt, true};
  done(admin->create(settings));
  auto writer = opened(open_file_log_writer(options));
  std::map<std::string, std::pair<std::int64_t, std::optional<std::string>>> newest;
  for (int i = 0; i < 1000; ++i) {
    const bool gone = i % 50 >= 48; // a value, then its tombstone
    const std::string key = gone ? "gone-" + std::to_string(i / 50) : "item-" + std::to_string((i * i) % 97);
    const auto value = i % 50 == 49 ? std::nullopt : std::optional(std::to_string(i));
    done(put(*writer, topic, key, value));
    newest[key] = {i, value};
  }
  done(writer->flush(std::chrono::seconds(30)));
  done(admin->alter(settings));

  const auto seen = read_all(options, topic, 0);
  BOOST_TEST(seen.size() < 400u);
  std::map<std::string, std::pair<std::int64_t, std::optional<std::string>>> last;
  std::int64_t before = -1;
  for (const Seen& one : seen) {
    BOOST_TEST(one.offset > before);
    before = one.offset;
    last[one.key] = {one.offset, one.value};
  }
  BOOST_TEST((last == newest));
  auto reader = opened(open_file_log_reader(options));
  BOOST_TEST(opened(reader->ends({topic, 0})).begin == 0);
  BOOST_TEST(opened(reader->ends({topic, 0})).end == 1000);

  // From an offset that was compacted away, the next that stayed is read.
  for (std::int64_t from = 0; from < 1000; from += 11) {
    const auto rest = read_all(options, topic, from);
    const auto expected = std::count_if(seen.begin(), seen.end(), [&](const Seen& one) { return one.offset >= from; });
    BOOST_REQUIRE_EQUAL(rest.size(), static_cast<std::size_t>(expected));
  }

  // Tombstones go once every reader had the time to meet them.
  const auto tombstones = [&] {
    const auto all = read_all(options, topic, 0);
    return std::count_if(all.begin(), all.end(), [](const Seen& one) { return !one.value; });
  };
  BOOST_TEST(tombstones() == 20);
  clock->ms += std::chrono::milliseconds(std::chrono::hours(25)).count();
  done(admin->alter(settings));
  BOOST_TEST(tombstones() == 1); // in the active segment
}

BOOST_AUTO_TEST_CASE(positions_are_not_changed_behind_a_members_back)
{
  struct Listener final : GroupListener {
    void assigned(const std::vector<TopicPartition>& partitions) override { count += partitions.size(); }
    void revoked(const std::vector<TopicPartition>&, bool) override {}
    std::size_t count = 0;
  } listener;
  const std::string topic = fresh_name("held");
  auto admin = opened(open_file_log_admin(small_segments()));
  done(admin->create({topic, 1, 1, std::nullopt, std::nullopt, false}));
  const std::string name = fresh_name("group");
  auto group = opened(open_file_log_group(small_segments(), name));
  done(group->join({topic}, listener));
  done(group->wait(std::chrono::seconds(1)));
  const Status stored = admin->store_positions(name, {{{topic, 0}, {1, ""}}});
  BOOST_REQUIRE(!stored.ok());
  BOOST_TEST((stored.error().code == Code::busy));
  done(group->leave());
  done(admin->store_positions(name, {{{topic, 0}, {1, ""}}}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
