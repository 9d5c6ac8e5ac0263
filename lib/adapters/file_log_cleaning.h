// Retention and compaction of one partition of an embedded log. Only sealed segments are touched, so appends go on meanwhile; one
// process at a time cleans a partition, another one that comes by leaves it to him.
//
// Retention removes whole segments from the oldest on: while a segment's largest timestamp is older than the retention, and while
// what would stay is still at least retention_bytes. Compaction (instead of retention) rewrites a segment without the records whose
// key has a newer one anywhere in the partition, and without tombstones older than `tombstone_retention`; offsets stay, records
// without a key stay. The new file is durable before it takes the old one's name: a crash leaves one or the other.
#pragma once

#include "adapters/file_log.h"
#include "adapters/file_log_partition.h"
#include "pipeline/ports.h"

namespace attune {

// Thread rule: any. Cost: compaction reads the whole partition and keeps its keys in memory meanwhile. ERRORS: io.
[[nodiscard]] Status clean_partition(const PartitionFiles& files, const TopicSettings& settings, const FileLogOptions& options);

// Removes the sealed segments all of whose records stand before `offset`, whatever their age: for a log with one reader who needs them
// no more. Thread rule and ERRORS as above.
[[nodiscard]] Status remove_before(const PartitionFiles& files, std::int64_t offset);

} // namespace attune
