#include "adapters/envelope.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "core/base64.h"

namespace attune {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kTimestamp = ",\"timestamp\":";
constexpr std::string_view kKey = ",\"key\":";
constexpr std::string_view kHeaders = ",\"headers\":";
constexpr std::string_view kValue = ",\"value\":";

Error bad(std::string_view field, std::string_view reason)
{
  return {Code::bad_data, field.empty() ? std::string(reason) : std::string(field) + ": " + std::string(reason)};
}

void append_number(std::int64_t number, std::string& out)
{
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void append_escape(unsigned char c, std::string& out)
{
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr char kHex[] = "0123456789abcdef";
  out += "\\u00";
  out += kHex[c >> 4];
  out += kHex[c & 15];
}

// REQUIRES: UTF-8.
void append_json_string(std::string_view text, std::string& out)
{
  out += '"';
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == '"' || c == '\\') {
      out.append(text, done, i - done);
      append_escape(c, out);
      done = i + 1;
    }
  }
  out.append(text, done);
  out += '"';
}

bool is_space(char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view trimmed(std::string_view text)
{
  while (!text.empty() && is_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// Whether an object could be taken for BYTES. An escape in the first key counts as yes: it is rare, and not worth reading here.
bool first_key_may_be_b64(std::string_view object)
{
  std::size_t i = 1;
  while (i < object.size() && is_space(object[i])) {
    ++i;
  }
  if (i >= object.size() || object[i] != '"') {
    return false;
  }
  const std::string_view rest = object.substr(i + 1);
  const std::string_view key = rest.substr(0, rest.find('"'));
  return key == "b64" || key.find('\\') != std::string_view::npos;
}

bool begins_json_that_is_no_string_or_null(char c)
{
  return c == '{' || c == '[' || c == '-' || (c >= '0' && c <= '9') || c == 't' || c == 'f';
}

// A cursor over a line that is expected to look exactly as EnvelopeWriter makes it.
class Cursor {
 public:
  explicit Cursor(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {}

  bool skip(std::string_view text)
  {
    if (static_cast<std::size_t>(end_ - at_) < text.size() || std::memcmp(at_, text.data(), text.size()) != 0) {
      return false;
    }
    at_ += text.size();
    return true;
  }
  bool number(std::int64_t& out)
  {
    const auto [next, error] = std::from_chars(at_, end_, out);
    at_ = next;
    return error == std::errc();
  }
  // A string without escapes.
  bool plain_string(std::string_view& out)
  {
    if (at_ == end_ || *at_ != '"') {
      return false;
    }
    const char* begin = at_ + 1;
    const char* p = begin;
    while (p != end_ && *p != '"' && *p != '\\') {
      ++p;
    }
    if (p == end_ || *p == '\\') {
      return false;
    }
    out = {begin, static_cast<std::size_t>(p - begin)};
    at_ = p + 1;
    return true;
  }
  [[nodiscard]] std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

 private:
  const char* at_;
  const char* end_;
};

bool stamp(Cursor& cursor, std::string_view head, std::int64_t& offset, Timestamp& timestamp)
{
  return cursor.skip(head) && cursor.number(offset) && cursor.skip(kTimestamp) && cursor.number(timestamp.ms);
}

bool plain_key(Cursor& cursor, std::optional<std::string_view>& key)
{
  if (cursor.skip("null")) {
    key.reset();
    return true;
  }
  std::string_view text;
  if (!cursor.plain_string(text)) {
    return false;
  }
  key = text;
  return true;
}

bool plain_value(std::string_view text, std::optional<std::string_view>& value)
{
  if (text.empty()) {
    return false;
  }
  if (text == "null") {
    value.reset();
    return true;
  }
  if (text.front() == '"') {
    Cursor cursor(text);
    std::string_view content;
    if (!cursor.plain_string(content) || !cursor.rest().empty()) {
      return false;
    }
    value = content;
    return true;
  }
  if (!begins_json_that_is_no_string_or_null(text.front()) || (text.front() == '{' && first_key_may_be_b64(text))) {
    return false;
  }
  value = text;
  return true;
}

bool read_plain(std::string_view head, std::string_view line, Record& out)
{
  Cursor cursor(line);
  if (!stamp(cursor, head, out.offset, out.timestamp) || !cursor.skip(kKey) || !plain_key(cursor, out.key) ||
      !cursor.skip(kHeaders) || !cursor.skip("{}") || !cursor.skip(kValue)) {
    return false;
  }
  const std::string_view rest = cursor.rest();
  if (rest.empty() || rest.back() != '}' || !plain_value(rest.substr(0, rest.size() - 1), out.value)) {
    return false;
  }
  out.headers.clear();
  return true;
}

} // namespace

void append_json_bytes(std::string_view bytes, std::string& out)
{
  if (simdjson::validate_utf8(bytes)) {
    append_json_string(bytes, out);
  } else {
    out += "{\"b64\":\"";
    append_base64(bytes, out);
    out += "\"}";
  }
}

// --- Out ------------------------------------------------------------------------------------------------------------------

struct EnvelopeWriter::Parser {
  simdjson::dom::parser dom;
};

EnvelopeWriter::EnvelopeWriter() : parser_(std::make_unique<Parser>()) {}
EnvelopeWriter::~EnvelopeWriter() = default;

void EnvelopeWriter::append_head(const TopicPartition& at, std::string& out)
{
  out += "{\"topic\":";
  append_json_string(at.topic, out);
  out += ",\"partition\":";
  append_number(at.partition, out);
  out += ",\"offset\":";
}

void EnvelopeWriter::append_time(Timestamp timestamp, std::string& out)
{
  out += kTimestamp;
  append_number(timestamp.ms, out);
}

namespace {

void append_optional(const std::optional<std::string_view>& bytes, std::string& out)
{
  if (bytes) {
    append_json_bytes(*bytes, out);
  } else {
    out += "null";
  }
}

bool names_differ_and_are_text(std::span<const Header> headers)
{
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (!simdjson::validate_utf8(headers[i].name)) {
      return false;
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (headers[j].name == headers[i].name) {
        return false;
      }
    }
  }
  return true;
}

void append_headers(std::span<const Header> headers, std::string& out)
{
  const bool object = names_differ_and_are_text(headers);
  out += object ? '{' : '[';
  for (std::size_t i = 0; i < headers.size(); ++i) {
    out += i == 0 ? "" : ",";
    out += object ? "" : "[";
    append_json_bytes(headers[i].name, out);
    out += object ? ':' : ',';
    append_optional(headers[i].value, out);
    out += object ? "" : "]";
  }
  out += object ? '}' : ']';
}

} // namespace

void EnvelopeWriter::append_tail(const std::optional<std::string_view>& key, std::span<const Header> headers,
                                 const std::optional<std::string_view>& value, std::string& out)
{
  out += kKey;
  append_optional(key, out);
  out += kHeaders;
  append_headers(headers, out);
  out += kValue;
  if (value) {
    append_value(*value, out);
  } else {
    out += "null";
  }
  out += '}';
}

void EnvelopeWriter::append_value(std::string_view value, std::string& out)
{
  if (!append_inline(value, out)) {
    append_json_bytes(value, out);
  }
}

// Appends `value` as it is if it will come back as it is; checked where it lands, since simdjson wants room behind its input.
bool EnvelopeWriter::append_inline(std::string_view value, std::string& out)
{
  if (value.empty() || !begins_json_that_is_no_string_or_null(value.front()) || is_space(value.back()) ||
      std::memchr(value.data(), '\n', value.size()) != nullptr || std::memchr(value.data(), '\r', value.size()) != nullptr ||
      (value.front() == '{' && first_key_may_be_b64(value))) {
    return false;
  }
  const std::size_t at = out.size();
  const std::size_t room = at + value.size() + simdjson::SIMDJSON_PADDING;
  if (out.capacity() < room) {
    out.reserve(std::max(room, 2 * out.capacity()));
  }
  out.append(value);
  if (parser_->dom.parse(out.data() + at, value.size(), false).error() != simdjson::SUCCESS) {
    out.resize(at);
    return false;
  }
  return true;
}

void EnvelopeWriter::append_line(const TopicPartition& at, const Record& record, std::string& out)
{
  append_head(at, out);
  append_number(record.offset, out);
  append_time(record.timestamp, out);
  append_tail(record.key, record.headers, record.value, out);
}

// --- In -------------------------------------------------------------------------------------------------------------------

struct EnvelopeReader::Parser {
  simdjson::dom::parser dom;
  ondemand::parser parser;

  Status read(std::string_view line, bool check, Envelope& out, EnvelopeArena& arena);
  Status read_field(std::string_view name, ondemand::value& value, Envelope& out, EnvelopeArena& arena);
  Status read_headers(ondemand::value& value, std::vector<Header>& out, EnvelopeArena& arena);
  Status read_bytes(std::string_view field, ondemand::value& value, std::optional<std::string_view>& out, EnvelopeArena& arena);
  Status read_value(ondemand::value& value, std::optional<std::string_view>& out, EnvelopeArena& arena);
  // Whether a raw object is {"b64":"…"}; then out is its bytes. ERRORS: bad_data: the string is not base64.
  Result<bool> read_base64(std::string_view field, std::string_view raw, std::optional<std::string_view>& out,
                           EnvelopeArena& arena);
};

namespace {

std::string_view keep(std::string_view text, EnvelopeArena& arena)
{
  return arena.emplace_back(text);
}

Status read_integer(std::string_view field, ondemand::value& value, std::int64_t least, std::int64_t most, std::int64_t& out)
{
  if (value.get_int64().get(out) != simdjson::SUCCESS || out < least || out > most) {
    return bad(field, "not an integer of its range");
  }
  return {};
}

constexpr const char* kFields[] = {"topic", "partition", "offset", "timestamp", "key", "headers", "value"};

} // namespace

Result<bool> EnvelopeReader::Parser::read_base64(std::string_view field, std::string_view raw, std::optional<std::string_view>& out,
                                                 EnvelopeArena& arena)
{
  if (!first_key_may_be_b64(raw)) {
    return false;
  }
  simdjson::dom::object object;
  std::string_view text;
  if (dom.parse(raw.data(), raw.size(), true).get(object) != simdjson::SUCCESS || object.size() != 1 ||
      object.begin().key() != "b64" || object.begin().value().get(text) != simdjson::SUCCESS) {
    return false;
  }
  std::string bytes;
  if (!decode_base64(text, bytes)) {
    return bad(field, "b64: not base64");
  }
  out = keep(bytes, arena);
  return true;
}

Status EnvelopeReader::Parser::read_bytes(std::string_view field, ondemand::value& value, std::optional<std::string_view>& out,
                                          EnvelopeArena& arena)
{
  ondemand::json_type type;
  if (value.type().get(type) == simdjson::SUCCESS) {
    std::string_view text;
    if (type == ondemand::json_type::null) {
      out.reset();
      return {};
    }
    if (type == ondemand::json_type::string && value.get_string().get(text) == simdjson::SUCCESS) {
      out = keep(text, arena);
      return {};
    }
    ondemand::object object;
    if (type == ondemand::json_type::object && value.get_object().get(object) == simdjson::SUCCESS &&
        object.raw_json().get(text) == simdjson::SUCCESS) {
      const auto is_base64 = read_base64(field, text, out, arena);
      if (!is_base64.ok()) {
        return is_base64.error();
      }
      if (*is_base64) {
        return {};
      }
    }
  }
  return bad(field, "neither null, a string nor {\"b64\":\"…\"}");
}

Status EnvelopeReader::Parser::read_value(ondemand::value& value, std::optional<std::string_view>& out, EnvelopeArena& arena)
{
  ondemand::json_type type;
  if (value.type().get(type) != simdjson::SUCCESS) {
    return bad("value", "not JSON");
  }
  std::string_view raw;
  switch (type) {
    case ondemand::json_type::null:
    case ondemand::json_type::string:
      return read_bytes("value", value, out, arena);
    case ondemand::json_type::object: {
      ondemand::object object;
      if (value.get_object().get(object) != simdjson::SUCCESS || object.raw_json().get(raw) != simdjson::SUCCESS) {
        return bad("value", "not JSON");
      }
      const auto is_base64 = read_base64("value", raw, out, arena);
      if (!is_base64.ok()) {
        return is_base64.error();
      }
      if (*is_base64) {
        return {};
      }
      break;
    }
    case ondemand::json_type::array: {
      ondemand::array array;
      if (value.get_array().get(array) != simdjson::SUCCESS || array.raw_json().get(raw) != simdjson::SUCCESS) {
        return bad("value", "not JSON");
      }
      break;
    }
    default:
      raw = value.raw_json_token();
  }
  out = keep(trimmed(raw), arena);
  return {};
}

Status EnvelopeReader::Parser::read_headers(ondemand::value& value, std::vector<Header>& out, EnvelopeArena& arena)
{
  const Error neither = bad("headers", "not an object, and not an array of [name, value] pairs");
  ondemand::object object;
  if (value.get_object().get(object) == simdjson::SUCCESS) {
    for (auto field : object) {
      std::string_view name;
      ondemand::value content;
      if (field.unescaped_key().get(name) != simdjson::SUCCESS || field.value().get(content) != simdjson::SUCCESS) {
        return neither;
      }
      Header& header = out.emplace_back(Header{keep(name, arena), {}});
      if (auto status = read_bytes("headers", content, header.value, arena); !status.ok()) {
        return status;
      }
    }
    return {};
  }
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) {
    return neither;
  }
  for (auto element : array) {
    ondemand::array pair;
    if (element.get_array().get(pair) != simdjson::SUCCESS) {
      return neither;
    }
    std::optional<std::string_view> parts[2];
    std::size_t count = 0;
    for (auto part : pair) {
      ondemand::value content;
      if (count == 2 || part.get(content) != simdjson::SUCCESS) {
        return neither;
      }
      if (auto status = read_bytes("headers", content, parts[count++], arena); !status.ok()) {
        return status;
      }
    }
    if (count != 2 || !parts[0]) {
      return neither;
    }
    out.push_back({*parts[0], parts[1]});
  }
  return {};
}

Status EnvelopeReader::Parser::read_field(std::string_view name, ondemand::value& value, Envelope& out, EnvelopeArena& arena)
{
  std::int64_t number = 0;
  if (name == "topic") {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) {
      return bad(name, "not a string");
    }
    out.topic = keep(text, arena);
    return {};
  }
  if (name == "partition") {
    auto status = read_integer(name, value, 0, std::numeric_limits<std::int32_t>::max(), number);
    out.partition = static_cast<std::int32_t>(number);
    return status;
  }
  if (name == "offset") {
    auto status = read_integer(name, value, 0, std::numeric_limits<std::int64_t>::max(), number);
    out.offset = number;
    return status;
  }
  if (name == "timestamp") {
    auto status =
        read_integer(name, value, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), number);
    out.timestamp = Timestamp{number};
    return status;
  }
  if (name == "key") {
    return read_bytes(name, value, out.key, arena);
  }
  if (name == "headers") {
    return read_headers(value, out.headers, arena);
  }
  return read_value(value, out.value, arena);
}

