// attune-bench: what run.sh measures and no tool does: event generation, parsing alone, the raw rivals (librdkafka and hiredis without
// attune), the open-loop latency of the pipeline, and the cost of a command. Each prints one JSON object.
//
//   attune-bench events COUNT CUSTOMERS            events of about 200 bytes, customers zipf(0.8), to standard output
//   attune-bench parse FILE                        parse and validate each line again and again for three seconds, one thread
//   attune-bench raw-produce BROKERS NAMESPACE FILE   librdkafka alone, with the adapter's settings, into the topics of the events' types
//   attune-bench raw-consume BROKERS TOPIC COUNT   librdkafka alone
//   attune-bench raw-cas SOCKET PATTERN COUNT      pipelined GET + compare-and-set of the stored blobs, hiredis alone, two connections
//   attune-bench latency LOG STORE RATE SECONDS [-X NAME=VALUE…]   due time → profile acknowledged, open loop
//   attune-bench run COMMAND…                      runs it; wall and CPU seconds, largest resident set
#include <hiredis/hiredis.h>
#include <librdkafka/rdkafka.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <thread>

#include "adapters/kafka_log.h"
#include "adapters/places.h"
#include "core/event_json.h"
#include "pipeline/group_feed.h"
#include "pipeline/ingest.h"

