// LineFeed: events that come as lines (a pipe) into an Ingest. A pipe has no positions: what was read and not acknowledged when the
// program dies is gone, and attune-profile-update(1) says so.
//
// Thread rule: one thread, the feeder of the Ingest.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/event_json.h"
#include "pipeline/ingest.h"

namespace attune {

class LineFeed {
 public:
  // `wait_for_room` is called while the Ingest is full; it returns false to give up (a stop).
  LineFeed(Ingest& ingest, DeadLetterSink& dead_letters, std::function<bool()> wait_for_room);

  // One line of JSON. `source` names it in a dead letter ("stdin:7"). An event without id, time or currency gets them from `entry`.
  // A blank line is read over. Returns false when it was no event and is buried. ERRORS: of the dead letter sink; stopped.
  Result<bool> line(std::string_view text, const std::string& source, const Entry& entry);

  // Hands over what has been gathered; call it when the input goes quiet, and at its end.
  Status flush();

 private:
  class Block;

  Ingest& ingest_;
  DeadLetterSink& dead_letters_;
  std::function<bool()> wait_for_room_;
  EventParser parser_;
  Event event_;
  std::shared_ptr<Block> gathering_;
  std::int64_t next_offset_ = 0;
};

} // namespace attune
