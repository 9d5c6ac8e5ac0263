// The log contract on a real Kafka, and what is Kafka's own: brokers that go away, members that are killed, settings that pass through.
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "adapters/kafka_log.h"
#include "adapters/spool_place.h"
#include "contract/log_suite.h"
#include "support/kafka_server.h"
#include "support/scratch.h"

namespace attune::contract {
namespace {

using SteadyClock = std::chrono::steady_clock;

KafkaOptions options_for(const std::string& brokers)
{
  KafkaOptions options;
  options.brokers = brokers;
  options.properties = {{"topic.metadata.refresh.interval.ms", "1000"}, {"session.timeout.ms", "6000"}};
  return options;
}

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

std::string fresh_name(const std::string& kind)
{
  static std::atomic<int> number{0};
  return "contract-" + kind + "-" + std::to_string(getpid()) + "-" + std::to_string(SystemClock().now().ms) + "-" +
         std::to_string(number++);
}

// No port of ours deletes records; retention does, but only when a broker finds the time.
void delete_records_before(const TopicPartition& at, std::int64_t offset)
{
  auto* conf = rd_kafka_conf_new();
  BOOST_REQUIRE(rd_kafka_conf_set(conf, "bootstrap.servers", testing::shared_kafka().c_str(), nullptr, 0) == RD_KAFKA_CONF_OK);
  auto* handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
  auto* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, at.topic.c_str(), at.partition)->offset = offset;
  auto* request = rd_kafka_DeleteRecords_new(list);
  auto* queue = rd_kafka_queue_new(handle);
  rd_kafka_DeleteRecords(handle, &request, 1, nullptr, queue);
  auto* event = rd_kafka_queue_poll(queue, 60'000);
  BOOST_REQUIRE(event != nullptr);
  BOOST_REQUIRE_MESSAGE(rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR, rd_kafka_event_error_string(event));
  rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_DeleteRecords_destroy(request);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_destroy(handle);
}

} // namespace

const LogUnderTest& log_under_test()
{
  static const LogUnderTest under_test = [] {
    const auto options = options_for(testing::shared_kafka());
    LogUnderTest log;
    log.make_writer = [options] { return must(open_kafka_log_writer(options)); };
    log.make_reader = [options] { return must(open_kafka_log_reader(options)); };
    log.make_group = [options](const std::string& group) { return must(open_kafka_log_group(options, group)); };
    log.make_admin = [options] { return must(open_kafka_log_admin(options)); };
    log.fresh_topic_name = [] { return fresh_name("topic"); };
    log.fresh_group_name = [] { return fresh_name("group"); };
    log.lose_before = delete_records_before;
    return log;
  }();
  return under_test;
}

namespace {

template <class Condition>
bool eventually(Condition condition)
{
  const auto deadline = SteadyClock::now() + log_under_test().patience;
  while (!condition())
    if (SteadyClock::now() > deadline) return false;
  return true;
}

std::string make_topic(const KafkaOptions& options, std::int32_t partitions)
{
  TopicSettings settings;
  settings.topic = fresh_name("topic");
  settings.partitions = partitions;
  must(must(open_kafka_log_admin(options))->create(settings));
  return settings.topic;
}

Status append(LogWriter& writer, const TopicPartition& at, const std::string& value, LogWriter::Delivered delivered = {})
{
  OutgoingRecord record;
  record.topic = at.topic;
  record.partition = at.partition;
  record.value = value;
  return writer.append(record, std::move(delivered));
}

// Everything in a partition, as text.
std::vector<std::string> values_of(const KafkaOptions& options, const TopicPartition& at)
{
  auto reader = must(open_kafka_log_reader(options));
  must(reader->seek(at, 0));
  std::vector<std::string> values;
  BOOST_REQUIRE(eventually([&] {
    const auto block = must(reader->read(at, 10'000));
    if (block)
      for (const auto& record : block->records) values.emplace_back(record.value.value_or("(null)"));
    else if (reader->caught_up(at))
      return true;
    else
      must(reader->wait(Milliseconds(100)));
    return false;
  }));
  return values;
}

// A member that reads what it gets from where the group stands, and stores each position before it tells of the records.
class Follower final : public GroupListener {
 public:
  using Seen = std::function<void(const TopicPartition&, std::int64_t offset)>;

  Follower(const KafkaOptions& options, const std::string& group, const std::string& topic, Seen seen)
      : seen_(std::move(seen)), log_(must(open_kafka_log_group(options, group)))
  {
    must(log_->join({topic}, *this));
  }

  void assigned(const std::vector<TopicPartition>& partitions) override
  {
    for (const auto& at : partitions) {
      const auto stored = must(log_->stored(at));
      must(log_->seek(at, stored ? stored->offset : 0));
      mine_.insert(at);
      if (begun) begun(at);
    }
  }
  void revoked(const std::vector<TopicPartition>& partitions, bool) override
  {
    for (const auto& at : partitions) mine_.erase(at);
  }

  void pump()
  {
    for (const auto& at : std::set(mine_)) {
      const auto block = must(log_->read(at, 100));
      if (!block) continue;
      for (const auto& record : block->records) seen_(at, record.offset);
      const auto stored = log_->store({{at, {block->records.back().offset + 1, {}}}});
      BOOST_REQUIRE(stored.ok() || stored.error().code == Code::stopped);
    }
    const auto waited = log_->wait(Milliseconds(20));
    BOOST_REQUIRE(waited.ok() || worth_retry(waited.error()));
  }
  [[nodiscard]] std::size_t owns() const { return mine_.size(); }
  LogGroup& log() { return *log_; }
  std::function<void(const TopicPartition&)> begun; // a partition became ours, and is read from its stored position; may be empty

 private:
  Seen seen_;
  std::set<TopicPartition> mine_;
  std::unique_ptr<LogGroup> log_;
};

constexpr int kToldTo = 100; // the other process' end of the pipe

// Another process that is a member: this program again, running only the case below, which tells of what it reads through a pipe.
class MemberProcess {
 public:
  using Seen = std::map<std::int32_t, std::set<std::int64_t>>;

  MemberProcess(const std::string& brokers, const std::string& group, const std::string& topic)
  {
    int ends[2];
    BOOST_REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    told_ = ends[0];
    const auto variable = "ATTUNE_TEST_MEMBER=" + brokers + ' ' + group + ' ' + topic;
    const std::array<const char*, 5> arguments{"member", "--run_test=kafka_member", "--log_level=nothing", "--report_level=no",
                                               nullptr};
    std::vector<char*> environment{const_cast<char*>(variable.c_str())};
    for (char** each = environ; *each != nullptr; ++each) environment.push_back(*each);
    environment.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], kToldTo);
    const int failed =
        posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, const_cast<char**>(arguments.data()), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    BOOST_REQUIRE(failed == 0);
    listener_ = std::thread([this] { listen(); });
  }
  ~MemberProcess()
  {
    kill();
    close(told_);
  }
  MemberProcess(const MemberProcess&) = delete;
  MemberProcess& operator=(const MemberProcess&) = delete;

  void kill()
  {
    if (!listener_.joinable()) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    listener_.join();
  }
  [[nodiscard]] int count() const { return count_; }
  // REQUIRES: it was killed.
  [[nodiscard]] const Seen& seen() const { return seen_; }

 private:
  void listen()
  {
    std::int64_t got[2];
    while (read(told_, got, sizeof got) == sizeof got) {
      seen_[static_cast<std::int32_t>(got[0])].insert(got[1]);
      ++count_;
    }
  }

  pid_t pid_ = 0;
  int told_ = -1;
  Seen seen_;
  std::atomic<int> count_{0};
  std::thread listener_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(kafka_log)

// --- Settings and brokers that are not there ----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_setting_the_library_does_not_know_is_refused_by_name)
{
  auto options = options_for(testing::shared_kafka());
  options.properties.emplace_back("linger.sm", "5");
  const auto writer = open_kafka_log_writer(options);
  BOOST_REQUIRE(!writer.ok());
  BOOST_TEST((writer.error().code == Code::config));
  BOOST_TEST(writer.error().message.find("linger.sm") != std::string::npos, writer.error().message);
}

BOOST_AUTO_TEST_CASE(a_setting_that_a_promise_rests_on_is_refused_by_name)
{
  auto options = options_for(testing::shared_kafka());
  options.properties.emplace_back("enable.auto.commit", "true");
  const auto group = open_kafka_log_group(options, "g");
  BOOST_REQUIRE(!group.ok());
  BOOST_TEST((group.error().code == Code::config));
  BOOST_TEST(group.error().message.find("enable.auto.commit") != std::string::npos, group.error().message);
}

BOOST_AUTO_TEST_CASE(a_setting_that_is_given_beats_ours_and_the_last_of_a_name_wins)
{
  auto options = options_for(testing::shared_kafka());
  options.properties.emplace_back("message.max.bytes", "1000000");
  options.properties.emplace_back("message.max.bytes", "2000");
  const TopicPartition at{make_topic(options, 1), 0};
  auto writer = must(open_kafka_log_writer(options));
  const auto appended = append(*writer, at, std::string(3000, 'x'));
  BOOST_REQUIRE(!appended.ok());
  BOOST_TEST((appended.error().code == Code::bad_data));
}

BOOST_AUTO_TEST_CASE(every_call_to_brokers_that_are_not_there_ends_with_where_and_why)
{
  auto options = options_for("127.0.0.1:1");
  options.limit = Milliseconds(1500);
  const TopicPartition at{"t", 0};
  std::vector<Status> failed;
  const auto keep = [&](const auto& result) { failed.push_back(result.ok() ? Status() : Status(result.error())); };
  struct Nobody : GroupListener {
    void assigned(const std::vector<TopicPartition>&) override {}
    void revoked(const std::vector<TopicPartition>&, bool) override {}
  } nobody;
  keep(append(*must(open_kafka_log_writer(options)), at, "v"));
  keep(must(open_kafka_log_reader(options))->topics());
  keep(must(open_kafka_log_reader(options))->ends(at));
  keep(must(open_kafka_log_group(options, "g"))->join({"t"}, nobody));
  keep(must(open_kafka_log_group(options, "g"))->stored(at));
  keep(must(open_kafka_log_admin(options))->describe());
  keep(must(open_kafka_log_admin(options))->create({"t", 1, 1, {}, {}, false}));
  for (const auto& status : failed) {
    BOOST_REQUIRE(!status.ok());
    BOOST_TEST((status.error().code == Code::unreachable));
    BOOST_TEST(status.error().message == "kafka://127.0.0.1:1: connect: Connection refused");
  }
}

BOOST_AUTO_TEST_CASE(the_log_of_the_library_goes_to_who_asked_for_it)
{
  auto options = options_for("127.0.0.1:1");
  options.limit = Milliseconds(500);
  std::mutex mutex;
  std::string lines;
  options.log = [&](std::string_view line) {
    std::lock_guard lock(mutex);
    lines += line;
  };
  {
    auto reader = must(open_kafka_log_reader(options));
    BOOST_TEST(!reader->topics().ok());
  }
  BOOST_TEST(lines.find("Connection refused") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_topic_that_is_not_there_is_refused_by_the_first_append)
{
  auto writer = must(open_kafka_log_writer(options_for(testing::shared_kafka())));
  const auto name = fresh_name("nowhere");
  const auto appended = append(*writer, {name, kPartitionByKey}, "v");
  BOOST_REQUIRE(!appended.ok());
  BOOST_TEST((appended.error().code == Code::usage));
  BOOST_TEST(appended.error().message.find(name) != std::string::npos, appended.error().message);
}

BOOST_AUTO_TEST_CASE(a_partition_that_is_not_there_is_refused)
{
  const auto options = options_for(testing::shared_kafka());
  const auto topic = make_topic(options, 1);
  auto writer = must(open_kafka_log_writer(options));
  const auto appended = append(*writer, {topic, 7}, "v");
  const auto flushed = writer->flush(log_under_test().patience);
  BOOST_REQUIRE(!appended.ok() || !flushed.ok());
  BOOST_TEST(((appended.ok() ? flushed : appended).error().code == Code::usage));
}

BOOST_AUTO_TEST_CASE(topics_keep_the_settings_that_alter_does_not_speak_of)
{
  const auto options = options_for(testing::shared_kafka());
  const auto topic = make_topic(options, 1);
  const auto config_of = [&](rd_kafka_t* handle) {
    auto* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
    auto* queue = rd_kafka_queue_new(handle);
    rd_kafka_DescribeConfigs(handle, &resource, 1, nullptr, queue);
    auto* event = rd_kafka_queue_poll(queue, 60'000);
    std::size_t count = 0;
    const auto* resources = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
    std::size_t entries = 0;
    const auto* all = rd_kafka_ConfigResource_configs(resources[0], &entries);
    std::map<std::string, std::string> config;
    for (std::size_t i = 0; i < entries; ++i)
      if (const char* value = rd_kafka_ConfigEntry_value(all[i])) config[rd_kafka_ConfigEntry_name(all[i])] = value;
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(resource);
    return config;
  };
  auto* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", options.brokers.c_str(), nullptr, 0);
  auto* handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
  auto* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  rd_kafka_ConfigResource_set_config(resource, "max.message.bytes", "654321");
  auto* queue = rd_kafka_queue_new(handle);
  rd_kafka_AlterConfigs(handle, &resource, 1, nullptr, queue);
  auto* event = rd_kafka_queue_poll(queue, 60'000);
  BOOST_REQUIRE(event != nullptr && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_ConfigResource_destroy(resource);
  BOOST_REQUIRE(eventually([&] { return config_of(handle)["max.message.bytes"] == "654321"; }));

  TopicSettings settings{topic, 1, 1, std::chrono::hours(3), {}, false};
  must(must(open_kafka_log_admin(options))->alter(settings));
  BOOST_TEST(eventually([&] { return config_of(handle)["retention.ms"] == "10800000"; }));
  BOOST_TEST(config_of(handle)["max.message.bytes"] == "654321");
  rd_kafka_destroy(handle);
}

BOOST_AUTO_TEST_CASE(positions_are_not_stored_past_the_members_of_a_group)
{
  const auto options = options_for(testing::shared_kafka());
  const auto topic = make_topic(options, 1);
  const auto group = fresh_name("group");
  Follower follower(options, group, topic, [](const auto&, auto) {});
  BOOST_REQUIRE(eventually([&] { return follower.pump(), follower.owns() == 1; }));
  const auto stored = must(open_kafka_log_admin(options))->store_positions(group, {{{topic, 0}, {5, ""}}});
  BOOST_REQUIRE(!stored.ok());
  BOOST_TEST((stored.error().code == Code::busy));
}

// --- Members ------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_member_that_leaves_before_it_was_assigned_anything_leaves)
{
  const auto options = options_for(testing::shared_kafka());
  const auto topic = make_topic(options, 2);
  for (int i = 0; i < 10; ++i) {
    Follower follower(options, fresh_name("group"), topic, [](const auto&, auto) {});
    for (int pumped = 0; pumped < i; ++pumped) follower.pump();
    must(follower.log().leave());
  }
}

BOOST_AUTO_TEST_CASE(a_partition_added_to_a_topic_is_assigned)
{
  const auto options = options_for(testing::shared_kafka());
  const auto topic = make_topic(options, 1);
  Follower follower(options, fresh_name("group"), topic, [](const auto&, auto) {});
  BOOST_REQUIRE(eventually([&] { return follower.pump(), follower.owns() == 1; }));
  must(must(open_kafka_log_admin(options))->alter({topic, 3, 1, {}, {}, false}));
  BOOST_TEST(eventually([&] { return follower.pump(), follower.owns() == 3; }));
}

BOOST_AUTO_TEST_CASE(when_a_member_is_killed_the_other_goes_on_from_the_stored_positions_and_nothing_is_lost)
{
  constexpr int kPartitions = 4;
  constexpr int kMore = 1500;
  const auto options = options_for(testing::shared_kafka());
  const auto topic = make_topic(options, kPartitions);
  const auto group = fresh_name("group");
  std::map<std::int32_t, std::set<std::int64_t>> seen;
  std::map<std::int32_t, std::int64_t> last;
  // Of each turn at a partition: one that was lost before its position was stored is read again from there.
  std::map<std::int32_t, std::int64_t> last_of_turn;
  bool out_of_order = false;
  Follower follower(options, group, topic, [&](const TopicPartition& at, std::int64_t offset) {
    seen[at.partition].insert(offset);
    out_of_order |= last_of_turn.contains(at.partition) && last_of_turn[at.partition] >= offset;
    last[at.partition] = last_of_turn[at.partition] = offset;
  });
  follower.begun = [&](const TopicPartition& at) { last_of_turn.erase(at.partition); };
  MemberProcess other(options.brokers, group, topic);

  auto writer = must(open_kafka_log_writer(options));
  int appended = 0;
  const auto append_some = [&](int count) {
    for (int i = 0; i < count; ++i, ++appended)
      for (int p = 0; p < kPartitions; ++p) must(append(*writer, {topic, p}, std::to_string(appended)));
  };
  // It is killed while it has partitions, has read of them, and there is more to read.
  BOOST_REQUIRE(eventually([&] {
    append_some(5);
    follower.pump();
    return follower.owns() == kPartitions / 2 && other.count() > 0;
  }));
  append_some(kMore);
  other.kill();
  append_some(kMore);
  must(writer->flush(log_under_test().patience));

  BOOST_TEST(eventually([&] {
    follower.pump();
    return last.size() == kPartitions &&
           std::all_of(last.begin(), last.end(), [&](const auto& one) { return one.second == appended - 1; });
  }));
  BOOST_TEST(!out_of_order);
  for (int p = 0; p < kPartitions; ++p) {
    const auto found = other.seen().find(p);
    const auto seen_by_other = found == other.seen().end() ? std::set<std::int64_t>() : found->second;
    std::size_t lost = 0;
    std::size_t twice = 0;
    for (std::int64_t offset = 0; offset < appended; ++offset) {
      const bool ours = seen[p].contains(offset);
      const bool theirs = seen_by_other.contains(offset);
      lost += !ours && !theirs;
      twice += ours && theirs;
    }
    BOOST_TEST(lost == 0u);
    // At most what had been read and not yet stored when the partition changed hands, to the other and back: one read each.
    BOOST_TEST(twice <= 200u, "partition " << p << ": " << twice << " records were read again");
  }
}

// --- A broker that goes away --------------------------------------------------------------------------------------------

// Appends numbers, some every 20 ms, and counts what becomes of them.
class Appender {
 public:
  Appender(LogWriter& writer, TopicPartition at, int records) : writer_(writer), at_(std::move(at)), records_(records)
  {
    thread_ = std::thread([this] { run(); });
  }
  ~Appender()
  {
    stop_ = true;
    join();
  }
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  void join()
  {
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] int settled() const { return settled_; }
  [[nodiscard]] std::string first_failure()
  {
    std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  void run()
  {
    for (int i = 0; i < records_ && !stop_; ++i) {
      const auto appended = append(writer_, at_, std::to_string(i),
                                   [this](const Result<Placed>& placed) { settle(placed.ok() ? "" : placed.error().message); });
      if (!appended.ok()) settle(appended.error().message);
      if (i % 100 == 0) std::this_thread::sleep_for(Milliseconds(20));
    }
  }
  void settle(const std::string& failure)
  {
    std::lock_guard lock(mutex_);
    if (failure_.empty()) failure_ = failure;
    ++settled_;
  }

  LogWriter& writer_;
  const TopicPartition at_;
  const int records_;
  std::atomic<bool> stop_{false};
  std::atomic<int> settled_{0};
  std::mutex mutex_;
  std::string failure_;
  std::thread thread_;
};

BOOST_AUTO_TEST_CASE(what_is_appended_while_the_broker_restarts_is_delivered_once_and_in_order)
{
  testing::KafkaServer server;
  auto options = options_for(server.brokers());
  const TopicPartition at{make_topic(options, 1), 0};
  auto writer = must(open_kafka_log_writer(options));
  constexpr int kRecords = 30'000;
  Appender appender(*writer, at, kRecords);
  const auto some_more = [&] {
    const int before = appender.settled();
    BOOST_REQUIRE_MESSAGE(eventually([&] { return appender.settled() > before + 500 || appender.settled() == kRecords; }),
                          before << " were delivered, then " << appender.settled() << "; " << appender.first_failure());
  };
  some_more();
  server.stop();
  server.start();
  some_more();
  server.kill();
  server.start();
  appender.join();
  must(writer->flush(log_under_test().patience));
  BOOST_TEST(appender.first_failure() == "");
  BOOST_TEST(appender.settled() == kRecords);
  const auto values = values_of(options, at);
  BOOST_REQUIRE_EQUAL(values.size(), static_cast<std::size_t>(kRecords));
  for (int i = 0; i < kRecords; ++i) BOOST_REQUIRE_EQUAL(values[i], std::to_string(i));
}

BOOST_AUTO_TEST_CASE(what_is_appended_while_the_broker_is_away_is_durable_in_the_spool_and_comes_in_order_when_it_is_back)
{
  testing::KafkaServer server;
  testing::Scratch scratch;
  auto options = options_for(server.brokers());
  options.limit = Milliseconds(3000);
  const TopicPartition at{make_topic(options, 1), 0};
  const TopicPartition not_met{make_topic(options, 1), 0}; // the writer asks for it when nobody answers
  SpoolOptions patience;
  patience.patience = Milliseconds(500);
  auto spool = must(open_spool(scratch.path(), must(open_kafka_log_writer(options)), patience));
  std::atomic<int> straight{0}, spooled{0}, failed{0};
  int appended = 0;
  const auto append_more = [&](const TopicPartition& to, int count) {
    for (int i = 0; i < count; ++i)
      must(append(*spool, to, std::to_string(appended++), [&](const Result<Placed>& placed) {
        ++(!placed.ok() ? failed : placed.value().partition >= 0 ? straight : spooled);
      }));
  };
  append_more(at, 1000);
  must(spool->flush(log_under_test().patience));
  BOOST_TEST(straight + spooled == 1000); // a slow machine may find the broker away for a moment
  BOOST_TEST(eventually([&] { return !spool->spooling(); }));

  const int spooled_before = spooled;
  server.stop();
  const auto start = SteadyClock::now();
  append_more(at, 500);
  append_more(not_met, 1000);
  append_more(at, 1500);
  BOOST_TEST((SteadyClock::now() - start < options.limit)); // nobody waits for a broker
  must(spool->flush(log_under_test().patience));
  BOOST_TEST(spooled == spooled_before + 3000);
  BOOST_TEST(spool->spooling());
  BOOST_TEST(spool->waiting() == 3000u);

  server.start();
  BOOST_TEST(eventually([&] { return !spool->spooling(); }));
  append_more(at, 1000);
  must(spool->flush(log_under_test().patience));
  BOOST_TEST(straight + spooled == 5000);
  BOOST_TEST(failed == 0);
  std::set<std::string> seen;
  int newest = -1;
  for (const auto& topic : {at, not_met}) {
    for (const auto& value : values_of(options, topic)) {
      if (!seen.insert(value).second) continue; // from the writer's own queue, and from the spool
      BOOST_REQUIRE(std::stoi(value) > newest);
      newest = std::stoi(value);
    }
    newest = -1;
  }
  BOOST_TEST(seen.size() == static_cast<std::size_t>(appended));
}

BOOST_AUTO_TEST_CASE(readers_and_members_say_so_while_the_broker_is_away_and_go_on_when_it_is_back)
{
  testing::KafkaServer server;
  auto options = options_for(server.brokers());
  options.limit = Milliseconds(3000);
  const auto topic = make_topic(options, 2);
  auto writer = must(open_kafka_log_writer(options));
  auto reader = must(open_kafka_log_reader(options));
  must(reader->seek({topic, 0}, 0));
  std::set<std::string> seen;
  Follower follower(options, fresh_name("group"), topic, [&](const TopicPartition& at, std::int64_t offset) {
    seen.insert(to_string(at) + ":" + std::to_string(offset));
  });
  const auto append_to_both = [&] {
    for (int p = 0; p < 2; ++p) must(append(*writer, {topic, p}, "v"));
    must(writer->flush(log_under_test().patience));
  };
  std::size_t read = 0;
  const auto reads = [&] {
    const auto block = reader->read({topic, 0}, 10);
    if (block.ok() && block.value()) read += block.value()->records.size();
    return block.ok();
  };
  append_to_both();
  BOOST_REQUIRE(eventually([&] { return follower.pump(), reads() && seen.size() == 2 && read == 1; }));

  server.stop();
  BOOST_TEST(eventually([&] {
    const auto waited = reader->wait(Milliseconds(200));
    return !waited.ok() && waited.error().code == Code::unreachable;
  }));
  BOOST_TEST(eventually([&] {
    const auto stored = follower.log().store({{{topic, 0}, {1, "n"}}});
    return !stored.ok() && stored.error().code == Code::unreachable;
  }));

  server.start();
  append_to_both();
  BOOST_TEST(eventually([&] { return follower.pump(), reads() && seen.size() == 4 && read == 2; }));
  BOOST_TEST(eventually([&] { return reader->wait(Milliseconds(20)).ok(); }));
  BOOST_TEST(eventually([&] { return follower.log().store({{{topic, 0}, {2, "n"}}}).ok(); }));
}

BOOST_AUTO_TEST_CASE(leaving_a_group_whose_broker_is_gone_ends)
{
  testing::KafkaServer server;
  auto options = options_for(server.brokers());
  options.limit = Milliseconds(2000);
  const auto topic = make_topic(options, 1);
  Follower follower(options, fresh_name("group"), topic, [](const auto&, auto) {});
  BOOST_REQUIRE(eventually([&] { return follower.pump(), follower.owns() == 1; }));
  server.pause();
  const auto start = SteadyClock::now();
  const auto left = follower.log().leave();
  BOOST_TEST((SteadyClock::now() - start < log_under_test().patience));
  BOOST_TEST((left.ok() || worth_retry(left.error())));
  BOOST_TEST(follower.owns() == 0u);
  server.resume();
}

BOOST_AUTO_TEST_SUITE_END()

// Not a test: what MemberProcess runs.
BOOST_AUTO_TEST_SUITE(kafka_member, *boost::unit_test::disabled())

BOOST_AUTO_TEST_CASE(follows_until_it_is_killed)
{
  const char* text = std::getenv("ATTUNE_TEST_MEMBER");
  BOOST_REQUIRE(text != nullptr);
  std::istringstream words(text);
  std::string brokers;
  std::string group;
  std::string topic;
  words >> brokers >> group >> topic;
  Follower follower(options_for(brokers), group, topic, [](const TopicPartition& at, std::int64_t offset) {
    const std::int64_t seen[2] = {at.partition, offset};
    if (write(kToldTo, seen, sizeof seen) != sizeof seen) std::_Exit(1);
  });
  for (;;) follower.pump();
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune::contract