namespace attune {
namespace {

using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point begin)
{
  return std::chrono::duration<double>(Steady::now() - begin).count();
}

// Inverse of the zipf distribution by its cumulative sums.
class Zipf {
 public:
  Zipf(std::size_t n, double s) : sums_(n)
  {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sums_[i] = sum += std::pow(static_cast<double>(i + 1), -s);
  }
  template <class Random>
  std::size_t operator()(Random& random)
  {
    const double at = std::uniform_real_distribution<double>(0, sums_.back())(random);
    return static_cast<std::size_t>(std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

void append_shop_event(std::string& out, std::uint64_t number, std::size_t customer, Timestamp time, std::mt19937_64& random)
{
  char text[512];
  const auto item = random() % 43000;
  const auto kind = random() % 100;
  const int head = std::snprintf(
      text, sizeof text, R"({"id":"%016llx%08llx","time":%lld,"customer":"customer-%06zu","session":"s%06zu-%03llu",)",
      static_cast<unsigned long long>(number * 0x9e3779b97f4a7c15ULL), static_cast<unsigned long long>(number),
      static_cast<long long>(time.ms), customer, customer, static_cast<unsigned long long>(number / 100000 % 1000));
  out.append(text, static_cast<std::size_t>(head));
  int tail = 0;
  if (kind < 60)
    tail = std::snprintf(
        text, sizeof text, R"("type":"view","item":"sku-%05llu","category":"cat-%llu","slot":"home","recommendation":"r%010llu"})",
        static_cast<unsigned long long>(item), static_cast<unsigned long long>(item % 40), static_cast<unsigned long long>(number));
  else if (kind < 80)
    tail = std::snprintf(text, sizeof text,
                         R"("type":"click","item":"sku-%05llu","category":"cat-%llu","slot":"product","recommendation":"r%06llu"})",
                         static_cast<unsigned long long>(item), static_cast<unsigned long long>(item % 40),
                         static_cast<unsigned long long>(number % 1000000));
  else if (kind < 93)
    tail = std::snprintf(
        text, sizeof text,
        R"("type":"cart_add","item":"sku-%05llu","quantity":1,"price":"%llu.99","currency":"EUR","category":"cat-%llu"})",
        static_cast<unsigned long long>(item), static_cast<unsigned long long>(item % 200),
        static_cast<unsigned long long>(item % 40));
  else
    tail = std::snprintf(
        text, sizeof text,
        R"("type":"purchase","order":"o%08llu","currency":"EUR","items":[{"item":"sku-%05llu","quantity":1,"price":"%llu.99"}]})",
        static_cast<unsigned long long>(number), static_cast<unsigned long long>(item),
        static_cast<unsigned long long>(item % 200));
  out.append(text, static_cast<std::size_t>(tail));
}

int events(std::uint64_t count, std::size_t customers)
{
  std::mt19937_64 random(42);
  Zipf zipf(customers, 0.8);
  std::string out;
  const Timestamp begin{1'767'225'600'000};
  for (std::uint64_t i = 0; i < count; ++i) {
    append_shop_event(out, i, zipf(random), begin + Milliseconds(static_cast<std::int64_t>(i * 20)), random);
    out += '\n';
    if (out.size() > 1 << 20) {
      if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size()) return 74;
      out.clear();
    }
  }
  return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() ? 0 : 74;
}

std::vector<std::string> lines_of_file(const char* path)
{
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

int parse(const char* path)
{
  auto lines = lines_of_file(path);
  if (lines.size() > 20000) lines.resize(20000);
  EventParser parser;
  Event event;
  std::uint64_t parsed = 0;
  std::uint64_t bytes = 0;
  const auto begin = Steady::now();
  while (seconds_since(begin) < 3) {
    for (const auto& line : lines) {
      if (!parser.parse(line, event)) return 65;
      bytes += line.size();
    }
    parsed += lines.size();
  }
  std::printf("{\"events_per_s\":%.0f,\"bytes_per_event\":%.0f}\n", static_cast<double>(parsed) / seconds_since(begin),
              static_cast<double>(bytes) / static_cast<double>(parsed));
  return 0;
}

rd_kafka_conf_t* configured(std::initializer_list<std::pair<const char*, std::string>> settings)
{
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char error[512];
  for (const auto& [name, value] : settings)
    if (rd_kafka_conf_set(conf, name, value.c_str(), error, sizeof error) != RD_KAFKA_CONF_OK) {
      std::fprintf(stderr, "%s\n", error);
      std::exit(78);
    }
  return conf;
}

std::string customer_in(const std::string& line)
{
  const auto at = line.find("\"customer\":\"") + 12;
  return line.substr(at, line.find('"', at) - at);
}

// The topic of an event of append_shop_event(), by its type, as pipeline/topics.h routes it.
std::string_view topic_in(const std::string& line)
{
  const auto at = line.find("\"type\":\"") + 8;
  const auto type = std::string_view(line).substr(at, line.find('"', at) - at);
  if (type.starts_with("cart_")) return kCartTopic;
  return type == "purchase" ? kPurchaseTopic : kClicksTopic;
}

// The same records into the same topics with the same settings as KafkaWriter's; what is parsed is parsed before the clock starts.
int raw_produce(const char* brokers, const char* name_space, const char* path)
{
  auto* conf = configured({{"bootstrap.servers", brokers},
                           {"enable.idempotence", "true"},
                           {"acks", "all"},
                           {"linger.ms", std::to_string(KafkaOptions{}.linger.count())},
                           {"compression.type", "lz4"},
                           {"queue.buffering.max.messages", "200000"},
                           {"queue.buffering.max.kbytes", "65536"},
                           {"partitioner", "murmur2_random"}});
  char error[512];
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
  std::map<std::string_view, rd_kafka_topic_t*> topics;
  for (const auto topic : {kClicksTopic, kCartTopic, kPurchaseTopic})
    topics[topic] = rd_kafka_topic_new(producer, in_namespace(name_space, topic).c_str(), nullptr);
  const auto lines = lines_of_file(path);
  std::vector<std::string> keys;
  std::vector<rd_kafka_topic_t*> to;
  for (const auto& line : lines) {
    keys.push_back(customer_in(line));
    to.push_back(topics.at(topic_in(line)));
  }
  const auto begin = Steady::now();
  for (std::size_t i = 0; i < lines.size(); ++i)
    while (rd_kafka_produce(to[i], RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, const_cast<char*>(lines[i].data()), lines[i].size(),
                            keys[i].data(), keys[i].size(), nullptr) != 0)
      rd_kafka_poll(producer, 1);
  rd_kafka_flush(producer, 60000);
  const double seconds = seconds_since(begin);
  std::printf("{\"events_per_s\":%.0f,\"unacknowledged\":%d}\n", static_cast<double>(lines.size()) / seconds,
              rd_kafka_outq_len(producer));
  for (const auto& [name, topic] : topics) rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(producer);
  return 0;
}

int raw_consume(const char* brokers, const char* topic, std::uint64_t count)
{
  auto* conf = configured({{"bootstrap.servers", brokers},
                           {"group.id", "raw-consume"},
                           {"enable.auto.commit", "false"},
                           {"auto.offset.reset", "earliest"},
                           {"queued.min.messages", "1000000"}});
  char error[512];
  rd_kafka_t* consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
  rd_kafka_poll_set_consumer(consumer);
  auto* partitions = rd_kafka_topic_partition_list_new(6);
  const rd_kafka_metadata_t* metadata = nullptr;
  rd_kafka_topic_t* handle = rd_kafka_topic_new(consumer, topic, nullptr);
  if (rd_kafka_metadata(consumer, 0, handle, &metadata, 10000) != RD_KAFKA_RESP_ERR_NO_ERROR) return 69;
  for (int i = 0; i < metadata->topics[0].partition_cnt; ++i)
    rd_kafka_topic_partition_list_add(partitions, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_metadata_destroy(metadata);
  const auto begin = Steady::now();
  rd_kafka_assign(consumer, partitions);
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(consumer);
  std::uint64_t got = 0;
  std::vector<rd_kafka_message_t*> messages(1000);
  while (got < count) {
    const auto n = rd_kafka_consume_batch_queue(queue, 1000, messages.data(), messages.size());
    for (ssize_t i = 0; i < n; ++i) {
      got += messages[static_cast<std::size_t>(i)]->err == 0 ? 1 : 0;
      rd_kafka_message_destroy(messages[static_cast<std::size_t>(i)]);
    }
  }
  std::printf("{\"events_per_s\":%.0f}\n", static_cast<double>(got) / seconds_since(begin));
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_partition_list_destroy(partitions);
  rd_kafka_topic_destroy(handle);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  return 0;
}

// The least anybody does for one event of one customer: read the blob, write a blob of the same size if nobody else has.
int raw_cas(const char* socket, const char* pattern, std::uint64_t count)
{
  constexpr int kConnections = 2;
  constexpr std::size_t kPipeline = 128;
  static const char* const kScript =
      "local h = redis.call('GETRANGE', KEYS[1], 0, 15) if h == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) return 1 end "
      "return 0";
  std::vector<std::string> keys;
  {
    redisContext* redis = redisConnectUnix(socket);
    std::string cursor = "0";
    do {
      auto* reply = static_cast<redisReply*>(redisCommand(redis, "SCAN %s MATCH %s COUNT 10000", cursor.c_str(), pattern));
      cursor = reply->element[0]->str;
      for (std::size_t i = 0; i < reply->element[1]->elements; ++i)
        keys.emplace_back(reply->element[1]->element[i]->str, reply->element[1]->element[i]->len);
      freeReplyObject(reply);
    } while (cursor != "0");
    redisFree(redis);
  }
  if (keys.empty()) return 1;
  std::sort(keys.begin(), keys.end());
  std::atomic<std::uint64_t> bytes{0};
  const auto work = [&](int which) {
    redisContext* redis = redisConnectUnix(socket);
    auto* loaded = static_cast<redisReply*>(redisCommand(redis, "SCRIPT LOAD %s", kScript));
    const std::string sha = loaded->str;
    freeReplyObject(loaded);
    std::mt19937_64 random(static_cast<unsigned>(which));
    Zipf zipf(keys.size(), 0.8);
    std::vector<const std::string*> batch(kPipeline);
    std::vector<redisReply*> got(kPipeline);
    for (std::uint64_t done = 0; done < count / kConnections; done += kPipeline) {
      for (auto& key : batch) key = &keys[zipf(random)];
      for (const auto* key : batch) redisAppendCommand(redis, "GET %b", key->data(), key->size());
      for (auto& reply : got) redisGetReply(redis, reinterpret_cast<void**>(&reply));
      for (std::size_t i = 0; i < kPipeline; ++i) {
        redisAppendCommand(redis, "EVALSHA %s 1 %b %b %b", sha.c_str(), batch[i]->data(), batch[i]->size(), got[i]->str,
                           std::min<std::size_t>(16, got[i]->len), got[i]->str, static_cast<std::size_t>(got[i]->len));
        bytes += static_cast<std::uint64_t>(got[i]->len);
      }
      for (auto* reply : got) freeReplyObject(reply);
      for (std::size_t i = 0; i < kPipeline; ++i) {
        void* reply = nullptr;
        redisGetReply(redis, &reply);
        freeReplyObject(reply);
      }
    }
    redisFree(redis);
  };
  const auto begin = Steady::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < kConnections; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
  std::printf("{\"pairs_per_s\":%.0f,\"bytes_per_blob\":%.0f,\"keys\":%zu}\n", static_cast<double>(count) / seconds_since(begin),
              static_cast<double>(bytes) / static_cast<double>(count), keys.size());
  return 0;
}

class CountingSink final : public DeadLetterSink, public LateSink {
 public:
  Status put(const DeadLetter& letter) override
  {
    std::fprintf(stderr, "%s\n", letter.text().c_str());
    return {};
  }
  Status put(const Event&) override { return {}; }
  Status flush(Milliseconds) override { return {}; }
};

// One thread appends events at their due times, whatever happens behind it; a group feed like attune-profile-update's keeps the profiles;
// an event has arrived when the write of its profile is acknowledged.
int latency(const std::string& log_url, const std::string& store_url, double rate, double seconds, LogOptions log_options)
{
  const auto total = static_cast<std::size_t>(rate * seconds);
  constexpr std::size_t kCustomers = 100'000;
  const std::string prefix = "l" + std::to_string(::getpid()) + "-";
  // Of one millisecond, the event sent later has the larger id.
  const auto id_of = [&prefix](std::size_t number) {
    const auto digits = std::to_string(number);
    return prefix + std::string(9 - digits.size(), '0') + digits;
  };
  std::vector<std::atomic<std::int64_t>> arrived(total);
  std::atomic<std::size_t> missing{total};
  std::atomic<bool> done{false};
  const auto start = Steady::now() + std::chrono::seconds(8); // the group has joined by then
  const auto on_changed = [&](const Profile& profile) {
    const auto now = (Steady::now() - start).count();
    for (const auto& list : profile.recent)
      for (auto kept = list.rbegin(); kept != list.rend(); ++kept) {
        const std::string id(kept->id());
        if (!id.starts_with(prefix)) continue; // of an earlier run
        const auto number = static_cast<std::size_t>(std::strtoull(id.c_str() + prefix.size(), nullptr, 10));
        std::int64_t none = 0;
        if (number >= total || !arrived[number].compare_exchange_strong(none, now)) break;
        --missing;
      }
  };

  StoreOptions store_options;
  auto store = open_store(store_url, store_options);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().message.c_str());
    return 69;
  }
  auto writer = open_log_writer(log_url, log_options);
  auto group = open_log_group(log_url, "bench-latency", log_options);
  if (!writer || !group) {
    std::fprintf(stderr, "%s\n", (!writer ? writer.error() : group.error()).message.c_str());
    return 69;
  }
  CountingSink sink;
  auto ingest = Ingest::start(**store, {}, {&sink, &sink, on_changed}, [&] { (*group)->wake(); });
  FeedOptions options;
  for (const auto topic : {kClicksTopic, kCartTopic, kPurchaseTopic, kIdentityTopic}) options.topics.emplace_back(topic);
  options.stop = [&] { return done.load(); };
  options.say = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  const SystemClock clock;
  GroupFeed feed(**group, **store, **ingest, clock, options);
  std::thread follower([&] {
    if (auto ran = feed.run(); !ran) std::fprintf(stderr, "%s\n", ran.error().message.c_str());
  });

  std::mt19937_64 random(1);
  std::string json;
  std::int64_t worst_slip = 0;
  const std::int64_t begin_ms = SystemClock().now().ms;
  for (std::size_t i = 0; i < total; ++i) {
    const auto due = start + std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 * static_cast<double>(i) / rate));
    std::this_thread::sleep_until(due);
    worst_slip = std::max<std::int64_t>(worst_slip, (Steady::now() - due).count());
    const auto customer = "lc-" + std::to_string(random() % kCustomers);
    json = R"({"id":")" + id_of(i) + R"(","type":"view","time":)" +
           std::to_string(begin_ms + static_cast<std::int64_t>(1e3 * static_cast<double>(i) / rate)) + R"(,"customer":")" +
           customer + R"(","item":"sku-)" + std::to_string(random() % 43000) + R"(","category":"cat-7"})";
    OutgoingRecord record;
    record.topic = kClicksTopic;
    record.key = customer;
    record.value = json;
    if (auto appended = (*writer)->append(record); !appended) {
      std::fprintf(stderr, "%s\n", appended.error().message.c_str());
      return 74;
    }
  }
  const auto patience = Steady::now() + std::chrono::seconds(30);
  while (missing > 0 && Steady::now() < patience) std::this_thread::sleep_for(Milliseconds(10));
  done = true;
  (*group)->wake();
  follower.join();

  std::vector<double> ms;
  for (std::size_t i = 0; i < total; ++i)
    if (arrived[i] != 0) ms.push_back(static_cast<double>(arrived[i]) / 1e6 - 1e3 * static_cast<double>(i) / rate);
  std::sort(ms.begin(), ms.end());
  const auto at = [&](double p) {
    return ms.empty() ? 0 : ms[std::min(ms.size() - 1, static_cast<std::size_t>(p * static_cast<double>(ms.size())))];
  };
  std::printf(R"({"rate":%.0f,"sent":%zu,"lost":%zu,"p50_ms":%.2f,"p99_ms":%.2f,"p999_ms":%.2f,"max_ms":%.2f,"worst_slip_ms":%.2f})"
              "\n",
              rate, total, total - ms.size(), at(.5), at(.99), at(.999), ms.empty() ? 0 : ms.back(),
              static_cast<double>(worst_slip) / 1e6);
  return ms.size() == total ? 0 : 1;
}