// On-demand parsing looks only at what it is asked for; `check` reads the line as a whole first, so that nothing broken is let in.
Status EnvelopeReader::Parser::read(std::string_view line, bool check, Envelope& out, EnvelopeArena& arena)
{
  out.topic.reset();
  out.partition.reset();
  out.offset.reset();
  out.timestamp.reset();
  out.key.reset();
  out.value.reset();
  out.headers.clear();
  std::string& text = arena.emplace_back();
  text.reserve(line.size() + simdjson::SIMDJSON_PADDING);
  text = line;
  if (check) {
    if (const auto error = dom.parse(text.data(), text.size(), false).error(); error != simdjson::SUCCESS) {
      return bad("", simdjson::error_message(error));
    }
  }
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(text.data(), text.size(), text.capacity()).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    return bad("", "not a JSON object");
  }
  unsigned seen = 0;
  for (auto field : object) {
    std::string_view unescaped;
    ondemand::value value;
    if (field.unescaped_key().get(unescaped) != simdjson::SUCCESS || field.value().get(value) != simdjson::SUCCESS) {
      return bad("", "not a JSON object");
    }
    const auto known = std::find(std::begin(kFields), std::end(kFields), unescaped);
    if (known == std::end(kFields)) {
      return bad(unescaped.substr(0, 64), "not a field of an envelope");
    }
    const unsigned bit = 1u << (known - std::begin(kFields));
    if ((seen & bit) != 0) {
      return bad(*known, "given twice");
    }
    seen |= bit;
    if (auto status = read_field(*known, value, out, arena); !status.ok()) {
      return status;
    }
  }
  if ((seen & (1u << 6)) == 0) {
    return bad("value", "missing");
  }
  return {};
}

