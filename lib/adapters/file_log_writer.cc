// The writer of an embedded log: append() puts the record's line into the queue of its partition; commit threads, to which the
// partitions are dealt, take all that is there, append it with one fdatasync, and tell. So a batch is what came in while the disk
// was busy with the one before: one record when it is quiet, thousands in bulk, and nothing ever waits for a batch to fill.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "adapters/envelope.h"
#include "adapters/file_log.h"
#include "adapters/file_log_appender.h"
#include "adapters/file_log_cleaning.h"
#include "adapters/file_log_topics.h"
#include "adapters/partitioner.h"

namespace attune {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr Milliseconds kSettingsAge = std::chrono::seconds(1); // how long another process' alter may go unnoticed
constexpr std::size_t kStickyRecords = 256; // so many records without a key go to one partition before the next takes its turn

// What a failed writer says, and what is pending, for all commit threads together.
class WriterState {
 public:
  explicit WriterState(std::int64_t queue_bytes) : queue_bytes_(queue_bytes) {}

  // Waits for room. ERRORS: that of the writer's end.
  Status reserve(std::int64_t bytes)
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ || pending_ == 0 || pending_ + bytes <= queue_bytes_; });
    if (ended_) {
      return *ended_;
    }
    pending_ += bytes;
    return {};
  }
  void release(std::int64_t bytes)
  {
    const std::lock_guard lock(mutex_);
    pending_ -= bytes;
    changed_.notify_all();
  }
  void end(const Error& error)
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      ended_ = error;
    }
    changed_.notify_all();
  }
  [[nodiscard]] std::optional<Error> ended() const
  {
    const std::lock_guard lock(mutex_);
    return ended_;
  }
  void delivery_failed(const Error& error)
  {
    const std::lock_guard lock(mutex_);
    ++failed_;
    failing_.store(true, std::memory_order_relaxed);
    if (!first_failure_) {
      first_failure_ = error;
    }
  }
  [[nodiscard]] std::uint64_t failed() const
  {
    const std::lock_guard lock(mutex_);
    return failed_;
  }
  [[nodiscard]] bool failing() const { return failing_.load(std::memory_order_relaxed); }
  [[nodiscard]] Status take_first_failure()
  {
    const std::lock_guard lock(mutex_);
    failing_.store(false, std::memory_order_relaxed);
    return first_failure_ ? Status(*std::exchange(first_failure_, std::nullopt)) : Status();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t pending_ = 0;
  std::int64_t queue_bytes_;
  std::optional<Error> ended_;
  std::uint64_t failed_ = 0; // deliveries, ever
  std::optional<Error> first_failure_; // since the last flush
  std::atomic<bool> failing_{false}; // there is one
};

// What is known of topics, read again when it is old. Shared by callers and commit threads.
class TopicTable {
 public:
  explicit TopicTable(const FileLogOptions& options) : options_(options) {}

  // Both make the topic when there is none.
  Result<TopicSettings> settings(std::string_view topic)
  {
    const std::lock_guard lock(mutex_);
    const auto known = find(topic);
    return known.ok() ? Result<TopicSettings>((*known)->settings) : Result<TopicSettings>(known.error());
  }
  Result<std::int32_t> partitions(std::string_view topic)
  {
    const std::lock_guard lock(mutex_);
    const auto known = find(topic);
    return known.ok() ? Result<std::int32_t>((*known)->settings.partitions) : Result<std::int32_t>(known.error());
  }

 private:
  struct Known {
    TopicSettings settings;
    SteadyClock::time_point read_at;
  };

  Result<const Known*> find(std::string_view topic)
  {
    const auto now = SteadyClock::now();
    const auto known = topics_.find(topic);
    if (known != topics_.end() && now - known->second.read_at < kSettingsAge) {
      return static_cast<const Known*>(&known->second);
    }
    if (auto status = check_topic_name(topic); !status.ok()) {
      return status.error();
    }
    auto settings = read_or_create(std::string(topic));
    if (!settings.ok()) {
      return settings.error();
    }
    return static_cast<const Known*>(&topics_.insert_or_assign(std::string(topic), Known{std::move(*settings), now}).first->second);
  }

  Result<TopicSettings> read_or_create(const std::string& topic)
  {
    for (;;) {
      auto settings = read_topic_settings(options_.dir, topic);
      if (!settings.ok()) {
        return settings.error();
      }
      if (*settings) {
        return std::move(**settings);
      }
      TopicSettings fresh{topic, options_.partitions, 1, options_.retention, options_.retention_bytes, false};
      if (auto status = create_topic(options_.dir, fresh, options_.sync); !status.ok() && status.error().code != Code::busy) {
        return status.error();
      }
    }
  }