int run(char** command)
{
  const auto begin = Steady::now();
  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(command[0], command);
    std::perror(command[0]);
    ::_exit(127);
  }
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  const auto cpu = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  std::fprintf(stderr, "{\"wall_s\":%.3f,\"cpu_s\":%.3f,\"rss_mb\":%.0f,\"status\":%d}\n", seconds_since(begin),
               cpu(usage.ru_utime) + cpu(usage.ru_stime), static_cast<double>(usage.ru_maxrss) / 1024,
               WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "events" && argc == 4) return events(std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10));
  if (what == "parse" && argc == 3) return parse(argv[2]);
  if (what == "raw-produce" && argc == 5) return raw_produce(argv[2], argv[3], argv[4]);
  if (what == "raw-consume" && argc == 5) return raw_consume(argv[2], argv[3], std::strtoull(argv[4], nullptr, 10));
  if (what == "raw-cas" && argc == 5) return raw_cas(argv[2], argv[3], std::strtoull(argv[4], nullptr, 10));
  if (what == "latency" && argc >= 6) {
    LogOptions options;
    for (int i = 6; i + 1 < argc; i += 2) {
      const std::string setting = argv[i + 1];
      options.settings.emplace_back(setting.substr(0, setting.find('=')), setting.substr(setting.find('=') + 1));
    }
    return latency(argv[2], argv[3], std::strtod(argv[4], nullptr), std::strtod(argv[5], nullptr), options);
  }
  if (what == "run" && argc > 2) return run(argv + 2);
  std::fprintf(stderr, "attune-bench: see the head of tests/bench/bench.cc\n");
  return 64;
}
