// What the Kafka writer, reader, group and admin share: librdkafka's configuration in the making, one handle with its name, its
// time limit and its latest trouble, and the translation of librdkafka's errors. Private to the Kafka adapters.
//
// Thread rule: a Client may be used from any thread, as librdkafka's handles may.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/kafka_log.h"
#include "base/result.h"

namespace attune::kafka {

using SteadyClock = std::chrono::steady_clock;

template <auto destroy>
struct Destroy {
  template <class Handle>
  void operator()(Handle* handle) const
  {
    destroy(handle);
  }
};
using ConfPtr = std::unique_ptr<rd_kafka_conf_t, Destroy<rd_kafka_conf_destroy>>;
using ErrorPtr = std::unique_ptr<rd_kafka_error_t, Destroy<rd_kafka_error_destroy>>;
using EventPtr = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;
using ListPtr = std::unique_ptr<rd_kafka_topic_partition_list_t, Destroy<rd_kafka_topic_partition_list_destroy>>;
using QueuePtr = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using TopicPtr = std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>>;

[[nodiscard]] ListPtr list_of(const std::vector<TopicPartition>& partitions);
[[nodiscard]] ListPtr list_of_positions(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions);
[[nodiscard]] inline TopicPartition at_of(const rd_kafka_topic_partition_t& one)
{
  return {one.topic, one.partition};
}
// For librdkafka's calls, which take an int; never negative, since that would mean for ever.
[[nodiscard]] int as_timeout(Milliseconds time);
[[nodiscard]] Milliseconds left_until(SteadyClock::time_point deadline);

// The kind of failure, as far as callers act on it.
[[nodiscard]] Code code_of(rd_kafka_resp_err_t err);

// librdkafka's settings: ours first, then the properties of KafkaOptions.
class Settings {
 public:
  Settings();
  Settings& set(const char* name, const std::string& value);
  // One that only newer libraries have; whether this one does.
  bool set_if_known(const char* name, const std::string& value);
  [[nodiscard]] rd_kafka_conf_t* get() { return conf_.get(); }
  [[nodiscard]] ConfPtr take() { return std::move(conf_); }

 private:
  ConfPtr conf_;
};

struct TopicInfo {
  std::string topic;
  std::int32_t partitions = 0;
  std::int32_t replication = 0; // of partition 0
  bool has_leaders = false; // every partition has one
};

class Client {
 public:
  static Result<std::shared_ptr<Client>> open(rd_kafka_type_t type, Settings settings, const KafkaOptions& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] rd_kafka_t* handle() const { return handle_; }
  [[nodiscard]] Milliseconds limit() const { return limit_; }
  // Whom the callbacks of librdkafka that get this client as their opaque are for. Set before the first of them can come.
  void set_owner(void* owner) { owner_ = owner; }
  [[nodiscard]] void* owner() const { return owner_; }

  // The client and its handle are never destroyed: where that would abort the process, lost memory is better.
  static void abandon(std::shared_ptr<Client> client);

  // "kafka://db1:9092: WHAT: REASON", with the reason a connection failed where that is what lies behind it.
  [[nodiscard]] Error error(rd_kafka_resp_err_t err, const std::string& what, const std::string& detail = {}) const;
  [[nodiscard]] Error error(Code code, const std::string& what) const { return {code, name_ + ": " + what}; }
  [[nodiscard]] Error error(const rd_kafka_error_t* err, const std::string& what) const;
  // Why the writer or member ended for good; nothing while it has not.
  [[nodiscard]] std::optional<Error> fatal() const;

  // All topics but internal ones, sorted.
  Result<std::vector<TopicInfo>> topics(Milliseconds limit);
  // Whether any broker answers within `limit`. Forgets earlier trouble when one does.
  Status probe(Milliseconds limit);
  // A connection failed since the last probe that was answered.
  [[nodiscard]] bool suspect() const { return suspect_.load(std::memory_order_relaxed); }

  // Repeats a call while it fails with what passes by itself (a coordinator that is loading), until `limit`.
  template <class Call>
  auto retry(Call call) -> decltype(call(Milliseconds{}))
  {
    const auto deadline = SteadyClock::now() + limit_;
    for (;;) {
      auto result = call(left_until(deadline));
      if (result.ok() || !worth_retry(result.error()) || left_until(deadline) <= kRetryPause) return result;
      pause();
    }
  }

 private:
  static constexpr Milliseconds kRetryPause{50};

  explicit Client(const KafkaOptions& options);
  static void pause();
  static void on_log(const rd_kafka_t* handle, int level, const char* facility, const char* line);
  void log_line(int level, std::string_view facility, std::string_view line);
  [[nodiscard]] std::string connection_failure() const;
  void forget_trouble();

  const std::string name_;
  const Milliseconds limit_;
  std::function<void(std::string_view)> log_;
  void* owner_ = nullptr;
  rd_kafka_t* handle_ = nullptr;
  std::atomic<bool> suspect_{false};
  mutable std::mutex mutex_;
  std::string connection_failure_; // of the latest connection that failed; empty: none
};

} // namespace attune::kafka
