// The options that mean the same in every program (DESIGN section 6): where the log is, where the store is. Declared once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/places.h"
#include "pipeline/log_range.h"
#include "service/tool.h"

namespace attune {

// --log, --log-password, --namespace, -X.
struct LogPlace {
  std::string url;
  std::string name_space;
  std::vector<std::string> settings; // -X name=value
  std::string password; // of SASL; kafka:// only

  void declare(Command& command, std::string help = "the log: kafka://HOST:PORT or file:///DIR");
  void declare_settings(Command& command); // --log-password and -X alone

  // ERRORS: usage for a namespace or an -X that can not be.
  Status check() const;
  [[nodiscard]] LogOptions options() const;
  [[nodiscard]] std::string name_of(std::string_view topic_or_group) const;
  [[nodiscard]] std::vector<std::string> event_topics() const; // whole names

  // The ranges of these topics (words_of() them, without namespace; none: all event topics). ERRORS: config: there is none of them.
  Result<std::vector<LogRange>> ranges(LogReader& log, const std::vector<std::string>& topics, const std::string& from,
                                       const std::optional<std::string>& to) const;
};

// The words of an option that may be given again and may name several at a time: {"a,b", "c"} is {"a", "b", "c"}.
[[nodiscard]] std::vector<std::string> words_of(const std::vector<std::string>& texts);

// --store, --store-password, --profile-ttl.
struct StorePlace {
  std::string url;
  std::string password; // of a server; instead of the one in the URL
  Milliseconds ttl = std::chrono::hours(24 * 400);

  void declare(Command& command,
               std::string help = "the profiles: redis://HOST:PORT, redis+unix:///SOCKET, rocksdb:///DIR or memory:");
  void declare_password(Command& command); // alone
  Result<std::unique_ptr<ProfileStore>> open(const std::string& name_space, bool read_only = false) const;
  // Null where the store does not tell.
  [[nodiscard]] Result<std::unique_ptr<ChangeFeed>> open_changes(const std::string& name_space, ChangeMode mode) const;

 private:
  [[nodiscard]] StoreOptions options(const std::string& name_space, bool read_only) const;
};

// A moment, as an option's value: RFC 3339, or ms since 1970. ERRORS: usage, the reason alone.
Status parse_time(const std::string& text, std::optional<Timestamp>& out);

// The library of --version whose version decides what can be asked of a broker.
void declare_libraries(Tool& tool);

} // namespace attune
