// Topics: which topics attune uses and how they are kept (DESIGN section 3), and what a log lacks of that.
//
// What was not asked for is only for topics that are created: a topic that is there keeps its partitions, replication and retention, so that
// running attune-init again undoes nobody's settings. Two rules hold always: catalog_items is compacted; customer_identity and
// attune_late_events are kept at least as long as any other, or a rebuild would meet events whose customer it can not know, or lack some.
//
// Thread rule: functions without state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/ports.h"

namespace attune {

struct TopicWishes {
  std::string name_space;
  std::optional<std::int32_t> partitions; // of the topics of events; the others have one
  std::optional<std::int32_t> replication;
  std::optional<std::optional<Milliseconds>> retention; // holding nothing: for ever
};

struct TopicReport {
  enum class State {
    as_wanted,
    created,
    altered,
    missing, // only with Init::check
    differs,
  };
  State state = State::as_wanted;
  TopicSettings now; // of a missing one: as it would be
  std::vector<std::string> differences; // "partitions: 3, wanted 6"; of altered ones: what it was
};

// All topics of a namespace as they should be, given what the log has.
[[nodiscard]] std::vector<TopicSettings> wanted_topics(const TopicWishes& wishes, const std::vector<TopicSettings>& existing);

// What makes the one another than the other; empty: nothing.
[[nodiscard]] std::vector<std::string> topic_differences(const TopicSettings& now, const TopicSettings& wanted);

enum class Init {
  check, // look, and change nothing
  mend, // create what is missing, alter what can be altered: never fewer partitions, never the replication
};
// One report per topic. ERRORS: those of the log.
[[nodiscard]] Result<std::vector<TopicReport>> init_topics(LogAdmin& log, const TopicWishes& wishes, Init init);

} // namespace attune
