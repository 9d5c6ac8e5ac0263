#include "adapters/partitioner.h"

#include <librdkafka/rdkafka.h>

#include "base/assert.h"

namespace attune {

std::int32_t partition_of_key(std::string_view key, std::int32_t partitions)
{
  ATTUNE_ASSERT(partitions > 0);
  // librdkafka looks at neither the topic nor the opaques here; an empty key still needs an address, or it counts as no key.
  const char* bytes = key.data() != nullptr ? key.data() : "";
  return rd_kafka_msg_partitioner_murmur2(nullptr, bytes, key.size(), partitions, nullptr, nullptr);
}

} // namespace attune
