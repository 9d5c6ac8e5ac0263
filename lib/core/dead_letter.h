// DeadLetter: an input that can not be processed, with where it stood, the field, the reason and its original bytes, so that it can be
// mended and sent in again (`attune-produce --format dead-letters`). One JSON object per line:
//
//   {"source":"orders.csv:7","field":"price","reason":"not a decimal","time":1700000000000,"format":"csv","header":"a,b","value":"1,x"}
//
// or, of a record in Protobuf (`format` is "protobuf"), its bytes:
//
//   {"source":"cart_events/3@120","field":"type","reason":"missing","time":1700000000000,"format":"protobuf","value":{"b64":"…"}}
//
// `value` is a string, or {"b64":"…"} (RFC 4648, padded) when the bytes are not UTF-8. `format` and `header` are left out when empty.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "core/event.h"

namespace attune {

inline constexpr std::string_view kProtobufFormat = "protobuf"; // an event of core/event_proto.h

// Views: whoever keeps one copies it.
struct DeadLetter {
  std::string_view source; // "stdin:7", "cart_events/3@120"
  std::string_view field; // of a Reject; empty: the whole
  std::string_view reason;
  std::string_view value; // the original bytes
  Timestamp time; // when it was received
  std::string_view format = {}; // how `value` is to be read: a --format of attune-produce, or kProtobufFormat; empty: attune
  std::string_view header = {}; // csv: the header line that names the columns of `value`

  // "stdin:7: price: not a decimal"
  [[nodiscard]] std::string text() const;
};

// A dead letter that owns its bytes.
struct ReturnedLetter {
  std::string source;
  std::string value;
  std::string format;
  std::string header;
};

// Appends the line without its newline. Always valid JSON in UTF-8, whatever the bytes.
void append_dead_letter_json(const DeadLetter& letter, std::string& out);

// Total over any bytes. Unknown keys are ignored: people annotate dead letters.
[[nodiscard]] Result<ReturnedLetter, Reject> parse_dead_letter(std::string_view json);

} // namespace attune
