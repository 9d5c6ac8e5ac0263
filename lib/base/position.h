// Where a record stands in a log: topic, partition, offset. Core names positions in a model's header, pipeline moves them.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace attune {

struct TopicPartition {
  std::string topic; // whole name, namespace included
  std::int32_t partition = 0;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

struct LogPosition {
  TopicPartition at;
  std::int64_t offset = 0; // of the next record to read
  friend auto operator<=>(const LogPosition&, const LogPosition&) = default;
};

// "cart_events/3", as messages name a partition.
[[nodiscard]] inline std::string to_string(const TopicPartition& at)
{
  return at.topic + "/" + std::to_string(at.partition);
}

} // namespace attune
