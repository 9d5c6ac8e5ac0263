// Fetching: what a Kafka reader and a member of a Kafka group have in common. Partitions are fetched by librdkafka in the background,
// each into a queue of its own, and taken from there without waiting. Private to the Kafka adapters; the contract is that of LogReader.
//
// A partition is started by seek() and stopped by stop(). librdkafka must hear of both in one step while a rebalance is being answered,
// so between hold() and release() they are only noted.
//
// Thread rule: one thread, but wake() from any. Blocks may outlive the fetcher and be dropped on any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "adapters/kafka_client.h"

namespace attune::kafka {

// How a fetcher's handle is made.
struct FetchMode {
  bool member = false; // of a group
  bool prods_itself = false; // the library looks by itself when a queue that was full has room again
};
// The settings of everything that fetches; `group` empty: nobody's member.
[[nodiscard]] Settings fetcher_settings(const std::string& group, FetchMode* mode);

class EventFd {
 public:
  EventFd();
  ~EventFd();
  EventFd(const EventFd&) = delete;
  EventFd& operator=(const EventFd&) = delete;

  void raise() const;
  // Makes librdkafka raise it when the queue stops being empty.
  void watch(rd_kafka_queue_t* queue) const;
  static void unwatch(rd_kafka_queue_t* queue);
  // Waits until it was raised or `limit` has passed, and lowers it.
  void wait(Milliseconds limit) const;

 private:
  int fd_;
};

class Fetcher {
 public:
  Fetcher(std::shared_ptr<Client> client, FetchMode mode);
  ~Fetcher();

  Result<std::vector<TopicPartition>> partitions(std::span<const std::string> topics);
  Result<std::vector<std::string>> topics();
  Result<PartitionEnds> ends(const TopicPartition& at);
  Result<std::int64_t> offset_at(const TopicPartition& at, Timestamp time);

  Status seek(const TopicPartition& at, std::int64_t offset);
  void stop(const TopicPartition& at);
  Result<RecordBlockPtr> read(const TopicPartition& at, std::size_t max);
  bool caught_up(const TopicPartition& at);
  // Serves librdkafka's main queue, and with it the rebalance callback.
  Status wait(Milliseconds limit);
  void wake() { signal_.raise(); }

  void hold() { held_ = true; }
  // Tells librdkafka what changed meanwhile. A rebalance that gives must be answered by an assign, one that takes by an unassign, of
  // nothing if need be.
  enum class Answer { assign, unassign };
  Status release(Answer answer);

 private:
  struct Part {
    QueuePtr queue;
    std::int64_t next = 0; // nothing below it is handed out
    bool to_start = false; // librdkafka has not heard of it, or should begin anew at `next`
    bool at_end = false; // the last thing the queue held was the end of the partition
    bool unread = true; // the queue may hold something that no event will tell of
    bool was_full = false; // librdkafka paused fetching, since the queue was full
    std::optional<Error> failed; // until the next seek
  };

  Part* part_at(const TopicPartition& at);
  Status apply(std::optional<Answer> answer);
  Status serve();
  Status look_for_brokers(Milliseconds limit);
  void prod(const TopicPartition& at, Part& part);
  bool take_unread();
  Error failure(const TopicPartition& at, const Part& part, const rd_kafka_message_t& message);
  Error gap(const TopicPartition& at, std::int64_t next);

  std::shared_ptr<Client> client_;
  const FetchMode mode_;
  EventFd signal_;
  QueuePtr main_;
  std::map<TopicPartition, Part> parts_;
  std::set<TopicPartition> started_; // what librdkafka was told to fetch
  bool held_ = false;
  std::vector<rd_kafka_message_t*> taken_; // scratch
};

// LogReader's members, for a port that is one.
template <class Port>
class Reading : public Port {
 public:
  Result<std::vector<TopicPartition>> partitions(std::span<const std::string> topics) override
  {
    return fetcher().partitions(topics);
  }
  Result<std::vector<std::string>> topics() override { return fetcher().topics(); }
  Result<PartitionEnds> ends(const TopicPartition& at) override { return fetcher().ends(at); }
  Result<std::int64_t> offset_at(const TopicPartition& at, Timestamp time) override { return fetcher().offset_at(at, time); }
  Status seek(const TopicPartition& at, std::int64_t offset) override { return fetcher().seek(at, offset); }
  void stop(const TopicPartition& at) override { fetcher().stop(at); }
  Result<RecordBlockPtr> read(const TopicPartition& at, std::size_t max) override { return fetcher().read(at, max); }
  bool caught_up(const TopicPartition& at) override { return fetcher().caught_up(at); }
  Status wait(Milliseconds limit) override { return fetcher().wait(limit); }
  void wake() override { fetcher().wake(); }

 protected:
  virtual Fetcher& fetcher() = 0;
};

} // namespace attune::kafka
