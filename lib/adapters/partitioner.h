// The partition of a key: murmur2 as in Kafka's Java client (org.apache.kafka.common.utils.Utils), so that what any producer of the
// ecosystem and we send with one key meets in one partition. Thread rule: pure functions. Cost: one pass over the key.
#pragma once

#include <cstdint>
#include <string_view>

namespace attune {

// REQUIRES: partitions > 0.
[[nodiscard]] std::int32_t partition_of_key(std::string_view key, std::int32_t partitions);

} // namespace attune
