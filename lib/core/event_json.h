// The JSON form of an event, in and out (DESIGN section 3). One object; unknown top-level keys are refused by name.
//
// In: simdjson on-demand. Total: any bytes whatever (invalid UTF-8, NUL, nesting bombs, 10 MB) give an Event or a Reject.
// Duplicate keys are refused. Cost: about 0.5 us for a 200-byte event; the parser keeps its buffers between calls.
// Out: RFC 8785 (JCS) order and number forms; time as integer ms, money as decimal strings: the canonical form.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/event.h"

namespace attune {

// Thread rule: one parser per thread.
class EventParser {
 public:
  EventParser();
  ~EventParser();
  EventParser(EventParser&&) noexcept;
  EventParser& operator=(EventParser&&) noexcept;

  // Fills `out` (cleared first) from one JSON object. `json` needs no padding and is not kept. The result is validated
  // but may lack id, time and currency: see complete() in core/event.h.
  [[nodiscard]] Result<void, Reject> parse(std::string_view json, Event& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Appends the canonical JSON of `event`, without a newline. `properties` is appended canonically too.
void append_event_json(const Event& event, std::string& out);

} // namespace attune
