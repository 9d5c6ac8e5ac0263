// A spool over embedded logs, with a log before it that goes away.
#include "pipeline/spool.h"

#include <rapidcheck.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <filesystem>
#include <map>
#include <set>

#include "adapters/file_log.h"
#include "adapters/spool_place.h"
#include "support/fickle_writer.h"
#include "support/scratch.h"

namespace attune {
namespace {

using Steady = std::chrono::steady_clock;
using testing::FickleWriter;
namespace fs = std::filesystem;

constexpr Milliseconds kLimit = std::chrono::seconds(60); // no test waits that long when all is well
constexpr std::int32_t kPartitions = 3;

template <class T>
T must(Result<T> result)
{
  if (!result.ok()) BOOST_FAIL(result.error().message);
  return std::move(result).value();
}

void must(const Status& status)
{
  if (!status.ok()) BOOST_FAIL(status.error().message);
}

template <class Condition>
bool eventually(Condition condition)
{
  const auto deadline = Steady::now() + kLimit;
  while (!condition()) {
    if (Steady::now() > deadline) return false;
    std::this_thread::sleep_for(Milliseconds(1));
  }
  return true;
}

// What became of records, by their number.
class Acknowledgements {
 public:
  LogWriter::Delivered of(int number)
  {
    return [this, number](const Result<Placed>& result) {
      const std::lock_guard lock(mutex_);
      ++calls_[number];
      if (!result.ok())
        failed_.emplace(number, result.error());
      else if (result.value().partition >= 0)
        straight_.insert(number);
      else
        spooled_.insert(number);
    };
  }
  [[nodiscard]] std::set<int> good() const
  {
    const std::lock_guard lock(mutex_);
    auto all = straight_;
    all.insert(spooled_.begin(), spooled_.end());
    return all;
  }
  [[nodiscard]] std::size_t straight() const { return locked(straight_); }
  [[nodiscard]] std::size_t spooled() const { return locked(spooled_); }
  [[nodiscard]] std::size_t failed() const { return locked(failed_); }
  [[nodiscard]] std::size_t told() const { return locked(calls_); }
  [[nodiscard]] std::optional<Error> failure_of(int number) const
  {
    const std::lock_guard lock(mutex_);
    const auto found = failed_.find(number);
    return found == failed_.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] bool each_once() const
  {
    const std::lock_guard lock(mutex_);
    return std::all_of(calls_.begin(), calls_.end(), [](const auto& call) { return call.second == 1; });
  }

 private:
  template <class Set>
  std::size_t locked(const Set& set) const
  {
    const std::lock_guard lock(mutex_);
    return set.size();
  }
  mutable std::mutex mutex_;
  std::map<int, int> calls_;
  std::set<int> straight_, spooled_;
  std::map<int, Error> failed_;
};

struct Seen {
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  std::int64_t time = 0;
  friend bool operator==(const Seen&, const Seen&) = default;
};

// A log, a spool and what is between them.
struct Setting {
  testing::Scratch scratch;
  FileLogOptions log;
  SpoolOptions options;
  FileSync sync = [](int) { return 0; }; // no test pulls the plug
  std::size_t queued = 1000;
  FickleWriter* fickle = nullptr; // of the spool opened last
  std::mutex mutex;
  std::vector<std::string> said;
  Acknowledgements told; // before the spool: it goes last
  std::unique_ptr<Spool> spool;

  Setting()
  {
    log.dir = scratch.path() + "/log";
    log.partitions = kPartitions;
    log.retention = std::nullopt;
    log.commit_threads = 2;
    log.sync = sync;
    options.patience = Milliseconds(50);
    options.try_every = Milliseconds(5);
    options.say = [this](const std::string& line) {
      const std::lock_guard lock(mutex);
      said.push_back(line);
    };
  }

  [[nodiscard]] std::string spool_dir() const { return scratch.path() + "/spool"; }

  Result<std::unique_ptr<Spool>> try_to_open()
  {
    auto writer = std::make_unique<FickleWriter>(must(open_file_log_writer(log)), queued);
    fickle = writer.get();
    return open_spool(spool_dir(), std::move(writer), options, sync);
  }
  void open() { spool = must(try_to_open()); }

