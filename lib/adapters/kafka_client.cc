#include "adapters/kafka_client.h"

#include <syslog.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace attune {

std::string kafka_library_version()
{
  return rd_kafka_version_str();
}

namespace kafka {

namespace {

// Promises rest on these, and some other option or call says what they would say.
constexpr std::array kRefused{"bootstrap.servers",
                              "metadata.broker.list",
                              "group.id",
                              "group.protocol",
                              "enable.auto.commit",
                              "auto.commit.enable",
                              "auto.offset.reset",
                              "enable.auto.offset.store",
                              "enable.partition.eof",
                              "partition.assignment.strategy",
                              "transactional.id"};

Status apply(rd_kafka_conf_t* conf, const std::string& name, const std::string& value)
{
  std::array<char, 512> reason{};
  switch (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size())) {
    case RD_KAFKA_CONF_OK:
      return {};
    case RD_KAFKA_CONF_UNKNOWN:
      return Error{Code::config, "-X " + name + ": librdkafka " + rd_kafka_version_str() + " has no such setting"};
    default:
      return Error{Code::config, "-X " + name + ": " + reason.data()};
  }
}

Status apply_properties(rd_kafka_conf_t* conf, const KafkaOptions& options)
{
  for (const auto& [name, value] : options.properties) {
    if (std::find(kRefused.begin(), kRefused.end(), name) != kRefused.end())
      return Error{Code::config, "-X " + name + ": can not be set, other options or promises rest on it"};
    if (auto applied = apply(conf, name, value); !applied) return applied;
  }
  return {};
}

void log_to_stderr(std::string_view line)
{
  std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

bool asks_for_debug(const KafkaOptions& options)
{
  return std::any_of(options.properties.begin(), options.properties.end(), [](const auto& one) { return one.first == "debug"; });
}

// "[thrd:h:1/bootstrap]: h:1/bootstrap: Connect to ipv4#… failed: Connection refused (after 0ms in state CONNECT)" -> "Connection refused".
std::string reason_of_failure(std::string_view line)
{
  if (line.starts_with("[thrd:"))
    if (const auto end = line.find("]: "); end != line.npos) line.remove_prefix(end + 3);
  if (const auto broker = line.find(": "); broker != line.npos) line.remove_prefix(broker + 2);
  if (const auto after = line.rfind(" (after "); after != line.npos) line = line.substr(0, after);
  if (const auto failed = line.find(" failed: "); line.starts_with("Connect to ") && failed != line.npos)
    line.remove_prefix(failed + 9);
  return std::string(line);
}

// Nobody answered, so that the reason lies in a connection.
bool is_silence(rd_kafka_resp_err_t err)
{
  return err == RD_KAFKA_RESP_ERR__TRANSPORT || err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || err == RD_KAFKA_RESP_ERR__RESOLVE ||
         err == RD_KAFKA_RESP_ERR__TIMED_OUT || err == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE ||
         err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT || err == RD_KAFKA_RESP_ERR__WAIT_COORD ||
         err == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE;
}

std::string in_words(Milliseconds time)
{
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s" : std::to_string(time.count()) + " ms";
}

} // namespace

ListPtr list_of(const std::vector<TopicPartition>& partitions)
{
  ListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const auto& at : partitions) rd_kafka_topic_partition_list_add(list.get(), at.topic.c_str(), at.partition);
  return list;
}

ListPtr list_of_positions(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions)
{
  ListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const auto& [at, position] : positions) {
    auto* one = rd_kafka_topic_partition_list_add(list.get(), at.topic.c_str(), at.partition);
    one->offset = position.offset;
    if (position.note.empty()) continue;
    one->metadata = std::malloc(position.note.size()); // the list frees it
    std::memcpy(one->metadata, position.note.data(), position.note.size());
    one->metadata_size = position.note.size();
  }
  return list;
}

int as_timeout(Milliseconds time)
{
  return static_cast<int>(std::clamp<Milliseconds::rep>(time.count(), 0, 1 << 30));
}

Milliseconds left_until(SteadyClock::time_point deadline)
{
  return std::max(Milliseconds(0), std::chrono::ceil<Milliseconds>(deadline - SteadyClock::now()));
}

Code code_of(rd_kafka_resp_err_t err)
{
  switch (err) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR__NODE_UPDATE:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
      return Code::unreachable;

    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
    case RD_KAFKA_RESP_ERR__CONFLICT:
    case RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
      return Code::busy;

    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
      return Code::usage;

    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
      return Code::bad_data;

    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_REQUEST:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_SECURITY_DISABLED:
      return Code::config;

    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      return Code::gap;

    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_UNKNOWN:
      return Code::io;

    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY:
      return Code::stopped;

    default:
      return Code::internal;
  }
}

Settings::Settings() : conf_(rd_kafka_conf_new()) {}

Settings& Settings::set(const char* name, const std::string& value)
{
  ATTUNE_ASSERT(apply(conf_.get(), name, value).ok());
  return *this;
}

bool Settings::set_if_known(const char* name, const std::string& value)
{
  return apply(conf_.get(), name, value).ok();
}

Client::Client(const KafkaOptions& options) : name_("kafka://" + options.brokers), limit_(options.limit), log_(options.log)
{
  if (!log_ && asks_for_debug(options)) log_ = log_to_stderr;
}

