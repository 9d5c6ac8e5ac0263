// A log's writer that goes away and comes back, is slow, or ends, as one of Kafka does: it takes records into a queue of its own, a thread
// hands them on in their order, and append() waits once that is full, up to a limit.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pipeline/ports.h"

namespace attune::testing {

class FickleWriter final : public LogWriter {
 public:
  explicit FickleWriter(std::unique_ptr<LogWriter> under, std::size_t most_queued = 1000, Milliseconds limit = Milliseconds(100))
      : under_(std::move(under)), most_queued_(most_queued), limit_(limit), thread_([this] { run(); })
  {
  }
  // What it holds is never delivered.
  ~FickleWriter() override
  {
    change([this] { closing_ = true; });
    thread_.join();
    for (auto& each : queue_)
      if (each.delivered) each.delivered(Error{Code::stopped, "the log: closed"});
  }

  void go_away()
  {
    change([this] { away_ = true; });
  }
  // As go_away(), but it says so.
  void refuse()
  {
    change([this] { away_ = refuses_ = true; });
  }
  void come_back()
  {
    change([this] { away_ = refuses_ = false; });
  }
  void be_slow(Milliseconds a_record)
  {
    change([&] { pause_ = a_record; });
  }
  // For good, what is queued too; or, given a topic, records of that.
  void end(const Error& error, const std::string& topic = "")
  {
    change([&] {
      ended_ = error;
      ended_topic_ = topic;
    });
  }
  void begin_again()
  {
    change([this] { ended_.reset(); });
  }

  Status append(const OutgoingRecord& record, Delivered delivered) override
  {
    std::unique_lock lock(mutex_);
    if (refuses_) return Error{Code::unreachable, "the log: connect: refused"};
    if (!changed_.wait_for(lock, limit_, [&] { return queue_.size() < most_queued_; }))
      return Error{Code::unreachable, "the log: the queue is full and nothing is delivered"};
    if (ended_ && (ended_topic_.empty() || record.topic == ended_topic_)) return *ended_;
    queue_.emplace_back(record, std::move(delivered));
    changed_.notify_all();
    return {};
  }
  Status flush(Milliseconds limit) override { return under_->flush(limit); }
  std::uint64_t undelivered() const override
  {
    const std::lock_guard lock(mutex_);
    return queue_.size() + under_->undelivered();
  }
  bool delivery_failed() const override { return under_->delivery_failed(); }

 private:
  struct Owned {
    Owned(const OutgoingRecord& record, Delivered told)
        : topic(record.topic),
          key(record.key),
          value(record.value),
          partition(record.partition),
          timestamp(record.timestamp),
          delivered(std::move(told))
    {
      for (const auto& header : record.headers) headers.emplace_back(header.name, header.value);
    }
    std::string topic;
    std::optional<std::string> key, value;
    std::int32_t partition;
    std::optional<Timestamp> timestamp;
    std::vector<std::pair<std::string, std::optional<std::string>>> headers;
    Delivered delivered;
  };

  template <class Change>
  void change(Change how)
  {
    const std::lock_guard lock(mutex_);
    how();
    changed_.notify_all();
  }

  void run()
  {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return closing_ || (!away_ && !queue_.empty()); });
      if (closing_) return;
      if (pause_ > Milliseconds(0) && changed_.wait_for(lock, pause_, [this] { return closing_ || away_; })) continue;
      const auto next = std::make_shared<Owned>(std::move(queue_.front()));
      queue_.pop_front();
      const auto ended = ended_topic_.empty() ? ended_ : std::nullopt;
      changed_.notify_all();
      lock.unlock();
      if (ended) {
        if (next->delivered) next->delivered(*ended);
      } else {
        pass_on(*next);
      }
      lock.lock();
    }
  }

  void pass_on(Owned& next)
  {
    std::vector<Header> headers;
    for (const auto& [name, value] : next.headers)
      headers.push_back({name, value ? std::optional<std::string_view>(*value) : std::nullopt});
    OutgoingRecord record;
    record.topic = next.topic;
    record.partition = next.partition;
    if (next.key) record.key = *next.key;
    if (next.value) record.value = *next.value;
    record.headers = headers;
    record.timestamp = next.timestamp;
    const auto delivered = next.delivered;
    const auto taken = under_->append(record, delivered);
    if (!taken && delivered) delivered(taken.error());
  }

  std::unique_ptr<LogWriter> under_;
  const std::size_t most_queued_;
  const Milliseconds limit_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Owned> queue_;
  bool away_ = false, refuses_ = false, closing_ = false;
  Milliseconds pause_{0};
  std::optional<Error> ended_;
  std::string ended_topic_;
  std::thread thread_;
};

} // namespace attune::testing
