// Where a user wants late events (`--late PLACE`):
//
//   stderr        one readable line each: "attune-profile-update: late: ana: cart_add e-17 at 1767225600000" (the event is not kept)
//   topic         the topic attune_late_events of --log, keyed by the event's id, in canonical JSON
//   a log's URL   that topic of another log
//   FILE          a file of events in canonical JSON, appended to; several programs may share one
//
// `attune-replay --rebuild` reads the topic of its log and files back. Thread rule and ERRORS: those of LateSink.
#pragma once

#include <memory>
#include <string>

#include "adapters/places.h"
#include "pipeline/ingest.h"

namespace attune {

struct LatePlace {
  std::string place = "stderr";
  std::string program; // begins each line on stderr
  std::string topic; // whole name
  LogWriter* log = nullptr; // what `topic` means; outlives the sink. Null: `topic` is a usage error
  LogOptions log_options = {}; // of a log's URL
};

// ERRORS: usage; io: the file can not be opened; those of the log.
[[nodiscard]] Result<std::unique_ptr<LateSink>> open_late(const LatePlace& where);

} // namespace attune