Result<std::shared_ptr<Client>> Client::open(rd_kafka_type_t type, Settings settings, const KafkaOptions& options)
{
  std::shared_ptr<Client> client(new Client(options));
  if (options.brokers.empty()) return client->error(Code::usage, "no broker is named");
  settings.set("bootstrap.servers", options.brokers).set("client.id", options.client_id);
  // A broker that was stopped and started again is met soon; the default waits up to 10 s between attempts.
  settings.set("reconnect.backoff.max.ms", "1000").set("log.connection.close", "false");
  // Some calls of librdkafka wait for as long as a connection may be silent, whatever limit they are given.
  settings.set("socket.timeout.ms", std::to_string(std::clamp<Milliseconds::rep>(options.limit.count(), 1000, 60'000)));
  auto* conf = settings.get();
  rd_kafka_conf_set_opaque(conf, client.get());
  rd_kafka_conf_set_log_cb(conf, on_log);
  if (auto applied = apply_properties(conf, options); !applied) return client->error(applied.error().code, applied.error().message);

  std::array<char, 512> reason{};
  auto owned = settings.take();
  client->handle_ = rd_kafka_new(type, owned.get(), reason.data(), reason.size());
  if (client->handle_ == nullptr) return client->error(Code::config, reason.data());
  owned.release(); // the handle has it
  return client;
}

Client::~Client()
{
  // Consumers that must leave a group have done so by now.
  if (handle_ != nullptr) rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void Client::abandon(std::shared_ptr<Client> client)
{
  static std::mutex mutex;
  static auto& abandoned = *new std::vector<std::shared_ptr<Client>>; // itself never destroyed
  std::lock_guard lock(mutex);
  abandoned.push_back(std::move(client));
}

void Client::pause()
{
  std::this_thread::sleep_for(kRetryPause);
}

void Client::on_log(const rd_kafka_t* handle, int level, const char* facility, const char* line)
{
  static_cast<Client*>(rd_kafka_opaque(handle))->log_line(level, facility, line);
}

void Client::log_line(int level, std::string_view facility, std::string_view line)
{
  // The only place where librdkafka says why a connection failed; it says so before any call has timed out.
  if (facility == "FAIL" && level < LOG_DEBUG) {
    std::lock_guard lock(mutex_);
    connection_failure_ = reason_of_failure(line);
    suspect_.store(true, std::memory_order_relaxed);
  }
  if (log_) log_(std::string(facility) + ": " + std::string(line));
}

std::string Client::connection_failure() const
{
  std::lock_guard lock(mutex_);
  return connection_failure_;
}

Error Client::error(rd_kafka_resp_err_t err, const std::string& what, const std::string& detail) const
{
  Code code = code_of(err);
  if (err == RD_KAFKA_RESP_ERR__FATAL)
    if (auto ended = fatal()) return *ended;
  if (is_silence(err))
    if (const auto failure = connection_failure(); !failure.empty()) {
      // Waiting does not help a wrong password.
      if (failure.find("SASL authentication error") != failure.npos) code = Code::config;
      return error(code, "connect: " + failure);
    }
  std::string reason = detail.empty() ? rd_kafka_err2str(err) : detail;
  if (err == RD_KAFKA_RESP_ERR__TIMED_OUT) reason = "timed out after " + in_words(limit_);
  return error(code, what + ": " + reason);
}

Error Client::error(const rd_kafka_error_t* err, const std::string& what) const
{
  return error(rd_kafka_error_code(err), what, rd_kafka_error_string(err));
}

std::optional<Error> Client::fatal() const
{
  std::array<char, 512> reason{};
  if (rd_kafka_fatal_error(handle_, reason.data(), reason.size()) == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return error(Code::io, std::string("ended for good: ") + reason.data());
}

Result<std::vector<TopicInfo>> Client::topics(Milliseconds limit)
{
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto err = rd_kafka_metadata(handle_, 1, nullptr, &metadata, as_timeout(limit));
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return error(err, "connect");
  forget_trouble();
  std::vector<TopicInfo> topics;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const auto& from = metadata->topics[i];
    const std::string_view name = from.topic;
    if (name.starts_with("__") || from.partition_cnt == 0) continue;
    TopicInfo topic{from.topic, from.partition_cnt, from.partitions[0].replica_cnt, true};
    for (int p = 0; p < from.partition_cnt; ++p) topic.has_leaders = topic.has_leaders && from.partitions[p].leader >= 0;
    topics.push_back(std::move(topic));
  }
  rd_kafka_metadata_destroy(metadata);
  std::sort(topics.begin(), topics.end(), [](const auto& a, const auto& b) { return a.topic < b.topic; });
  return topics;
}

Status Client::probe(Milliseconds limit)
{
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto err = rd_kafka_metadata(handle_, 0, nullptr, &metadata, as_timeout(limit));
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return error(err, "connect");
  rd_kafka_metadata_destroy(metadata);
  forget_trouble();
  return {};
}

void Client::forget_trouble()
{
  std::lock_guard lock(mutex_);
  suspect_.store(false, std::memory_order_relaxed);
  connection_failure_.clear();
}

} // namespace kafka
} // namespace attune
