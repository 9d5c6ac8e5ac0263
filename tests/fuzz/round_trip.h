// What must hold of every event any parser has accepted, whatever bytes it came from.
#pragma once

#include <string>

#include "base/assert.h"
#include "core/canonical_json.h"
#include "core/event_json.h"
#include "core/event_proto.h"

namespace attune::fuzz {

// Valid; once completed (unless that refuses it) the same in both wire forms, and its canonical form its own canonical form.
inline void check_event(Event event)
{
  ATTUNE_ASSERT(validate(event).ok());
  const Entry entry{kMaxTime, {}, *parse_currency("EUR")};
  if (!complete(event, entry)) {
    return;
  }
  std::string json;
  append_event_json(event, json);
  thread_local EventParser parser;
  Event back;
  ATTUNE_ASSERT(parser.parse(json, back).ok());
  std::string again;
  append_event_json(back, again);
  ATTUNE_ASSERT(again == json);
  again.clear();
  ATTUNE_ASSERT(append_canonical_json(json, again).ok() && again == json);
  std::string bytes;
  append_event_proto(event, bytes);
  if (bytes.size() <= kMaxEventBytes) {
    ATTUNE_ASSERT(parse_event_proto(bytes, back).ok());
    ATTUNE_ASSERT(back == event);
  }
}

} // namespace attune::fuzz
