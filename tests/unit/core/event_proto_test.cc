#include "core/event_proto.h"

#include <event.pb.h>
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <functional>

#include "core/event_json.h"
#include "support/event_generators.h"

using namespace attune;

namespace {

// The reason the Protobuf form of a message is refused; empty when it is accepted.
std::string fault(const v1::Event& message)
{
  Event event;
  const auto parsed = parse_event_proto(message.SerializeAsString(), event);
  return parsed ? "" : parsed.error().text();
}

std::string fault_of_bytes(std::string_view bytes)
{
  Event event;
  const auto parsed = parse_event_proto(bytes, event);
  return parsed ? "" : parsed.error().text();
}

v1::Event view()
{
  v1::Event message;
  message.set_type(v1::EVENT_TYPE_VIEW);
  message.set_customer("c");
  message.set_item("i");
  return message;
}

v1::Event purchase()
{
  v1::Event message;
  message.set_type(v1::EVENT_TYPE_PURCHASE);
  message.set_customer("c");
  message.add_items()->set_item("i");
  return message;
}

} // namespace

BOOST_AUTO_TEST_SUITE(event_proto)

BOOST_AUTO_TEST_CASE(the_numbers_of_the_types_are_those_of_the_schema)
{
  for (int number = 1; number <= 11; ++number) {
    std::string name = v1::EventType_Name(static_cast<v1::EventType>(number)).substr(sizeof "EVENT_TYPE_" - 1);
    for (char& c : name) {
      c = static_cast<char>(std::tolower(c));
    }
    BOOST_TEST(name == type_name(static_cast<EventType>(number)));
  }
  BOOST_TEST(static_cast<int>(v1::EVENT_TYPE_CUSTOM) == static_cast<int>(EventType::custom));
}

BOOST_AUTO_TEST_CASE(an_event_is_read_back_from_its_bytes)
{
  BOOST_TEST(rc::check([] {
    Event event = *testing::gen_event({.types = testing::event_types(true), .odd = true});
    if (*rc::gen::arbitrary<bool>()) {
      event.sent = Timestamp{*rc::gen::inRange<std::int64_t>(kMinTime.ms, kMaxTime.ms + 1)};
      event.id = {};
      event.time.reset();
    }
    std::string bytes;
    append_event_proto(event, bytes);
    Event back;
    const auto read = parse_event_proto(bytes, back);
    if (!read) {
      RC_FAIL(read.error().text());
    }
    RC_ASSERT(back == event);
  }));
}

BOOST_AUTO_TEST_CASE(the_classes_made_from_the_schema_write_the_same_bytes)
{
  BOOST_TEST(rc::check([] {
    const Event event = *testing::gen_event({.types = testing::event_types(true), .odd = true});
    std::string bytes;
    append_event_proto(event, bytes);
    v1::Event message;
    RC_ASSERT(message.ParseFromString(bytes));
    RC_ASSERT(message.SerializeAsString() == bytes);
    RC_ASSERT(message.customer() == event.customer.text);
    RC_ASSERT(message.time_ms() == event.time->ms);
    RC_ASSERT(message.has_price_micro() == event.price.has_value());
    RC_ASSERT(static_cast<std::size_t>(message.items_size()) == event.items.size());
  }));
}

