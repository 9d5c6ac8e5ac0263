// Envelope: one record of a log as one line of JSON. What the embedded log stores, `attune-consume --envelope` prints and
// `attune-produce --envelope` takes back: lossless for any bytes.
//
//   {"topic":"t","partition":0,"offset":7,"timestamp":1700000000000,"key":"c1","headers":{},"value":{"type":"view"}}
//
// BYTES (key, header values, header names of the array form): null is no bytes; a JSON string is its UTF-8; {"b64":"…"} (RFC 4648,
// padded) is bytes that are not UTF-8.
// HEADERS: an object while names are UTF-8 and differ; else an array of [name, value] pairs, in order. No headers: {}.
// VALUE: null is a tombstone. A JSON string, or an object whose only key is "b64" with a string, is BYTES. Any other JSON value is
// itself, byte for byte. So a value is written inline when its bytes are one JSON value (object, array, number, true, false)
// without white space around it and without line breaks; not when they are null, a string, or an object whose first key is "b64"
// (or has a backslash): those, and all other UTF-8, go as a string, the rest as {"b64":…}. JSON that simdjson refuses (numbers
// beyond 64 bits, more than 1,024 levels) is a string too.
// "timestamp": ms since 1970 UTC.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "pipeline/ports.h"

namespace attune {

// A decoded line. Absent numbers and topic are nothing.
struct Envelope {
  std::optional<std::string_view> topic;
  std::optional<std::int32_t> partition;
  std::optional<std::int64_t> offset;
  std::optional<Timestamp> timestamp;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value; // nothing: a tombstone
  std::vector<Header> headers;
};

// Where bytes that had to be unescaped live; views into it last as long as it does.
using EnvelopeArena = std::deque<std::string>;

// Thread rule: one thread per object. Cost: about a microsecond per KiB, mostly the check that a value is JSON.
class EnvelopeWriter {
 public:
  EnvelopeWriter();
  ~EnvelopeWriter();

  // Appends the line without its newline. REQUIRES: a topic that is a legal topic name (no escapes).
  void append_line(const TopicPartition& at, const Record& record, std::string& out);

  // The three parts of a line, for a log that learns the offset last: append_head + offset + append_time + append_tail ==
  // append_line.
  static void append_head(const TopicPartition& at, std::string& out);
  static void append_time(Timestamp timestamp, std::string& out);
  void append_tail(const std::optional<std::string_view>& key, std::span<const Header> headers,
                   const std::optional<std::string_view>& value, std::string& out);

  // VALUE alone: what attune-consume prints without --envelope.
  void append_value(std::string_view value, std::string& out);

 private:
  bool append_inline(std::string_view value, std::string& out);

  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// Thread rule: one thread per object.
class EnvelopeReader {
 public:
  EnvelopeReader();
  ~EnvelopeReader();

  // Any line that obeys the rules above: keys in any order, white space; unknown keys are refused by name, `value` must be there.
  // Views point into `arena`. Total over any bytes. ERRORS: bad_data, naming the field ("headers: not an object or array").
  Status parse(std::string_view line, Envelope& out, EnvelopeArena& arena);

  // A line of the partition whose head (EnvelopeWriter::append_head) is given: lines exactly as EnvelopeWriter makes them are read
  // in passing and inline values handed out unchecked, since the writer checked them; any other goes through parse() and must name
  // the same topic and partition. Views point into `line` or `arena`. Headers replaces. Total.
  Status parse_own(std::string_view head, std::string_view line, Record& out, EnvelopeArena& arena);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// The offset (timestamp) of a line exactly as EnvelopeWriter makes it; nothing for any other.
struct EnvelopeStamp {
  std::int64_t offset = 0;
  Timestamp timestamp;
};
[[nodiscard]] std::optional<EnvelopeStamp> envelope_stamp(std::string_view head, std::string_view line);

// BYTES, as above.
void append_json_bytes(std::string_view bytes, std::string& out);

} // namespace attune
