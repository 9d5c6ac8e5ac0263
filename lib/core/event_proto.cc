// Written over protobuf's coded streams and not over its message classes: those drop what is wrong (an unknown field, a field given
// twice) or say only that something is, and they would copy every string once more.
#include "core/event_proto.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>
#include <simdjson.h>

#include <bitset>

#include "core/field_rules.h"

namespace attune {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

// Field numbers of share/schemas/event.proto.
enum Number : int {
  kId = 1,
  kType = 2,
  kCustomType = 3,
  kTime = 4,
  kSent = 5,
  kCustomer = 6,
  kSession = 7,
  kItem = 8,
  kItems = 9,
  kCategory = 10,
  kQuantity = 11,
  kPrice = 12,
  kCurrency = 13,
  kOrder = 14,
  kQuery = 15,
  kAlias = 16,
  kGranted = 17,
  kSlot = 18,
  kRecommendation = 19,
  kProperties = 20,
};
enum LineNumber : int { kLineItem = 1, kLineQuantity = 2, kLinePrice = 3 };

class Writer {
 public:
  explicit Writer(CodedOutputStream& stream) : stream_(stream) {}

  void text(int number, std::string_view text)
  {
    if (!text.empty()) {
      bytes(number, text);
    }
  }
  void bytes(int number, std::string_view bytes)
  {
    stream_.WriteTag(WireFormatLite::MakeTag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
    stream_.WriteVarint32(static_cast<std::uint32_t>(bytes.size()));
    stream_.WriteRaw(bytes.data(), static_cast<int>(bytes.size()));
  }
  void number(int field, std::uint64_t value)
  {
    stream_.WriteTag(WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_VARINT));
    stream_.WriteVarint64(value);
  }
  void price(int field, const std::optional<Money>& price)
  {
    if (price) {
      number(field, WireFormatLite::ZigZagEncode64(price->micro));
    }
  }
  void time(int field, const std::optional<Timestamp>& time)
  {
    if (time) {
      number(field, WireFormatLite::ZigZagEncode64(time->ms));
    }
  }
  void quantity(int field, std::int64_t quantity)
  {
    if (quantity != 0) {
      number(field, static_cast<std::uint64_t>(quantity));
    }
  }

 private:
  CodedOutputStream& stream_;
};

void write_line(const Line& line, std::string& out)
{
  google::protobuf::io::StringOutputStream bytes(&out);
  CodedOutputStream stream(&bytes);
  Writer writer(stream);
  writer.text(kLineItem, line.item.text);
  writer.quantity(kLineQuantity, line.quantity);
  writer.price(kLinePrice, line.price);
}

void write_lines(const std::vector<Line>& lines, Writer& writer)
{
  std::string bytes;
  for (const Line& line : lines) {
    bytes.clear();
    write_line(line, bytes);
    writer.bytes(kItems, bytes);
  }
}

// What a field of the message is called in the JSON form, under which name it is refused.
std::optional<Field> field_of(int number)
{
  switch (number) {
    case kId:
      return Field::id;
    case kType:
    case kCustomType:
      return Field::type;
    case kTime:
      return Field::time;
    case kSent:
      return Field::sent;
    case kCustomer:
      return Field::customer;
    case kSession:
      return Field::session;
    case kItem:
      return Field::item;
    case kItems:
      return Field::items;
    case kCategory:
      return Field::category;
    case kQuantity:
      return Field::quantity;
    case kPrice:
      return Field::price;
    case kCurrency:
      return Field::currency;
    case kOrder:
      return Field::order;
    case kQuery:
      return Field::query;
    case kAlias:
      return Field::alias;
    case kGranted:
      return Field::granted;
    case kSlot:
      return Field::slot;
    case kRecommendation:
      return Field::recommendation;
    case kProperties:
      return Field::properties;
    default:
      return std::nullopt;
  }
}

constexpr std::string_view kTruncated = "not an event in Protobuf";

// One field as it stands on the wire: a number, or bytes.
struct WireField {
  int number = 0;
  WireFormatLite::WireType type = WireFormatLite::WIRETYPE_VARINT;
  std::uint64_t varint = 0;
  std::string_view bytes;
};

// Walks the fields of a message. attune's messages have varints and length-delimited fields only.
class WireReader {
 public:
  explicit WireReader(std::string_view message)
      : message_(message), stream_(reinterpret_cast<const std::uint8_t*>(message.data()), static_cast<int>(message.size()))
  {
  }
  // False at the end and at a fault; fault() tells them apart.
  bool next(WireField& field)
  {
    if (stream_.CurrentPosition() == static_cast<int>(message_.size())) {
      return false;
    }
    const std::uint32_t tag = stream_.ReadTag();
    field.number = WireFormatLite::GetTagFieldNumber(tag);
    field.type = WireFormatLite::GetTagWireType(tag);
    fault_ = field.number == 0 || !read_value(field);
    return !fault_;
  }
  [[nodiscard]] bool fault() const { return fault_; }