  Status put(int number, std::int32_t partition = 0, std::size_t filler = 0)
  {
    const auto value = std::to_string(number) + std::string(filler, ' ');
    OutgoingRecord record;
    record.topic = "t";
    record.partition = partition;
    record.value = value;
    return spool->append(record, told.of(number));
  }
  void put_all(int from, int to)
  {
    for (int i = from; i < to; ++i) must(put(i, i % kPartitions));
  }

  [[nodiscard]] std::vector<Seen> records(const TopicPartition& at) const
  {
    auto reader = must(open_file_log_reader(log));
    std::vector<Seen> out;
    const std::vector<std::string> topics{at.topic};
    if (must(reader->partitions(topics)).empty()) return out;
    must(reader->seek(at, 0));
    while (auto block = must(reader->read(at, 1000)))
      for (const auto& record : block->records) {
        auto& seen = out.emplace_back();
        if (record.key) seen.key = *record.key;
        if (record.value) seen.value = *record.value;
        for (const auto& header : record.headers)
          seen.headers.emplace_back(header.name, header.value ? std::optional<std::string>(*header.value) : std::nullopt);
        seen.time = record.timestamp.ms;
      }
    return out;
  }
  // The numbers of a partition as they stand there.
  [[nodiscard]] std::vector<int> numbers(std::int32_t partition) const
  {
    std::vector<int> out;
    for (const auto& record : records({"t", partition})) out.push_back(std::stoi(*record.value));
    return out;
  }
  [[nodiscard]] std::set<int> all_numbers() const
  {
    std::set<int> out;
    for (std::int32_t p = 0; p < kPartitions; ++p)
      for (const int number : numbers(p)) out.insert(number);
    return out;
  }
  [[nodiscard]] std::size_t log_size() const
  {
    std::size_t size = 0;
    for (std::int32_t p = 0; p < kPartitions; ++p) size += numbers(p).size();
    return size;
  }
  [[nodiscard]] std::uint64_t bytes_on_disk() const
  {
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(spool_dir() + "/spool/0"))
      if (entry.path().extension() == ".ndjson") bytes += entry.file_size();
    return bytes;
  }
  bool goes_straight()
  {
    return eventually([this] { return !spool->spooling(); });
  }
  bool heard(const std::string& text)
  {
    return eventually([&] {
      const std::lock_guard lock(mutex);
      return std::any_of(said.begin(), said.end(), [&](const auto& line) { return line.find(text) != line.npos; });
    });
  }
};

// Whether the first of each number stand in the order of the numbers.
bool in_order(const std::vector<int>& numbers)
{
  std::set<int> seen;
  int newest = -1;
  for (const int number : numbers) {
    if (!seen.insert(number).second) continue;
    if (number < newest) return false;
    newest = number;
  }
  return true;
}

std::set<int> range(int from, int to)
{
  std::set<int> out;
  for (int i = from; i < to; ++i) out.insert(i);
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(spool)

BOOST_AUTO_TEST_CASE(while_the_log_answers_nothing_is_written_to_the_disk)
{
  Setting setting;
  setting.open();
  setting.put_all(0, 2000);
  must(setting.spool->flush(kLimit));
  BOOST_TEST(setting.told.straight() == 2000u);
  BOOST_TEST(setting.told.each_once());
  BOOST_TEST(setting.bytes_on_disk() == 0u);
  BOOST_TEST(setting.log_size() == 2000u);
  BOOST_TEST((setting.all_numbers() == range(0, 2000)));
}

BOOST_AUTO_TEST_CASE(what_waits_when_the_log_goes_away_and_what_comes_then_stands_in_the_spool_and_is_brought_when_it_is_back)
{
  Setting setting;
  setting.open();
  setting.put_all(0, 100);
  must(setting.spool->flush(kLimit));
  setting.fickle->go_away();
  setting.put_all(100, 200);
  must(setting.spool->flush(kLimit));
  BOOST_TEST(setting.told.straight() == 100u);
  BOOST_TEST(setting.told.spooled() == 100u);
  BOOST_TEST(setting.spool->spooling());
  setting.put_all(200, 3000);
  must(setting.spool->flush(kLimit));
  BOOST_TEST(setting.told.spooled() == 2900u);
  BOOST_TEST(setting.spool->waiting() == 2900u);
  BOOST_TEST((setting.all_numbers() == range(0, 100)));
  setting.fickle->come_back();
  BOOST_TEST(setting.goes_straight());
  BOOST_TEST(setting.spool->waiting() == 0u);
  setting.put_all(3000, 3100);
  must(setting.spool->flush(kLimit));
  BOOST_TEST(setting.told.straight() == 200u);
  BOOST_TEST(setting.told.each_once());
  BOOST_TEST((setting.all_numbers() == range(0, 3100)));
  for (std::int32_t p = 0; p < kPartitions; ++p) BOOST_TEST(in_order(setting.numbers(p)));
  BOOST_TEST(setting.log_size() <= 3200u); // the hundred that waited came from the log's own queue too
  BOOST_TEST(setting.heard("the log has delivered nothing for 50 ms: records go to "));
  BOOST_TEST(setting.heard("the log is back: 2900 records of "));
}

BOOST_AUTO_TEST_CASE(a_log_that_says_it_is_away_is_not_waited_for)
{
  Setting setting;
  setting.options.patience = std::chrono::hours(1);
  setting.open();
  setting.fickle->refuse();
  setting.put_all(0, 100);
  must(setting.spool->flush(kLimit));
  BOOST_TEST(setting.told.spooled() == 100u);
  setting.fickle->come_back();
  BOOST_TEST(setting.goes_straight());
  BOOST_TEST((setting.all_numbers() == range(0, 100)));
  BOOST_TEST(setting.log_size() == 100u);
}

BOOST_AUTO_TEST_CASE(a_record_that_went_through_the_spool_is_the_one_that_was_appended)
{
  Setting setting;
  setting.open();
  const std::string binary("\x00\xff\xfe\n\x80", 5);
  const std::vector<Header> headers{
      {"a", "1"}, {"a", std::nullopt}, {"", binary}, {"attune-topic", "u"}, {"attune-partition", "7"}};
  const std::vector<std::optional<std::string_view>> texts{std::nullopt, "", "x", binary, "{\"b64\":\"AAAA\"}"};
  // The same to two topics, to one of them through the spool.
  int count = 0;
  for (const bool away : {false, true}) {
    if (away) setting.fickle->refuse();
    for (const auto& key : texts)
      for (const auto& value : texts)
        for (const bool more : {false, true}) {
          OutgoingRecord record;
          record.topic = away ? "through" : "straight";
          record.partition = key ? kPartitionByKey : 1;
          record.key = key;
          record.value = value;
          if (more) record.headers = headers;
          record.timestamp = Timestamp{1'700'000'000'000 + (count % 50) * 7 % 11};
          must(setting.spool->append(record, setting.told.of(count++)));
        }
    must(setting.spool->flush(kLimit));
  }
  BOOST_TEST(setting.told.spooled() == 50u);
  setting.fickle->come_back();
  BOOST_TEST(setting.goes_straight());
  std::size_t seen = 0;
  for (std::int32_t p = 0; p < kPartitions; ++p) {
    const auto straight = setting.records({"straight", p});
    BOOST_TEST((setting.records({"through", p}) == straight));
    seen += straight.size();
  }
  BOOST_TEST(seen == 50u);
}

BOOST_AUTO_TEST_CASE(a_record_without_a_time_gets_that_of_its_arrival_not_of_its_being_brought)
{
  Setting setting;
  setting.open();
  setting.fickle->refuse();
  const auto before = SystemClock().now();
  setting.put_all(0, 1);
  must(setting.spool->flush(kLimit));
  const auto after = SystemClock().now();
  std::this_thread::sleep_for(Milliseconds(20));
  setting.fickle->come_back();
  BOOST_TEST(setting.goes_straight());
  const auto records = setting.records({"t", 0});
  BOOST_REQUIRE_EQUAL(records.size(), 1u);
  BOOST_TEST(records[0].time >= before.ms);
  BOOST_TEST(records[0].time <= after.ms);
}

BOOST_AUTO_TEST_CASE(a_record_in_the_spool_is_acknowledged_only_once_it_is_synced)
{
  std::atomic<bool> hold{false};
  std::atomic<bool> held{false};
  Setting setting;
  setting.sync = [&](int) {
    while (hold) {
      held = true;
      std::this_thread::sleep_for(Milliseconds(1));
    }
    return 0;
  };
  setting.open();
  setting.fickle->refuse();
  hold = true;
  setting.put_all(0, 10);
  BOOST_TEST(eventually([&] { return held.load(); }));
  const auto status = setting.spool->flush(Milliseconds(100));
  BOOST_REQUIRE(!status.ok());
  BOOST_TEST((status.error().code == Code::unreachable));
  BOOST_TEST(setting.told.told() == 0u);
  hold = false;
  must(setting.spool->flush(kLimit));
  BOOST_TEST(setting.told.spooled() == 10u);
}

BOOST_AUTO_TEST_CASE(a_full_spool_is_busy_and_takes_again_once_it_was_drained)
{
  Setting setting;
  setting.options.most_bytes = 256 << 10;
  setting.open();
  for (int round = 0; round < 3; ++round) {
    setting.fickle->refuse();
    const auto good_before = setting.told.good().size();
    int number = round * 100'000;
    const int first = number;
    for (int before = -1; before != number;) { // what is synced may turn out smaller than was feared
      before = number;
      Status status;
      while ((status = setting.put(number, 0, 500)).ok()) ++number;
      BOOST_TEST((status.error().code == Code::busy));
      BOOST_TEST(status.error().message.find("full") != std::string::npos);
      must(setting.spool->flush(kLimit));
    }
    BOOST_TEST(setting.told.good().size() == good_before + static_cast<std::size_t>(number - first));
    BOOST_TEST(number - first > 200);
    BOOST_TEST(setting.bytes_on_disk() <= setting.options.most_bytes);
    setting.fickle->come_back();
    BOOST_TEST(setting.goes_straight());
    BOOST_TEST(setting.bytes_on_disk() <= setting.options.most_bytes / 16);
    must(setting.put(number));
    must(setting.spool->flush(kLimit));
  }
  BOOST_TEST(setting.told.each_once());
  BOOST_TEST((setting.all_numbers() == setting.told.good()));
}

BOOST_AUTO_TEST_CASE(what_a_spool_holds_from_before_comes_before_anything_else)
{
  Setting setting;
  setting.open();
  setting.fickle->refuse();
  setting.put_all(0, 2500);
  must(setting.spool->flush(kLimit));
  setting.spool.reset();
  BOOST_TEST(setting.told.good().size() == 2500u);
  BOOST_TEST(setting.log_size() == 0u);
  setting.open();
  BOOST_TEST(setting.spool->spooling());
  setting.put_all(2500, 2600);
  must(setting.spool->flush(kLimit));
  BOOST_TEST(setting.goes_straight());
  BOOST_TEST(setting.heard("holds 2500 records from before"));
  for (std::int32_t p = 0; p < kPartitions; ++p) BOOST_TEST(in_order(setting.numbers(p)));
  BOOST_TEST((setting.all_numbers() == range(0, 2600)));
  BOOST_TEST(setting.log_size() == 2600u);
  // And what was brought does not come a third time.
  setting.spool.reset();
  setting.open();
  BOOST_TEST(!setting.spool->spooling());
  setting.spool.reset();
  BOOST_TEST(setting.log_size() == 2600u);
}

BOOST_AUTO_TEST_CASE(a_killed_process_leaves_in_the_spool_all_it_acknowledged)
{
  Setting setting;
  setting.sync = fdatasync_file();
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    setting.open();
    setting.fickle->refuse();
    for (int i = 0;; ++i) {
      OutgoingRecord record;
      const auto value = std::to_string(i);
      record.topic = "t";
      record.partition = 0;
      record.value = value;
      const auto put = setting.spool->append(record, [fd = ends[1], i](const Result<Placed>& result) {
        if (result.ok() && ::write(fd, &i, sizeof i) != sizeof i) ::_exit(1);
      });
      if (!put) ::_exit(1);
    }
  }
  ::close(ends[1]);
  std::set<int> acknowledged;
  int number = 0;
  while (acknowledged.size() < 5000 && ::read(ends[0], &number, sizeof number) == sizeof number) acknowledged.insert(number);
  ::kill(child, SIGKILL);
  while (::read(ends[0], &number, sizeof number) == sizeof number) acknowledged.insert(number);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(ends[0]);
  BOOST_TEST(WIFSIGNALED(status));
  BOOST_TEST(acknowledged.size() >= 5000u);
  setting.open();
  BOOST_TEST(setting.goes_straight());
  const auto there = setting.all_numbers();
  BOOST_TEST(std::includes(there.begin(), there.end(), acknowledged.begin(), acknowledged.end()));
  BOOST_TEST(in_order(setting.numbers(0)));
}

BOOST_AUTO_TEST_CASE(a_disk_that_fails_acknowledges_nothing_and_ends_the_writer)
{
  for (const int failure : {EIO, ENOSPC}) {
    std::atomic<bool> fails{false};
    Setting setting;
    setting.sync = [&](int) { return fails ? failure : 0; };
    setting.open();
    setting.fickle->go_away();
    setting.put_all(0, 100);
    must(setting.spool->flush(kLimit));
    BOOST_TEST(setting.told.spooled() == 100u);
    fails = true;
    std::size_t taken = 0;
    for (int i = 100; i < 200; ++i) taken += setting.put(i).ok() ? 1 : 0;
    BOOST_TEST(taken > 0u);
    const auto flushed = setting.spool->flush(kLimit);
    BOOST_REQUIRE(!flushed.ok());
    BOOST_TEST((flushed.error().code == Code::io));
    BOOST_TEST(setting.told.failed() == taken);
    BOOST_TEST((setting.told.failure_of(100)->code == Code::io));
    fails = false;
    const auto later = setting.put(200);
    BOOST_REQUIRE(!later.ok());
    BOOST_TEST((later.error().code == Code::io));
    // What was acknowledged is brought all the same.
    setting.fickle->come_back();
    BOOST_TEST(eventually([&] { return setting.spool->waiting() == 0; }));
    const auto there = setting.all_numbers();
    const auto good = setting.told.good();
    BOOST_TEST(std::includes(there.begin(), there.end(), good.begin(), good.end()));
    BOOST_TEST(setting.told.each_once());
    BOOST_TEST(!setting.put(201).ok());
  }
}

BOOST_AUTO_TEST_CASE(a_log_that_is_only_slow_is_not_away)
{
  Setting setting;
  setting.options.patience = Milliseconds(400);
  setting.open();
  setting.fickle->be_slow(Milliseconds(10));
  setting.put_all(0, 150); // waits several times its patience in all
  must(setting.spool->flush(kLimit));
  BOOST_TEST(setting.told.straight() == 150u);
  BOOST_TEST(!setting.spool->spooling());
  BOOST_TEST(setting.bytes_on_disk() == 0u);
}

BOOST_AUTO_TEST_CASE(append_never_waits_for_a_log_that_takes_no_more)
{
  Setting setting;
  setting.queued = 10;
  setting.options.patience = std::chrono::hours(1);
  setting.options.most_waiting_records = 100;
  setting.open();
  setting.fickle->go_away();
  setting.put_all(0, 5000);
  must(setting.spool->flush(kLimit));
  BOOST_TEST(setting.told.spooled() == 5000u);
  BOOST_TEST(setting.heard(": records go to "));
  setting.fickle->come_back();
  BOOST_TEST(setting.goes_straight());
  BOOST_TEST((setting.all_numbers() == range(0, 5000)));
  for (std::int32_t p = 0; p < kPartitions; ++p) BOOST_TEST(in_order(setting.numbers(p)));
}

BOOST_AUTO_TEST_CASE(a_spool_under_load_is_empty_again_some_day)
{
  Setting setting;
  setting.sync = [](int) { // something is always on its way through the disk
    std::this_thread::sleep_for(Milliseconds(5));
    return 0;
  };
  setting.open();
  setting.fickle->refuse();
  setting.put_all(0, 5000);
  BOOST_TEST(eventually([&] { return setting.spool->spooling(); }));
  setting.fickle->come_back();
  int number = 5000;
  BOOST_TEST(eventually([&] {
    setting.put_all(number, number + 20);
    number += 20;
    return !setting.spool->spooling();
  }));
  must(setting.spool->flush(kLimit));
  BOOST_TEST((setting.all_numbers() == range(0, number)));
  for (std::int32_t p = 0; p < kPartitions; ++p) BOOST_TEST(in_order(setting.numbers(p)));
}

BOOST_AUTO_TEST_CASE(a_second_one_over_the_same_directory_is_refused_and_hears_who_has_it)
{
  Setting setting;
  setting.open();
  auto second = open_spool(setting.spool_dir(), must(open_file_log_writer(setting.log)), setting.options);
  BOOST_REQUIRE(!second.ok());
  BOOST_TEST((second.error().code == Code::busy));
  BOOST_TEST(second.error().message.find("(process " + std::to_string(::getpid()) + ")") != std::string::npos,
             second.error().message);
  setting.spool.reset();
  BOOST_TEST(open_spool(setting.spool_dir(), must(open_file_log_writer(setting.log)), setting.options).ok());
}

BOOST_AUTO_TEST_CASE(an_error_of_one_record_is_told_of_that_record_alone)
{
  Setting setting;
  setting.open();
  must(setting.put(0));
  must(setting.put(1, kPartitions)); // there is no such partition
  must(setting.put(2));
  const auto flushed = setting.spool->flush(kLimit);
  BOOST_REQUIRE(!flushed.ok());
  BOOST_TEST((flushed.error().code == Code::usage));
  BOOST_TEST((setting.told.failure_of(1)->code == Code::usage));
  BOOST_TEST(setting.told.straight() == 2u);
  BOOST_TEST(!setting.spool->spooling());
  must(setting.spool->flush(kLimit)); // it is said once
}

BOOST_AUTO_TEST_CASE(a_log_that_has_failed_for_good_is_not_away)
{
  Setting setting;
  setting.open();
  setting.fickle->end({Code::io, "the log: ended for good"});
  setting.put_all(0, 10);
  const auto flushed = setting.spool->flush(kLimit);
  BOOST_REQUIRE(!flushed.ok());
  BOOST_TEST(flushed.error().message == "the log: ended for good");
  BOOST_TEST(setting.told.failed() == 10u);
  BOOST_TEST(!setting.spool->spooling());
  BOOST_TEST(setting.bytes_on_disk() == 0u);
}

BOOST_AUTO_TEST_CASE(a_log_that_fails_for_good_while_records_wait_in_the_spool_is_told_to_who_comes_and_they_stay)
{
  Setting setting;
  setting.open();
  setting.fickle->refuse();
  setting.put_all(0, 10);
  must(setting.spool->flush(kLimit));
  setting.fickle->end({Code::config, "the log: not allowed"});
  setting.fickle->come_back();
  BOOST_TEST(eventually([&] {
    const auto status = setting.put(10);
    return !status.ok() && status.error().message == "the log: not allowed";
  }));
  BOOST_TEST(setting.spool->waiting() >= 10u);
  setting.fickle->begin_again();
  BOOST_TEST(setting.goes_straight());
  must(setting.put(11));
  must(setting.spool->flush(kLimit));
  BOOST_TEST((setting.all_numbers() == range(0, 12)));
}

BOOST_AUTO_TEST_CASE(a_record_the_log_refuses_when_it_is_brought_is_kept_and_said_and_what_stands_behind_it_waits)
{
  Setting setting;
  setting.open();
  setting.fickle->refuse();
  OutgoingRecord record;
  record.topic = "gone";
  record.partition = 0;
  record.value = "v";
  must(setting.spool->append(record));
  setting.put_all(0, 10);
  must(setting.spool->flush(kLimit));
  setting.fickle->end({Code::usage, "gone: no such topic"}, "gone");
  setting.fickle->come_back();
  BOOST_TEST(setting.heard("gone: no such topic"));
  must(setting.put(10)); // is durable, behind them
  must(setting.spool->flush(kLimit));
  BOOST_TEST(setting.spool->waiting() == 12u);
  setting.fickle->begin_again();
  BOOST_TEST(setting.goes_straight());
  BOOST_TEST(setting.records({"gone", 0}).size() == 1u);
  BOOST_TEST((setting.all_numbers() == range(0, 11)));
}

BOOST_AUTO_TEST_CASE(a_record_that_is_too_large_is_refused_whichever_way_it_would_go)
{
  Setting setting;
  setting.options.most_record_bytes = 1000;
  setting.open();
  for (const bool away : {false, true}) {
    if (away) {
      setting.fickle->refuse();
      must(setting.put(0));
      BOOST_TEST(eventually([&] { return setting.spool->spooling(); }));
    }
    const auto status = setting.put(1, 0, 1000);
    BOOST_REQUIRE(!status.ok());
    BOOST_TEST((status.error().code == Code::bad_data));
  }
}

BOOST_AUTO_TEST_CASE(closing_takes_no_time_while_the_log_is_away_and_every_record_is_told)
{
  Setting setting;
  setting.options.patience = std::chrono::hours(1);
  setting.open();
  setting.fickle->go_away();
  setting.put_all(0, 500);
  const auto start = Steady::now();
  setting.spool.reset();
  BOOST_TEST((Steady::now() - start < std::chrono::seconds(5)));
  BOOST_TEST(setting.told.told() == 500u);
  BOOST_TEST(setting.told.failed() == 500u);
  BOOST_TEST((setting.told.failure_of(499)->code == Code::stopped));
  BOOST_TEST(setting.told.each_once());
}

BOOST_AUTO_TEST_CASE(what_was_brought_is_removed_from_the_disk)
{
  Setting setting;
  setting.options.most_bytes = 1 << 20;
  setting.open();
  setting.fickle->refuse();
  for (int i = 0; i < 1500; ++i) must(setting.put(i, 0, 300));
  must(setting.spool->flush(kLimit));
  BOOST_TEST(setting.bytes_on_disk() > 500'000u);
  setting.fickle->come_back();
  BOOST_TEST(setting.goes_straight());
  BOOST_TEST(eventually([&] { return setting.bytes_on_disk() <= (1u << 20) / 32; }));
  BOOST_TEST(setting.log_size() == 1500u);
}

BOOST_AUTO_TEST_CASE(many_threads_may_append_while_the_log_comes_and_goes)
{
  Setting setting;
  setting.options.patience = Milliseconds(5);
  setting.open();
  constexpr int kThreads = 4, kEach = 3000;
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        if (!setting.put(t * kEach + i, t % kPartitions).ok()) ++refused;
        if (i % 100 == 0 && !setting.spool->flush(kLimit).ok()) ++refused;
      }
    });
  for (int i = 0; i < 20; ++i) {
    i % 4 < 2 ? setting.fickle->go_away() : setting.fickle->refuse();
    std::this_thread::sleep_for(Milliseconds(i % 3 * 7));
    setting.fickle->come_back();
    std::this_thread::sleep_for(Milliseconds(i % 5 * 5));
  }
  for (auto& thread : threads) thread.join();
  must(setting.spool->flush(kLimit));
  BOOST_TEST(setting.goes_straight());
  BOOST_TEST(refused == 0);
  BOOST_TEST(setting.told.each_once());
  BOOST_TEST(setting.told.failed() == 0u);
  BOOST_TEST((setting.all_numbers() == range(0, kThreads * kEach)));
  // Each thread's own, in its order.
  for (int t = 0; t < kThreads; ++t) {
    auto numbers = setting.numbers(t % kPartitions);
    std::erase_if(numbers, [&](int number) { return number / kEach != t; });
    BOOST_TEST(in_order(numbers));
  }
}

