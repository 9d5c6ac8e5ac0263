// Reading of an embedded log by topic and partition: what a LogReader and a LogGroup of it have in common.
// Thread rule: that of LogReader.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/file_log.h"
#include "adapters/file_log_tail.h"
#include "adapters/file_log_watch.h"
#include "pipeline/ports.h"

namespace attune {

class FileLogReading {
 public:
  static Result<std::unique_ptr<FileLogReading>> open(const FileLogOptions& options);

  [[nodiscard]] const FileLogOptions& options() const { return options_; }
  [[nodiscard]] FileWatch& watch() { return *watch_; }

  // The members of LogReader.
  [[nodiscard]] Result<std::vector<TopicPartition>> partitions(std::span<const std::string> topics) const;
  [[nodiscard]] Result<std::vector<std::string>> topics() const;
  [[nodiscard]] Result<PartitionEnds> ends(const TopicPartition& at) const;
  [[nodiscard]] Result<std::int64_t> offset_at(const TopicPartition& at, Timestamp time) const;
  Status seek(const TopicPartition& at, std::int64_t offset);
  void stop(const TopicPartition& at);
  Result<RecordBlockPtr> read(const TopicPartition& at, std::size_t max);
  bool caught_up(const TopicPartition& at);
  Status wait(Milliseconds limit);

 private:
  explicit FileLogReading(const FileLogOptions& options) : options_(options) {}

  FileLogOptions options_;
  std::unique_ptr<FileWatch> watch_;
  std::map<TopicPartition, std::unique_ptr<PartitionTail>> tails_;
  bool more_at_hand_ = false; // a read left something behind, or a partition was sought: the next wait has no need to wait
};

// A port over it: LogReader itself, or one that extends it.
template <class Port>
class FileLogPort : public Port {
 public:
  explicit FileLogPort(std::unique_ptr<FileLogReading> reading) : reading_(std::move(reading)) {}

  Result<std::vector<TopicPartition>> partitions(std::span<const std::string> topics) override
  {
    return reading_->partitions(topics);
  }
  Result<std::vector<std::string>> topics() override { return reading_->topics(); }
  Result<PartitionEnds> ends(const TopicPartition& at) override { return reading_->ends(at); }
  Result<std::int64_t> offset_at(const TopicPartition& at, Timestamp time) override { return reading_->offset_at(at, time); }
  Status seek(const TopicPartition& at, std::int64_t offset) override { return reading_->seek(at, offset); }
  void stop(const TopicPartition& at) override { reading_->stop(at); }
  Result<RecordBlockPtr> read(const TopicPartition& at, std::size_t max) override { return reading_->read(at, max); }
  bool caught_up(const TopicPartition& at) override { return reading_->caught_up(at); }
  Status wait(Milliseconds limit) override { return reading_->wait(limit); }
  void wake() override { reading_->watch().wake(); }

 protected:
  FileLogReading& reading() { return *reading_; }

 private:
  std::unique_ptr<FileLogReading> reading_;
};

} // namespace attune