 private:
  bool read_value(WireField& field)
  {
    if (field.type == WireFormatLite::WIRETYPE_VARINT) {
      return stream_.ReadVarint64(&field.varint);
    }
    std::uint32_t length = 0;
    if (field.type != WireFormatLite::WIRETYPE_LENGTH_DELIMITED || !stream_.ReadVarint32(&length)) {
      return false;
    }
    const auto at = static_cast<std::size_t>(stream_.CurrentPosition());
    if (length > message_.size() - at) {
      return false;
    }
    field.bytes = message_.substr(at, length);
    return stream_.Skip(static_cast<int>(length));
  }

  std::string_view message_;
  CodedInputStream stream_;
  bool fault_ = false;
};

Check read_utf8(const WireField& field, std::string_view& text)
{
  if (field.type != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
    return std::string_view("not a string");
  }
  if (!simdjson::validate_utf8(field.bytes.data(), field.bytes.size())) {
    return std::string_view("not UTF-8");
  }
  text = field.bytes;
  return {};
}

Check read_varint(const WireField& field, std::uint64_t& number)
{
  if (field.type != WireFormatLite::WIRETYPE_VARINT) {
    return std::string_view("not a number");
  }
  number = field.varint;
  return {};
}

Check read_time_field(const WireField& field, std::optional<Timestamp>& time)
{
  std::uint64_t number = 0;
  Check check = read_varint(field, number);
  const Timestamp value{WireFormatLite::ZigZagDecode64(number)};
  check = check ? check_time(value) : check;
  if (check) {
    time = value;
  }
  return check;
}

Check read_price_field(const WireField& field, std::optional<Money>& price)
{
  std::uint64_t number = 0;
  Check check = read_varint(field, number);
  const Money value{WireFormatLite::ZigZagDecode64(number)};
  check = check ? check_price(value) : check;
  if (check) {
    price = value;
  }
  return check;
}

Check read_quantity_field(const WireField& field, std::int64_t& quantity)
{
  std::uint64_t number = 0;
  Check check = read_varint(field, number);
  check = check ? check_quantity(static_cast<std::int64_t>(number)) : check;
  if (check) {
    quantity = static_cast<std::int64_t>(number);
  }
  return check;
}

Check read_type_field(const WireField& field, EventType& type)
{
  std::uint64_t number = 0;
  const Check check = read_varint(field, number);
  if (!check) {
    return check;
  }
  if (number < 1 || number > static_cast<std::uint64_t>(EventType::custom)) {
    return std::string_view("unknown type");
  }
  type = static_cast<EventType>(number);
  return {};
}

Check read_custom_type_field(const WireField& field, std::string& name)
{
  std::string_view text;
  Check check = read_utf8(field, text);
  check = check ? check_text(text, kMaxStringBytes) : check;
  if (check && parse_type(text) != EventType::custom) {
    return std::string_view("unknown type");
  }
  if (check) {
    name.assign(text);
  }
  return check;
}

Check read_granted_field(const WireField& field, std::optional<bool>& granted)
{
  std::uint64_t number = 0;
  const Check check = read_varint(field, number);
  if (!check || number > 1) {
    return std::string_view("not true or false");
  }
  granted = number == 1;
  return {};
}

Check read_properties_field(const WireField& field, Event& out)
{
  std::string_view text;
  const Check check = read_utf8(field, text);
  return check ? set_properties(out, text) : check;
}

Check read_line_field(const WireField& field, Line& line)
{
  if (field.number == kLineQuantity) {
    return read_quantity_field(field, line.quantity);
  }
  if (field.number == kLinePrice) {
    return read_price_field(field, line.price);
  }
  std::string_view text;
  Check check = read_utf8(field, text);
  check = check ? check_text(text, kMaxCustomerBytes) : check;
  if (check) {
    line.item.text.assign(text);
  }
  return check;
}

Result<void, Reject> read_line(std::string_view message, std::size_t index, Line& line)
{
  static constexpr std::string_view kNames[] = {"", "item", "quantity", "price"};
  std::bitset<4> seen;
  WireReader reader(message);
  for (WireField field; reader.next(field);) {
    if (field.number > kLinePrice) {
      return Reject{line_field(index, {}), "unknown field " + std::to_string(field.number)};
    }
    const auto number = static_cast<std::size_t>(field.number);
    if (seen.test(number)) {
      return Reject{line_field(index, kNames[number]), "given twice"};
    }
    seen.set(number);
    const Check check = read_line_field(field, line);
    if (!check) {
      return Reject{line_field(index, kNames[number]), std::string(check.error())};
    }
  }
  if (reader.fault()) {
    return Reject{line_field(index, {}), std::string(kTruncated)};
  }
  return line.item.empty() ? Result<void, Reject>(Reject{line_field(index, "item"), "missing"}) : Result<void, Reject>();
}

Result<void, Reject> read_items_field(const WireField& field, std::vector<Line>& lines)
{
  if (field.type != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
    return Reject{"items", "not lines"};
  }
  if (lines.size() == kMaxLines) {
    return Reject{"items", "over 2000 lines"};
  }
  const std::size_t index = lines.size();
  return read_line(field.bytes, index, lines.emplace_back());
}

Check read_scalar(const WireField& field, Field name, Event& out)
{
  switch (field.number) {
    case kType:
      return read_type_field(field, out.type);
    case kCustomType:
      return read_custom_type_field(field, out.custom_type);
    case kTime:
      return read_time_field(field, out.time);
    case kSent:
      return read_time_field(field, out.sent);
    case kQuantity:
      return read_quantity_field(field, out.quantity);
    case kPrice:
      return read_price_field(field, out.price);
    case kGranted:
      return read_granted_field(field, out.granted);
    case kProperties:
      return read_properties_field(field, out);
    default:
      break;
  }
  std::string_view text;
  const Check check = read_utf8(field, text);
  return check ? set_text(out, name, text) : check;
}

Result<void, Reject> read_field(const WireField& field, Field name, Event& out)
{
  if (field.number == kItems) {
    return read_items_field(field, out.items);
  }
  const Check check = read_scalar(field, name, out);
  return check ? Result<void, Reject>() : Result<void, Reject>(rejected(field_name(name), check.error()));
}

Result<void, Reject> check_type(bool given, const Event& event)
{
  if (!given) {
    return Reject{"type", "missing"};
  }
  const bool custom = event.type == EventType::custom;
  return custom == event.custom_type.empty() ? Result<void, Reject>(Reject{"type", "unknown type"}) : Result<void, Reject>();
}

} // namespace

