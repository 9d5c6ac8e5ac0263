// The topics of an embedded log: their names, directories and settings.json. ERRORS: io, and those named.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/durable_file.h"
#include "adapters/file_log.h"

namespace attune {

// As Kafka: letters, digits, '.', '_', '-'; 1 to 249 of them; and not beginning with '.', which is the log's own. ERRORS: usage.
[[nodiscard]] Status check_topic_name(std::string_view topic);

// Sorted.
[[nodiscard]] Result<std::vector<std::string>> list_topics(const std::string& dir);
// Nothing: there is no such topic. ERRORS: config: settings.json can not be understood.
[[nodiscard]] Result<std::optional<TopicSettings>> read_topic_settings(const std::string& dir, const std::string& topic);
// ERRORS: busy: it exists; usage: its name or numbers can not be.
[[nodiscard]] Status create_topic(const std::string& dir, const TopicSettings& settings, const FileSync& sync);
// ERRORS: usage: there is no such topic, or fewer partitions.
[[nodiscard]] Status alter_topic(const std::string& dir, const TopicSettings& settings, const FileSync& sync);

} // namespace attune
