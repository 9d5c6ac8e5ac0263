// The profile store in Redis (6.0 or newer; one server or one primary). One string per profile: 16-byte digest, 16-byte nonce, the bytes;
// compare-and-set is one EVALSHA per profile, so keys need never share a slot. Keys: store_names.h. Profiles expire by PX.
//
// Incarnation: `data` is the value of the key NS:incarnation, created by whoever finds none; `run` is the server's run_id. Both are read
// after every connect, before anything else, and `data` again with the first command of every batch.
// What Redis must allow: GET, SET, UNLINK, GETRANGE, EVALSHA, SCRIPT LOAD, SCAN, INFO; maxmemory-policy noeviction.
// Thread rule: one thread per handle; each has a connection of its own. Every call ends after about StoreOptions::patience.
// ERRORS: unreachable and busy once patience is over; config; replaced.
#pragma once

#include <memory>
#include <string_view>

#include "adapters/redis_connection.h"
#include "adapters/store_options.h"
#include "pipeline/ports.h"

namespace attune {

// Connects. ERRORS: also usage for a URL that can not be.
[[nodiscard]] Result<std::unique_ptr<ProfileStore>> open_redis_store(std::string_view url, const StoreOptions& options);

} // namespace attune
