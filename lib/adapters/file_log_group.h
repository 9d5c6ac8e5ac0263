// Groups of an embedded log: members, owners and stored positions as files under dir/.groups (adapters/file_log.h).
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "adapters/file_log.h"
#include "pipeline/ports.h"

namespace attune {

// LogAdmin::store_positions. ERRORS: busy: the group has a member; usage: a name that can not be.
[[nodiscard]] Status store_positions_without_members(const FileLogOptions& options, std::string_view group,
                                                     const std::vector<std::pair<TopicPartition, StoredPosition>>& positions);

} // namespace attune