BOOST_AUTO_TEST_CASE(whatever_the_log_does_nothing_acknowledged_is_lost_the_order_is_kept_and_each_record_is_told_once)
{
  BOOST_TEST(rc::check("schedules", [] {
    const auto steps =
        *rc::gen::container<std::vector<std::pair<int, int>>>(rc::gen::pair(rc::gen::inRange(0, 12), rc::gen::inRange(1, 400)));
    Setting setting;
    setting.options.patience = Milliseconds(10);
    setting.options.most_bytes = 128 << 10;
    setting.queued = 200;
    setting.open();
    int number = 0;
    for (const auto& [what, size] : steps) {
      switch (what) {
        case 0:
        case 1:
          setting.fickle->go_away();
          break;
        case 2:
          setting.fickle->refuse();
          break;
        case 3:
        case 4:
          setting.fickle->come_back();
          break;
        case 5:
          std::this_thread::sleep_for(Milliseconds(size % 30));
          break;
        case 6:
          RC_ASSERT(setting.spool->flush(kLimit).ok());
          break;
        case 7: // closed as it stands; what the log's writer holds goes with it
          setting.spool.reset();
          setting.open();
          break;
        default:
          for (int i = 0; i < size; ++i) {
            const auto status = setting.put(number, number % kPartitions, static_cast<std::size_t>(size % 50));
            RC_ASSERT((status.ok() || status.error().code == Code::busy));
            number += status.ok() ? 1 : 0;
          }
      }
    }
    setting.fickle->come_back();
    RC_ASSERT(setting.spool->flush(kLimit).ok());
    RC_ASSERT(eventually([&] { return !setting.spool->spooling() && setting.spool->waiting() == 0; }));
    RC_ASSERT(setting.told.told() == static_cast<std::size_t>(number));
    RC_ASSERT(setting.told.each_once());
    const auto there = setting.all_numbers();
    const auto good = setting.told.good();
    RC_ASSERT(std::includes(there.begin(), there.end(), good.begin(), good.end()));
    for (std::int32_t p = 0; p < kPartitions; ++p) RC_ASSERT(in_order(setting.numbers(p)));
  }));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
