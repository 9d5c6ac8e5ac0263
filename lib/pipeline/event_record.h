// EventDecoder: a record of a log into an Event: JSON, or Protobuf where its content-type header says so. An event written by a program
// that is not ours may lack id, time or currency: it is given them here as attune-produce would have, from the record's place and
// timestamp, so that every delivery gives the same event.
//
// Thread rule: one per thread. Cost: one parse; the Event's memory is used again.
#pragma once

#include <string_view>

#include "core/event_json.h"
#include "pipeline/ports.h"

namespace attune {

// Whether its content-type header says Protobuf.
[[nodiscard]] bool is_protobuf(const Record& record);

// How the value of a record that became a dead letter is to be read again: DeadLetter::format.
[[nodiscard]] std::string_view letter_format(const Record& record);

class EventDecoder {
 public:
  [[nodiscard]] Result<void, Reject> decode(const TopicPartition& from, const Record& record, Event& event);
  // One whole event in JSON, from elsewhere.
  [[nodiscard]] Result<void, Reject> decode(std::string_view json, Event& event) { return parser_.parse(json, event); }

 private:
  EventParser parser_;
};

} // namespace attune