  const FileLogOptions& options_;
  std::mutex mutex_;
  std::map<std::string, Known, std::less<>> topics_;
};

// One commit thread and the partitions dealt to it.
class Committer {
 public:
  Committer(const FileLogOptions& options, WriterState& state, TopicTable& topics)
      : options_(options), state_(state), topics_(topics), thread_([this] { run(); })
  {
  }
  ~Committer()
  {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  void put(std::string_view topic, std::int32_t partition, std::string_view tail, PendingRecord record)
  {
    const std::lock_guard lock(mutex_);
    auto& pending = queue_of(topic, partition);
    pending.tails += tail;
    pending.records.push_back(std::move(record));
    ++accepted_;
    if (idle_) {
      changed_.notify_all();
    }
  }
  [[nodiscard]] std::uint64_t accepted()
  {
    const std::lock_guard lock(mutex_);
    return accepted_;
  }
  [[nodiscard]] std::uint64_t untold()
  {
    const std::lock_guard lock(mutex_);
    return accepted_ - told_;
  }
  // Whether the first `count` records put have been told of.
  bool wait_told(std::uint64_t count, SteadyClock::time_point deadline)
  {
    std::unique_lock lock(mutex_);
    return told_changed_.wait_until(lock, deadline, [&] { return told_ >= count; });
  }

 private:
  using Queues = std::map<std::string, std::map<std::int32_t, PendingRecords>, std::less<>>;

  PendingRecords& queue_of(std::string_view topic, std::int32_t partition)
  {
    auto found = queues_.find(topic);
    if (found == queues_.end()) {
      found = queues_.emplace(std::string(topic), std::map<std::int32_t, PendingRecords>()).first;
    }
    return found->second[partition];
  }

  void run()
  {
    std::unique_lock lock(mutex_);
    for (;;) {
      idle_ = true;
      changed_.wait(lock, [&] { return closing_ || told_ < accepted_; });
      idle_ = false;
      if (told_ == accepted_) {
        return;
      }
      Queues taken = std::exchange(queues_, {});
      const std::uint64_t upto = accepted_;
      lock.unlock();
      for (auto& [topic, partitions] : taken) {
        for (auto& [partition, pending] : partitions) {
          commit({topic, partition}, pending);
        }
      }
      lock.lock();
      told_ = upto;
      told_changed_.notify_all();
    }
  }

  void commit(const TopicPartition& at, PendingRecords& pending)
  {
    const Appended appended = append(at, pending);
    std::int64_t offset = appended.first_offset;
    for (std::size_t i = 0; i < pending.records.size(); ++i) {
      const auto& delivered = pending.records[i].delivered;
      if (i < appended.count) {
        if (delivered) {
          delivered(Placed{at.partition, offset});
        }
        ++offset;
        continue;
      }
      state_.delivery_failed(appended.status.error());
      if (delivered) {
        delivered(appended.status.error());
      }
    }
    state_.release(static_cast<std::int64_t>(pending.tails.size()));
  }

  Appended append(const TopicPartition& at, const PendingRecords& pending)
  {
    Appended out;
    if (const auto ended = state_.ended()) {
      out.status = *ended;
      return out;
    }
    const auto settings = topics_.settings(at.topic);
    auto appender = appenders_.find(at);
    if (appender == appenders_.end()) {
      auto opened = settings.ok() ? PartitionAppender::open(options_, at) : settings.error();
      if (!opened.ok()) {
        out.status = opened.error();
        return fail(std::move(out));
      }
      appender = appenders_.emplace(at, std::move(*opened)).first;
    }
    out = appender->second->append(pending, settings.ok() ? settings->retention : std::nullopt);
    if (!out.status.ok()) {
      return fail(std::move(out));
    }
    if (out.sealed_a_segment && settings.ok()) {
      // What could not be cleaned now is tried again when the next segment is sealed; no record depends on it.
      [[maybe_unused]] const auto ignored = clean_partition(appender->second->files(), *settings, options_);
    }
    return out;
  }

  // A partition that is held too long may be free the next time; everything else ends the writer.
  Appended fail(Appended out)
  {
    if (out.status.error().code != Code::busy) {
      state_.end(out.status.error());
    }
    return out;
  }

  const FileLogOptions& options_;
  WriterState& state_;
  TopicTable& topics_;
  std::map<TopicPartition, std::unique_ptr<PartitionAppender>> appenders_; // of the thread alone
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable told_changed_;
  Queues queues_;
  std::uint64_t accepted_ = 0;
  std::uint64_t told_ = 0;
  bool idle_ = false;
  bool closing_ = false;
  std::thread thread_;
};

class FileLogWriter final : public LogWriter {
 public:
  explicit FileLogWriter(const FileLogOptions& options) : options_(options), state_(options_.queue_bytes), topics_(options_)
  {
    for (int i = 0; i < std::max(1, options_.commit_threads); ++i) {
      committers_.push_back(std::make_unique<Committer>(options_, state_, topics_));
    }
  }

