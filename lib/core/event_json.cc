#include "core/event_json.h"

#include <bitset>

#include "core/canonical_json.h"
#include "core/field_rules.h"
#include "core/json_tree.h"

namespace attune {
namespace {

using simdjson::ondemand::json_type;
using simdjson::ondemand::value;

// A value read, or the reason it can not be.
Check read_string(value& given, std::string_view& text)
{
  if (const auto error = given.get_string().get(text)) {
    return error == simdjson::INCORRECT_TYPE ? std::string_view("not a string") : json_fault(error);
  }
  return {};
}

// A number as it was written. simdjson checks that the token is one; its value as a double is not used.
Check read_number_token(value& given, std::string_view& token, std::string_view otherwise)
{
  json_type type{};
  if (given.type().get(type) != simdjson::SUCCESS || type != json_type::number) {
    return otherwise;
  }
  token = given.raw_json_token();
  token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
  double number = 0;
  if (const auto error = given.get_double().get(number)) {
    return json_fault(error);
  }
  return {};
}

bool is_string(value& given)
{
  json_type type{};
  return given.type().get(type) == simdjson::SUCCESS && type == json_type::string;
}

bool is_null(value& given)
{
  json_type type{};
  return given.type().get(type) == simdjson::SUCCESS && type == json_type::null;
}

template <class T, class Place>
Check keep(const Checked<T>& read, Place& place)
{
  if (!read) {
    return read.error();
  }
  place = *read;
  return {};
}

Check read_price_value(value& given, std::optional<Money>& price)
{
  std::string_view text;
  const Check check = is_string(given) ? read_string(given, text) : read_number_token(given, text, "not a decimal");
  return check ? keep(read_price(text), price) : check;
}

Check read_quantity_value(value& given, std::int64_t& quantity)
{
  std::string_view digits;
  const Check check = read_number_token(given, digits, "not a whole number");
  return check ? keep(read_quantity(digits), quantity) : check;
}

Check read_time_value(value& given, std::optional<Timestamp>& time)
{
  std::string_view text;
  if (is_string(given)) {
    const Check check = read_string(given, text);
    return check ? keep(read_rfc3339(text), time) : check;
  }
  const Check check = read_number_token(given, text, kNotATime);
  return check ? keep(read_milliseconds(text), time) : check;
}

Check read_granted_value(value& given, std::optional<bool>& granted)
{
  bool truth = false;
  if (given.get_bool().get(truth) != simdjson::SUCCESS) {
    return std::string_view("not true or false");
  }
  granted = truth;
  return {};
}

// Walks one object, giving (key, value) to `take`, which returns Result<void, Reject>. Faults of the JSON itself are refused with `where`.
template <class Take>
Result<void, Reject> each_member(simdjson::ondemand::object& object, std::string_view where, Take&& take)
{
  for (auto next : object) {
    simdjson::ondemand::field member;
    std::string_view key;
    simdjson::error_code error = std::move(next).get(member);
    error = error == simdjson::SUCCESS ? member.unescaped_key().get(key) : error;
    if (error != simdjson::SUCCESS) {
      return rejected(where, json_fault(error));
    }
    auto taken = take(key, member.value());
    if (!taken) {
      return taken;
    }
  }
  return {};
}

// The members a line may have; a bit each.
constexpr unsigned kLineItem = 1;
constexpr unsigned kLineQuantity = 2;
constexpr unsigned kLinePrice = 4;

unsigned line_member(std::string_view key)
{
  return key == "item" ? kLineItem : key == "quantity" ? kLineQuantity : key == "price" ? kLinePrice : 0;
}

Check read_line_member(unsigned which, value& given, Line& line)
{
  if (is_null(given)) {
    return std::string_view("null");
  }
  if (which == kLineQuantity) {
    return read_quantity_value(given, line.quantity);
  }
  if (which == kLinePrice) {
    return read_price_value(given, line.price);
  }
  std::string_view text;
  Check check = read_string(given, text);
  check = check ? check_text(text, kMaxCustomerBytes) : check;
  if (check) {
    line.item.text.assign(text);
  }
  return check;
}

Result<void, Reject> read_line(value given, std::size_t index, Line& line)
{
  simdjson::ondemand::object object;
  if (given.get_object().get(object) != simdjson::SUCCESS) {
    return Reject{line_field(index, {}), "not an object"};
  }
  unsigned seen = 0;
  auto read = each_member(object, "", [&](std::string_view key, value member) -> Result<void, Reject> {
    const unsigned which = line_member(key);
    if (which == 0) {
      return Reject{line_field(index, shown(key)), "unknown key"};
    }
    if ((seen & which) != 0) {
      return Reject{line_field(index, key), "given twice"};
    }
    seen |= which;
    const Check check = read_line_member(which, member, line);
    return check ? Result<void, Reject>() : Result<void, Reject>(Reject{line_field(index, key), std::string(check.error())});
  });
  if (read && line.item.empty()) {
    return Reject{line_field(index, "item"), "missing"};
  }
  return read;
}

Result<void, Reject> read_lines(value& given, std::vector<Line>& lines)
{
  simdjson::ondemand::array array;
  if (given.get_array().get(array) != simdjson::SUCCESS) {
    return Reject{"items", "not an array"};
  }
  for (auto next : array) {
    value element;
    if (const auto error = std::move(next).get(element)) {
      return rejected("items", json_fault(error));
    }
    if (lines.size() == kMaxLines) {
      return Reject{"items", "over 2000 lines"};
    }
    const std::size_t index = lines.size();
    auto read = read_line(element, index, lines.emplace_back());
    if (!read) {
      return read;
    }
  }
  return lines.empty() ? Result<void, Reject>(Reject{"items", "empty"}) : Result<void, Reject>();
}

// On-demand reads over what nobody asks for, so every value of `properties` is asked for, and the text kept as it came.
Check read_properties(value& given, JsonTree& tree, std::string& properties)
{
  simdjson::ondemand::object object;
  if (given.get_object().get(object) != simdjson::SUCCESS) {
    return std::string_view("not an object");
  }
  std::string_view raw;
  if (const auto error = object.raw_json().get(raw)) {
    return json_fault(error);
  }
  raw = raw.substr(0, raw.find_last_of('}') + 1);
  if (raw.size() > kMaxPropertiesBytes) {
    return std::string_view("over 16 KiB");
  }
  if (const auto error = object.reset().error()) {
    return json_fault(error);
  }
  const Check check = properties_fault(tree.parse(object, kMaxPropertiesDepth));
  if (check) {
    properties.assign(raw);
  }
  return check;
}

// Which field a key is. By length first: two or three comparisons instead of nineteen.
std::optional<Field> field_of_key(std::string_view key)
{
  const auto is = [key](Field field) { return key == field_name(field) ? std::optional(field) : std::nullopt; };
  switch (key.size()) {
    case 2:
      return is(Field::id);
    case 10:
      return is(Field::properties);
    case 14:
      return is(Field::recommendation);
    case 4:
      switch (key[0]) {
        case 't':
          return key[1] == 'y' ? is(Field::type) : is(Field::time);
        case 'i':
          return is(Field::item);
        case 's':
          return key[1] == 'e' ? is(Field::sent) : is(Field::slot);
        default:
          return std::nullopt;
      }
    default:
      return field_named(key);
  }
}

} // namespace

struct EventParser::State {
  simdjson::ondemand::parser parser;
  PaddedText text;
  JsonTree properties;