EnvelopeReader::EnvelopeReader() : parser_(std::make_unique<Parser>()) {}
EnvelopeReader::~EnvelopeReader() = default;

Status EnvelopeReader::parse(std::string_view line, Envelope& out, EnvelopeArena& arena)
{
  return parser_->read(line, true, out, arena);
}

Status EnvelopeReader::parse_own(std::string_view head, std::string_view line, Record& out, EnvelopeArena& arena)
{
  if (read_plain(head, line, out)) {
    return {};
  }
  Envelope envelope;
  if (auto status = parser_->read(line, false, envelope, arena); !status.ok()) {
    return status;
  }
  if (!envelope.topic || !envelope.partition || !envelope.offset || !envelope.timestamp) {
    return bad("", "topic, partition, offset or timestamp is missing");
  }
  std::string own_head;
  EnvelopeWriter::append_head({std::string(*envelope.topic), *envelope.partition}, own_head);
  if (own_head != head) {
    return bad("topic", "of another partition");
  }
  out.offset = *envelope.offset;
  out.timestamp = *envelope.timestamp;
  out.key = envelope.key;
  out.value = envelope.value;
  out.headers = std::move(envelope.headers);
  return {};
}

std::optional<EnvelopeStamp> envelope_stamp(std::string_view head, std::string_view line)
{
  Cursor cursor(line);
  EnvelopeStamp out;
  if (!stamp(cursor, head, out.offset, out.timestamp)) {
    return std::nullopt;
  }
  return out;
}

} // namespace attune