  Status append(const OutgoingRecord& record, Delivered delivered) override
  {
    const auto partition = partition_of(record);
    if (!partition.ok()) {
      return partition.error();
    }
    if (record_bytes(record) > options_.max_record_bytes) {
      return Error{Code::bad_data, std::string(record.topic) + ": a record of " + std::to_string(record_bytes(record)) +
                                       " bytes; the log takes " + std::to_string(options_.max_record_bytes)};
    }
    thread_local EnvelopeWriter envelope;
    thread_local std::string tail;
    tail.clear();
    envelope.append_tail(record.key, record.headers, record.value, tail);
    if (auto status = state_.reserve(static_cast<std::int64_t>(tail.size())); !status.ok()) {
      return status;
    }
    PendingRecord pending;
    pending.tail_bytes = tail.size();
    pending.brought_time = record.timestamp.has_value();
    pending.timestamp = pending.brought_time ? *record.timestamp : options_.clock->now();
    pending.delivered = std::move(delivered);
    committer_of(record.topic, *partition).put(record.topic, *partition, tail, std::move(pending));
    return {};
  }

  Status flush(Milliseconds limit) override
  {
    const auto deadline = SteadyClock::now() + limit;
    std::vector<std::uint64_t> accepted;
    for (const auto& committer : committers_) {
      accepted.push_back(committer->accepted());
    }
    for (std::size_t i = 0; i < committers_.size(); ++i) {
      if (!committers_[i]->wait_told(accepted[i], deadline)) {
        return Error{Code::unreachable,
                     "file://" + options_.dir + ": flush: not done after " + std::to_string(limit.count()) + " ms"};
      }
    }
    return state_.take_first_failure();
  }

  std::uint64_t undelivered() const override
  {
    std::uint64_t records = state_.failed();
    for (const auto& committer : committers_) {
      records += committer->untold();
    }
    return records;
  }
  bool delivery_failed() const override { return state_.failing(); }

 private:
  static std::int64_t record_bytes(const OutgoingRecord& record)
  {
    std::size_t bytes = record.key.value_or("").size() + record.value.value_or("").size();
    for (const Header& header : record.headers) {
      bytes += header.name.size() + header.value.value_or("").size();
    }
    return static_cast<std::int64_t>(bytes);
  }

  Result<std::int32_t> partition_of(const OutgoingRecord& record)
  {
    const auto partitions = topics_.partitions(record.topic);
    if (!partitions.ok()) {
      return partitions.error();
    }
    if (record.partition == kPartitionByKey) {
      return record.key ? partition_of_key(*record.key, *partitions)
                        : static_cast<std::int32_t>(keyless_++ / kStickyRecords % static_cast<std::size_t>(*partitions));
    }
    if (record.partition < 0 || record.partition >= *partitions) {
      return Error{Code::usage, to_string(TopicPartition{std::string(record.topic), record.partition}) + ": no such partition"};
    }
    return record.partition;
  }

  Committer& committer_of(std::string_view topic, std::int32_t partition)
  {
    return *committers_[(std::hash<std::string_view>()(topic) + static_cast<std::size_t>(partition)) % committers_.size()];
  }

  FileLogOptions options_;
  WriterState state_;
  TopicTable topics_;
  std::atomic<std::size_t> keyless_{0};
  std::vector<std::unique_ptr<Committer>> committers_; // destroyed first: they deliver what is pending
};

} // namespace

Result<std::unique_ptr<LogWriter>> open_file_log_writer(const FileLogOptions& options)
{
  if (auto status = make_directory(options.dir, options.sync); !status.ok()) {
    return status.error();
  }
  return std::unique_ptr<LogWriter>(std::make_unique<FileLogWriter>(options));
}

} // namespace attune
