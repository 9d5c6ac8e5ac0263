// What an opener of a profile store may choose; the same for every kind of store. Some kinds have no use for some members.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.h"

namespace attune {

// How a server tells of changes, for kinds of stores that do.
enum class ChangeMode {
  tracking, // Redis: client tracking, nothing to configure
  keyspace, // Redis: keyspace notifications, which its operator turns on
};

struct StoreOptions {
  std::string name_space; // [a-z0-9-]*; stores of different namespaces do not see each other

  std::string password; // at the server, instead of one in the URL; for kinds that have one

  // A profile is gone this long after its last write; nothing: never. A `memory:` store keeps profiles as long as the process lives.
  std::optional<Milliseconds> profile_ttl = std::chrono::hours(24 * 400);

  // How long one call goes on trying to reach a store that is away or busy before it returns the error. 0: one try.
  Milliseconds patience = std::chrono::seconds(2);
  // How long one connect, or one silence of the peer, may last. A call is over after about `patience` (with 0: after `timeout`).
  Milliseconds timeout = std::chrono::seconds(1);

  bool read_only = false; // writes are refused; RocksDB: opened beside the one writing process
  bool sync = true; // RocksDB: a write is acknowledged once it survives a loss of power
  std::size_t cache_bytes = 64 * 1024 * 1024; // RocksDB: memory for blocks that were read
};

} // namespace attune