void append_event_proto(const Event& event, std::string& out)
{
  google::protobuf::io::StringOutputStream bytes(&out);
  CodedOutputStream stream(&bytes);
  Writer writer(stream);
  writer.text(kId, event.id.text);
  writer.number(kType, static_cast<std::uint64_t>(event.type));
  writer.text(kCustomType, event.custom_type);
  writer.time(kTime, event.time);
  writer.time(kSent, event.sent);
  writer.text(kCustomer, event.customer.text);
  writer.text(kSession, event.session.text);
  writer.text(kItem, event.item.text);
  write_lines(event.items, writer);
  writer.text(kCategory, event.category);
  writer.quantity(kQuantity, event.quantity);
  writer.price(kPrice, event.price);
  writer.text(kCurrency, event.currency.text());
  writer.text(kOrder, event.order.text);
  writer.text(kQuery, event.query);
  writer.text(kAlias, event.alias.text);
  if (event.granted) {
    writer.number(kGranted, *event.granted ? 1 : 0);
  }
  writer.text(kSlot, event.slot.text);
  writer.text(kRecommendation, event.recommendation.text);
  writer.text(kProperties, event.properties);
}

Result<void, Reject> parse_event_proto(std::string_view bytes, Event& out)
{
  out.clear();
  if (bytes.size() > kMaxEventBytes) {
    return Reject{"", "over 64 KiB"};
  }
  std::bitset<kProperties + 1> seen;
  WireReader reader(bytes);
  for (WireField field; reader.next(field);) {
    const auto name = field_of(field.number);
    if (!name) {
      return Reject{"", "unknown field " + std::to_string(field.number)};
    }
    const auto number = static_cast<std::size_t>(field.number);
    if (seen.test(number) && field.number != kItems) {
      return Reject{std::string(field_name(*name)), "given twice"};
    }
    seen.set(number);
    auto read = read_field(field, *name, out);
    if (!read) {
      return read;
    }
  }
  if (reader.fault()) {
    return Reject{"", std::string(kTruncated)};
  }
  auto typed = check_type(seen.test(kType), out);
  return typed ? validate(out) : typed;
}

} // namespace attune
