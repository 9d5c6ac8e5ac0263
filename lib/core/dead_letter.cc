#include "core/dead_letter.h"

#include <simdjson.h>

#include <charconv>

#include "core/base64.h"
#include "core/canonical_json.h"

namespace attune {

namespace {

void append_bytes(std::string_view bytes, std::string& out)
{
  if (simdjson::validate_utf8(bytes.data(), bytes.size())) {
    append_json_string(bytes, out);
  } else {
    out += "{\"b64\":\"";
    append_base64(bytes, out);
    out += "\"}";
  }
}

// A field or a reason quotes the input, whose bytes may be anything: what is not UTF-8 there becomes '?'.
void append_text(std::string_view text, std::string& out)
{
  if (simdjson::validate_utf8(text.data(), text.size())) return append_json_string(text, out);
  std::string readable(text);
  for (auto& c : readable)
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  append_json_string(readable, out);
}

// Absent: left empty.
Result<void, Reject> take_string(const simdjson::dom::object& object, std::string_view name, std::string& out)
{
  const auto found = object[name];
  if (found.error() == simdjson::NO_SUCH_FIELD) return {};
  std::string_view text;
  if (found.get(text)) return Reject{std::string(name), "not a string"};
  out = text;
  return {};
}

Result<void, Reject> take_bytes(const simdjson::dom::object& object, std::string_view name, std::string& out)
{
  const auto found = object[name];
  if (found.error() == simdjson::NO_SUCH_FIELD) return {};
  std::string_view text;
  if (!found.get(text)) {
    out = text;
    return {};
  }
  if (found["b64"].get(text) || !decode_base64(text, out)) return Reject{std::string(name), "not a string or {\"b64\":…}"};
  return {};
}

} // namespace

std::string DeadLetter::text() const
{
  std::string out(source);
  out += ": ";
  if (!field.empty()) {
    out += field;
    out += ": ";
  }
  out += reason;
  return out;
}

void append_dead_letter_json(const DeadLetter& letter, std::string& out)
{
  out += "{\"source\":";
  append_text(letter.source, out);
  out += ",\"field\":";
  append_text(letter.field, out);
  out += ",\"reason\":";
  append_text(letter.reason, out);
  out += ",\"time\":";
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, letter.time.ms).ptr);
  if (!letter.format.empty()) {
    out += ",\"format\":";
    append_text(letter.format, out);
  }
  if (!letter.header.empty()) {
    out += ",\"header\":";
    append_bytes(letter.header, out);
  }
  out += ",\"value\":";
  append_bytes(letter.value, out);
  out += '}';
}

Result<ReturnedLetter, Reject> parse_dead_letter(std::string_view json)
{
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json.data(), json.size()).get(object)) return Reject{"", "not a dead letter: not a JSON object"};
  ReturnedLetter letter;
  if (object["value"].error()) return Reject{"value", "missing"};
  for (const auto& [name, to] : {std::pair{"source", &letter.source}, {"format", &letter.format}})
    if (auto taken = take_string(object, name, *to); !taken) return taken.error();
  for (const auto& [name, to] : {std::pair{"header", &letter.header}, {"value", &letter.value}})
    if (auto taken = take_bytes(object, name, *to); !taken) return taken.error();
  return letter;
}

} // namespace attune