BOOST_AUTO_TEST_CASE(the_limits_are_those_of_the_json_form)
{
  // A limit broken in an Event, written in both forms: both must refuse it, for the same reason.
  struct Case {
    const char* reason;
    std::function<void(Event&)> change;
  };
  const Case cases[] = {
      {"customer: over 128 bytes", [](Event& e) { e.customer.text.assign(129, 'c'); }},
      {"customer: missing", [](Event& e) { e.customer = {}; }},
      {"customer: holds a NUL", [](Event& e) { e.customer.text.assign(1, '\0'); }},
      {"id: over 64 bytes", [](Event& e) { e.id.text.assign(65, 'c'); }},
      {"item: over 128 bytes", [](Event& e) { e.item.text.assign(129, 'c'); }},
      {"session: over 256 bytes", [](Event& e) { e.session.text.assign(257, 'c'); }},
      {"category: over 256 bytes", [](Event& e) { e.category.assign(257, 'c'); }},
      {"slot: over 256 bytes", [](Event& e) { e.slot.text.assign(257, 'c'); }},
      {"recommendation: over 256 bytes", [](Event& e) { e.recommendation.text.assign(257, 'c'); }},
      {"order: over 256 bytes", [](Event& e) { e.order.text.assign(257, 'c'); }},
      {"query: over 512 bytes", [](Event& e) { e.query.assign(513, 'c'); }},
      {"alias: over 128 bytes", [](Event& e) { e.alias.text.assign(129, 'c'); }},
      {"currency: not three capital letters of ISO 4217",
       [](Event& e) {
         e.currency = Currency{{'e', 'U', 'R'}};
       }},
      {"quantity: over 1000000", [](Event& e) { e.quantity = kMaxQuantity + 1; }},
      {"quantity: under 1", [](Event& e) { e.quantity = -1; }},
      {"price: negative", [](Event& e) { e.price = Money{-1}; }},
      {"price: over 1000000000", [](Event& e) { e.price = Money{kMaxPriceMicro + 1}; }},
      {"time: not within the years 1 to 9999", [](Event& e) { e.time = Timestamp{kMaxTime.ms + 1}; }},
      {"sent: not within the years 1 to 9999", [](Event& e) { e.sent = Timestamp{kMinTime.ms - 1}; }},
      {"type: unknown type",
       [](Event& e) {
         e.type = EventType::custom;
         e.custom_type = "x.a b";
       }},
      {"items[0].item: over 128 bytes",
       [](Event& e) {
         e.items = {{ItemId(std::string(129, 'c')), 0, {}}};
       }},
      {"items[1].item: missing",
       [](Event& e) {
         e.items = {{ItemId("i"), 0, {}}, {ItemId(), 1, {}}};
       }},
      {"items[0].quantity: over 1000000",
       [](Event& e) {
         e.items = {{ItemId("i"), kMaxQuantity + 1, {}}};
       }},
      {"items[0].price: negative",
       [](Event& e) {
         e.items = {{ItemId("i"), 1, Money{-1}}};
       }},
      {"items: over 2000 lines",
       [](Event& e) {
         e.items.assign(kMaxLines + 1, {ItemId("i"), 0, {}});
       }},
      {"order: only purchase and refund", [](Event& e) { e.order = OrderId("o"); }},
      {"item: missing", [](Event& e) { e.item = {}; }},
      {"price: total overflows",
       [](Event& e) {
         e.quantity = kMaxQuantity;
         e.price = Money{kMaxPriceMicro};
       }},
  };
  EventParser parser;
  for (const Case& item : cases) {
    Event event;
    event.type = EventType::view;
    event.customer = CustomerId("c");
    event.item = ItemId("i");
    item.change(event);
    std::string bytes;
    append_event_proto(event, bytes);
    std::string json;
    append_event_json(event, json);
    Event back;
    const auto from_json = parser.parse(json, back);
    BOOST_TEST_CONTEXT(item.reason)
    {
      BOOST_TEST(fault_of_bytes(bytes) == item.reason);
      BOOST_REQUIRE(!from_json.ok());
      BOOST_TEST(from_json.error().text() == item.reason);
    }
  }
}

BOOST_AUTO_TEST_CASE(properties_have_their_limits)
{
  const std::pair<std::string, const char*> cases[] = {
      {"{}", ""},
      {"", "properties: not JSON"},
      {"[]", "properties: not a JSON object"},
      {"{\"a\":1", "properties: not JSON"},
      {"{} x", "properties: something stands after the object"},
      {"{\"a\":" + std::string(8, '[') + std::string(8, ']') + "}", "properties: deeper than 8 levels"},
      {"{\"a\":\"" + std::string(kMaxPropertiesBytes, 'x') + "\"}", "properties: over 16 KiB"}};
  for (const auto& [properties, reason] : cases) {
    v1::Event message = view();
    message.set_properties(properties);
    BOOST_TEST(fault(message) == reason);
  }
}

