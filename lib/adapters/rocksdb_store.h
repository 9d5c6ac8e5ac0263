// The embedded profile store: a RocksDB database in a directory, for one writing process.
//
// All handles a process opens on one directory share one database. With StoreOptions::read_only it is opened beside the process that writes
// (a RocksDB secondary), and catches up with it before each read. A second process that would write is refused: `busy`, naming the holder.
// A write is acknowledged once its log is on disk (StoreOptions::sync); calls of several threads share the wait for it.
// Keys: 'i' NAMESPACE → the data half of the incarnation; 'p' NAMESPACE '/' GENERATION '/' CUSTOMER → digest (16 bytes), the moment it
// expires (8, little-endian ms, 0: never), the profile's bytes.
//
// Thread rule: one thread per handle. Memory: StoreOptions::cache_bytes, some 100 MiB for writing, and the filters: 1.25 bytes a profile.
// ERRORS: busy: held by another process; unreachable: read_only, and there is no store; io: a disk that fails ends writing for good.
#pragma once

#include <memory>
#include <string>

#include "adapters/store_options.h"
#include "pipeline/ports.h"

namespace attune {

// Makes the directory when there is none.
[[nodiscard]] Result<std::unique_ptr<ProfileStore>> open_rocksdb_store(const std::string& directory, const StoreOptions& options);

} // namespace attune