  Result<void, Reject> read(std::string_view json, Event& out);
  Result<void, Reject> read_member(Field field, value& given, Event& out);
  Check read_scalar(Field field, value& given, Event& out);
};

Check EventParser::State::read_scalar(Field field, value& given, Event& out)
{
  switch (field) {
    case Field::price:
      return read_price_value(given, out.price);
    case Field::quantity:
      return read_quantity_value(given, out.quantity);
    case Field::time:
      return read_time_value(given, out.time);
    case Field::sent:
      return read_time_value(given, out.sent);
    case Field::granted:
      return read_granted_value(given, out.granted);
    case Field::properties:
      return read_properties(given, properties, out.properties);
    default:
      break;
  }
  std::string_view string;
  const Check check = read_string(given, string);
  return check ? set_text(out, field, string) : check;
}

Result<void, Reject> EventParser::State::read_member(Field field, value& given, Event& out)
{
  if (is_null(given)) {
    return rejected(field_name(field), "null");
  }
  if (field == Field::items) {
    return read_lines(given, out.items);
  }
  const Check check = read_scalar(field, given, out);
  return check ? Result<void, Reject>() : Result<void, Reject>(rejected(field_name(field), check.error()));
}

Result<void, Reject> EventParser::State::read(std::string_view json, Event& out)
{
  if (const std::string_view fault = not_an_object(json, kMaxEventBytes); !fault.empty()) {
    return rejected("", fault);
  }
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  simdjson::error_code error = parser.iterate(text.copy(json)).get(document);
  error = error == simdjson::SUCCESS ? document.get_object().get(object) : error;
  if (error != simdjson::SUCCESS) {
    return rejected("", json_fault(error));
  }
  std::bitset<kFields> seen;
  auto read = each_member(object, "", [&](std::string_view key, value given) -> Result<void, Reject> {
    const auto field = field_of_key(key);
    if (!field) {
      return Reject{shown(key), "unknown key"};
    }
    if (seen.test(static_cast<std::size_t>(*field))) {
      return rejected(key, "given twice");
    }
    seen.set(static_cast<std::size_t>(*field));
    return read_member(*field, given, out);
  });
  if (!read) {
    return read;
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return Reject{"", "something stands after the object"};
  }
  if (!seen.test(static_cast<std::size_t>(Field::type))) {
    return Reject{"type", "missing"};
  }
  return validate(out);
}

EventParser::EventParser() : state_(std::make_unique<State>()) {}
EventParser::~EventParser() = default;
EventParser::EventParser(EventParser&&) noexcept = default;
EventParser& EventParser::operator=(EventParser&&) noexcept = default;

Result<void, Reject> EventParser::parse(std::string_view json, Event& out)
{
  out.clear();
  return state_->read(json, out);
}

namespace {

void append_lines(const std::vector<Line>& lines, std::string& out)
{
  out += '[';
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) {
      out += ',';
    }
    JsonMembers line(out);
    line.text("item", lines[i].item.text);
    line.price(lines[i].price);
    line.quantity(lines[i].quantity);
    line.end();
  }
  out += ']';
}

} // namespace

void append_event_json(const Event& event, std::string& out)
{
  JsonMembers writer(out);
  writer.text("alias", event.alias.text);
  writer.text("category", event.category);
  writer.text("currency", event.currency.text());
  writer.text("customer", event.customer.text);
  if (event.granted) {
    writer.name("granted");
    out += *event.granted ? "true" : "false";
  }
  writer.text("id", event.id.text);
  writer.text("item", event.item.text);
  if (!event.items.empty()) {
    writer.name("items");
    append_lines(event.items, out);
  }
  writer.text("order", event.order.text);
  writer.price(event.price);
  if (!event.properties.empty()) {
    writer.name("properties");
    const auto written = append_canonical_json(event.properties, out);
    ATTUNE_ASSERT(written.ok()); // a codec accepted them
  }
  writer.quantity(event.quantity);
  writer.text("query", event.query);
  writer.text("recommendation", event.recommendation.text);
  writer.time("sent", event.sent);
  writer.text("session", event.session.text);
  writer.text("slot", event.slot.text);
  writer.time("time", event.time);
  writer.text("type", type_name(event));
  writer.end();
}

} // namespace attune