BOOST_AUTO_TEST_CASE(what_is_given_and_empty_is_refused)
{
  v1::Event message = view();
  BOOST_TEST(fault(message).empty());
  message.set_session("");
  BOOST_TEST(fault(message) == "session: empty");
  message = view();
  message.set_quantity(0);
  BOOST_TEST(fault(message) == "quantity: under 1");
  message = purchase();
  message.mutable_items(0)->set_quantity(0);
  BOOST_TEST(fault(message) == "items[0].quantity: under 1");
  message = purchase();
  message.mutable_items(0)->set_price_micro(0);
  BOOST_TEST(fault(message).empty());
}

BOOST_AUTO_TEST_CASE(the_type_and_its_own_name_go_together)
{
  v1::Event message = view();
  message.clear_type();
  BOOST_TEST(fault(message) == "type: missing");
  message.set_type(static_cast<v1::EventType>(13));
  BOOST_TEST(fault(message) == "type: unknown type");
  message.set_type(v1::EVENT_TYPE_CUSTOM);
  BOOST_TEST(fault(message) == "type: unknown type");
  message.set_custom_type("x.a");
  BOOST_TEST(fault(message).empty());
  message.set_type(v1::EVENT_TYPE_VIEW);
  BOOST_TEST(fault(message) == "type: unknown type");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_event_get_a_reason)
{
  std::string good = view().SerializeAsString();
  BOOST_TEST(fault_of_bytes("") == "type: missing");
  BOOST_TEST(fault_of_bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff") == "not an event in Protobuf");
  BOOST_TEST(fault_of_bytes(std::string_view("\0\0", 2)) == "not an event in Protobuf");
  BOOST_TEST(fault_of_bytes(std::string_view(good).substr(0, good.size() - 1)) == "not an event in Protobuf");
  BOOST_TEST(fault_of_bytes(good + "\x32\x7f") == "not an event in Protobuf"); // customer of 127 bytes that are not there
  BOOST_TEST(fault_of_bytes(good + "\x32\xff\xff\xff\xff\x0f") == "not an event in Protobuf");
  BOOST_TEST(fault_of_bytes(good + "\xaa\x01\x01x") == "unknown field 21");
  BOOST_TEST(fault_of_bytes(good + "\x32\x01x") == "customer: given twice");
  BOOST_TEST(fault_of_bytes(good + "\x20\x01") == ""); // time_ms = -1
  BOOST_TEST(fault_of_bytes(good + "\x22\x01x") == "time: not a number");
  BOOST_TEST(fault_of_bytes(good + "\x38\x01") == "session: not a string");
  BOOST_TEST(fault_of_bytes(good + "\x3a\x01\xff") == "session: not UTF-8");
  BOOST_TEST(fault_of_bytes(good + "\x3d\x01\x02\x03\x04") == "not an event in Protobuf"); // a fixed32
  BOOST_TEST(fault_of_bytes(good + "\x88\x01\x02") == "granted: not true or false");
  BOOST_TEST(fault_of_bytes(good + "\x48\x01") == "items: not lines");
  BOOST_TEST(fault_of_bytes(good + "\x4a\x03\x0a\x05i") == "items[0]: not an event in Protobuf");
  BOOST_TEST(fault_of_bytes(good + "\x4a\x02\x20\x01") == "items[0]: unknown field 4");
  BOOST_TEST(fault_of_bytes(good + "\x4a\x06\x0a\x01i\x0a\x01j") == "items[0].item: given twice");
  BOOST_TEST(fault_of_bytes(std::string(kMaxEventBytes + 1, 'x')) == "over 64 KiB");
}

BOOST_AUTO_TEST_SUITE_END()
