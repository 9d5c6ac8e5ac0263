// Places: a URL becomes the adapter that serves it. The one table of schemes, the same for every program (DESIGN section 6):
//
//   --log    kafka://host:9092[,host…]   file:///dir (embedded; `file:dir` is relative to the working directory)
//   --store  redis://…  redis+unix:///path   rocksdb:///dir (embedded)   memory:
//
// In a path %XX stands for a byte. Namespaces: topic and group names are prefixed by the caller; a store prefixes its own keys.
// ERRORS: usage for a scheme or a URL that can not be (the message names it); then those of the adapter.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/store_options.h"
#include "base/clock.h"
#include "pipeline/change_feed.h"
#include "pipeline/ports.h"

namespace attune {

// What a handle is for. at_once: somebody waits for each record. relaxed: nobody does, and many at a time cost less. An embedded log is always
// as quick as it can be.
enum class Haste { usual, at_once, relaxed };

struct LogOptions {
  // `-X name=value`: librdkafka settings, passed through as they stand, the last of a name wins. An embedded log refuses any
  // (usage).
  std::vector<std::pair<std::string, std::string>> settings;
  // How long a call may wait for a peer that does not answer (metadata, positions, the first connection).
  Milliseconds limit = std::chrono::seconds(10);
  Haste haste = Haste::usual;
};

[[nodiscard]] Result<std::unique_ptr<LogWriter>> open_log_writer(std::string_view url, const LogOptions& options);
[[nodiscard]] Result<std::unique_ptr<LogReader>> open_log_reader(std::string_view url, const LogOptions& options);
// REQUIRES: `group` is a whole name, namespace included.
[[nodiscard]] Result<std::unique_ptr<LogGroup>> open_log_group(std::string_view url, std::string_view group,
                                                               const LogOptions& options);
[[nodiscard]] Result<std::unique_ptr<LogAdmin>> open_log_admin(std::string_view url, const LogOptions& options);

// For another log beside the one that `options` were given for: librdkafka's settings only where it is one of Kafka's.
[[nodiscard]] LogOptions options_beside(std::string_view url, LogOptions options);

// Whether a PLACE that may also be a file (--dead-letters, --late) is the URL of a log.
[[nodiscard]] bool is_log_url(std::string_view place);

[[nodiscard]] Result<std::unique_ptr<ProfileStore>> open_store(std::string_view url, const StoreOptions& options);

// Tells of what others write into that store; it connects when it is started. Null for stores that notify nobody: `memory:`, which has no
// others, and RocksDB.
[[nodiscard]] Result<std::unique_ptr<ChangeFeed>> open_change_feed(std::string_view url, const StoreOptions& options,
                                                                   ChangeMode mode);

// The parts of a URL, as far as adapters need them. "redis+unix:///run/r.sock?db=1" -> {"redis+unix", "", "/run/r.sock", "db=1"};
// "file:log" -> {"file", "", "log", ""}. The path is percent-decoded, the rest stands as it came.
struct PlaceUrl {
  std::string scheme;
  std::string authority;
  std::string path;
  std::string query;
};
// Total. ERRORS: usage: no scheme, or a broken percent sequence.
[[nodiscard]] Result<PlaceUrl> parse_place_url(std::string_view url);

} // namespace attune
