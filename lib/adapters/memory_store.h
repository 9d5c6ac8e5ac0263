// A profile store in this process' memory: for tests, pipes and demonstrations. It lives as long as a handle of it does and keeps no time:
// nothing expires. The same name opens the same store; an empty name opens one that only another() shares.
// Thread rule: as ProfileStore. Cost: a copy of the bytes per read and write, under one of 64 locks.
#pragma once

#include <memory>
#include <string_view>

#include "adapters/store_options.h"
#include "pipeline/ports.h"

namespace attune {

[[nodiscard]] std::unique_ptr<ProfileStore> open_memory_store(std::string_view name, const StoreOptions& options);

} // namespace attune
