#include "adapters/file_log_reading.h"

#include <algorithm>

#include "adapters/file_log_topics.h"

namespace attune {

Result<std::unique_ptr<FileLogReading>> FileLogReading::open(const FileLogOptions& options)
{
  if (auto status = make_directory(options.dir, options.sync); !status.ok()) {
    return status.error();
  }
  std::unique_ptr<FileLogReading> reading(new FileLogReading(options));
  auto watch = FileWatch::open();
  if (!watch.ok()) {
    return watch.error();
  }
  reading->watch_ = std::move(*watch);
  return reading;
}

Result<std::vector<TopicPartition>> FileLogReading::partitions(std::span<const std::string> topics) const
{
  std::vector<TopicPartition> out;
  for (const auto& topic : topics) {
    const auto settings = read_topic_settings(options_.dir, topic);
    if (!settings.ok()) {
      return settings.error();
    }
    for (std::int32_t p = 0; *settings && p < (*settings)->partitions; ++p) {
      out.push_back({topic, p});
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Result<std::vector<std::string>> FileLogReading::topics() const
{
  return list_topics(options_.dir);
}

Result<PartitionEnds> FileLogReading::ends(const TopicPartition& at) const
{
  const auto tail = PartitionTail::open(options_, at);
  return tail.ok() ? (*tail)->ends() : Result<PartitionEnds>(tail.error());
}

Result<std::int64_t> FileLogReading::offset_at(const TopicPartition& at, Timestamp time) const
{
  const auto tail = PartitionTail::open(options_, at);
  return tail.ok() ? (*tail)->offset_at(time) : Result<std::int64_t>(tail.error());
}

// The watch stands before the first look at the mark: what moves it after that look ends the next wait.
Status FileLogReading::seek(const TopicPartition& at, std::int64_t offset)
{
  auto found = tails_.find(at);
  if (found == tails_.end()) {
    auto tail = PartitionTail::open(options_, at);
    if (!tail.ok()) {
      return tail.error();
    }
    if (auto status = watch_->add_file((*tail)->files().mark_path(), (*tail)->mark_changed()); !status.ok()) {
      return status;
    }
    found = tails_.emplace(at, std::move(*tail)).first;
  }
  found->second->seek(offset);
  more_at_hand_ = true;
  return {};
}

void FileLogReading::stop(const TopicPartition& at)
{
  if (const auto found = tails_.find(at); found != tails_.end()) {
    watch_->remove(found->second->files().mark_path());
    tails_.erase(found);
  }
}

Result<RecordBlockPtr> FileLogReading::read(const TopicPartition& at, std::size_t max)
{
  const auto found = tails_.find(at);
  if (found == tails_.end()) {
    return RecordBlockPtr();
  }
  found->second->trust_the_watch(watch_->look());
  auto block = found->second->read(max);
  more_at_hand_ |= found->second->left_some();
  return block;
}

bool FileLogReading::caught_up(const TopicPartition& at)
{
  const auto found = tails_.find(at);
  if (found == tails_.end()) {
    return false;
  }
  found->second->trust_the_watch(watch_->look());
  return found->second->caught_up();
}

// Once per reason: a caller that does not take what is there, because it has no room, must be able to wait for its own wake().
Status FileLogReading::wait(Milliseconds limit)
{
  const bool at_once = std::exchange(more_at_hand_, false);
  return watch_->wait(at_once ? Milliseconds(0) : limit);
}

} // namespace attune
