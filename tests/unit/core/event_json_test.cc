#include "core/event_json.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "core/canonical_json.h"
#include "support/event_generators.h"

using namespace attune;

namespace {

std::string fault(std::string_view json)
{
  static EventParser parser;
  Event event;
  const auto parsed = parser.parse(json, event);
  return parsed ? "" : parsed.error().text();
}

Event parsed(std::string_view json)
{
  EventParser parser;
  Event event;
  const auto result = parser.parse(json, event);
  BOOST_REQUIRE_MESSAGE(result.ok(), (result ? "" : result.error().text()));
  return event;
}

// A view with these members added.
std::string view_with(const std::string& members)
{
  return R"({"type":"view","customer":"c","item":"i",)" + members + "}";
}

std::string quoted(std::size_t length)
{
  return '"' + std::string(length, 'a') + '"';
}

std::string nested(int depth)
{
  std::string json;
  for (int i = 0; i < depth; ++i) {
    json += "{\"a\":";
  }
  return json + "1" + std::string(static_cast<std::size_t>(depth), '}');
}

std::string order_of(std::size_t lines)
{
  std::string json = R"({"type":"purchase","customer":"c","items":[)";
  for (std::size_t i = 0; i < lines; ++i) {
    json += i == 0 ? R"({"item":"i"})" : R"(,{"item":"i"})";
  }
  return json + "]}";
}

struct Case {
  std::string json;
  std::string reason; // empty: accepted
};

void check(const std::vector<Case>& cases)
{
  for (const Case& item : cases) {
    BOOST_TEST_CONTEXT(item.json.substr(0, 200))
    {
      BOOST_TEST(fault(item.json) == item.reason);
    }
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(event_json)

BOOST_AUTO_TEST_CASE(every_field_is_read)
{
  const Event view =
      parsed(R"( { "id":"e1" , "type":"view","time":"2024-02-29T12:00:00.25+01:00","sent":1709204400999,"customer":"c1",
    "session":"s1","item":"i1","category":"shoes","quantity":3,"price":19.99,"currency":"EUR","slot":"home","recommendation":"r1",
    "properties": { "b" : 1, "a":[ ] }  } )");
  BOOST_TEST(view.id.text == "e1");
  BOOST_TEST((view.type == EventType::view));
  BOOST_TEST(view.time->ms == 1709204400250);
  BOOST_TEST(view.sent->ms == 1709204400999);
  BOOST_TEST(view.customer.text == "c1");
  BOOST_TEST(view.session.text == "s1");
  BOOST_TEST(view.item.text == "i1");
  BOOST_TEST(view.category == "shoes");
  BOOST_TEST(view.quantity == 3);
  BOOST_TEST(view.price->micro == 19'990'000);
  BOOST_TEST(view.currency.text() == "EUR");
  BOOST_TEST(view.slot.text == "home");
  BOOST_TEST(view.recommendation.text == "r1");
  BOOST_TEST(view.properties == R"({ "b" : 1, "a":[ ] })");
}

BOOST_AUTO_TEST_CASE(the_fields_of_single_types_are_read)
{
  const Event order =
      parsed(R"({"type":"purchase","customer":"c","order":"o1","items":[{"item":"a","quantity":2,"price":"0.5"},{"item":"b"}]})");
  BOOST_TEST(order.order.text == "o1");
  BOOST_TEST((order.items == std::vector<Line>{{ItemId("a"), 2, Money{500'000}}, {ItemId("b"), 0, std::nullopt}}));
  BOOST_TEST(parsed(R"({"type":"search","customer":"c","query":"boots"})").query == "boots");
  BOOST_TEST(parsed(R"({"type":"identify","customer":"c","alias":"anon-1"})").alias.text == "anon-1");
  BOOST_TEST((parsed(R"({"type":"consent","customer":"c","granted":false})").granted == std::optional(false)));
  BOOST_TEST(parsed(R"({"type":"x.wish","customer":"c"})").custom_type == "x.wish");
  BOOST_TEST((parsed(R"({"type":"impression","customer":"c","items":[{"item":"a"}]})").items.size() == 1));
}

BOOST_AUTO_TEST_CASE(names_and_strings_may_be_escaped)
{
  const Event event = parsed(R"({"t\u0079pe":"v\u0069ew","customer":"\u20ac\n","item":"\ud83d\ude00"})");
  BOOST_TEST(event.customer.text == "\xe2\x82\xac\n");
  BOOST_TEST(event.item.text == "\xf0\x9f\x98\x80");
}

BOOST_AUTO_TEST_CASE(a_line_that_is_no_object_is_refused)
{
  check({{"", "empty line"},
         {" \t\r", "empty line"},
         {"\xEF\xBB\xBF{}", "begins with a byte order mark"},
         {"[]", "not a JSON object"},
         {"null", "not a JSON object"},
         {"\"x\"", "not a JSON object"},
         {"1", "not a JSON object"},
         {"hello", "not a JSON object"},
         {std::string(1, '\0'), "not a JSON object"},
         {"{", "not JSON"},
         {"{}", "type: missing"},
         {"{\"a\"", "not JSON"},
         {R"({"type":"view","customer":"c","item":"i"})", ""},
         {R"({"type":"view","customer":"c","item":"i"} )", ""},
         {R"({"type":"view","customer":"c","item":"i"}x)", "not JSON"},
         {R"({"type":"view","customer":"c","item":"i"}})", "something stands after the object"},
         {R"({"type":"view","customer":"c","item":"i"}{})", "something stands after the object"},
         {R"({"type":"view","customer":"c","item":"i"} 1)", "not JSON"},
         {R"({"type":"view","customer":"c","item":"i",})", "not JSON"},
         {R"({"type":"view","customer":"c" "item":"i"})", "not JSON"},
         {R"({"type":"view",,"customer":"c"})", "not JSON"},
         {R"({"type" "view"})", "not JSON"},
         {R"({type:"view"})", "not JSON"},
         {R"({'type':'view'})", "not JSON"},
         {R"({"type":"view)", "a string without an end"}});
}

BOOST_AUTO_TEST_CASE(size_is_judged_before_anything_else)
{
  check({{std::string(10'000'000, '{'), "over 64 KiB"},
         {std::string(kMaxEventBytes + 1, '\xff'), "over 64 KiB"},
         {R"({"type":"view","customer":"c","item":"i")" + std::string(kMaxEventBytes - 40, ' ') + "}", "over 64 KiB"},
         {R"({"type":"view","customer":"c","item":"i")" + std::string(kMaxEventBytes - 41, ' ') + "}", ""}});
}

BOOST_AUTO_TEST_CASE(nesting_bombs_are_refused)
{
  const std::string open(60'000, '[');
  check(
      {{open, "not a JSON object"},
       {"{\"a\":" + open + "}", "a: unknown key"},
       {"{\"customer\":" + open + "}", "customer: not a string"},
       {"{\"items\":" + open + "}", "items[0]: not an object"},
       {view_with("\"properties\":" + std::string(60'000, '[')), "properties: not an object"},
       {view_with("\"properties\":{\"a\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}"), "properties: over 16 KiB"},
       {view_with("\"properties\":{\"a\":" + std::string(5'000, '[') + std::string(5'000, ']') + "}"),
        "properties: deeper than 8 levels"}});
}

BOOST_AUTO_TEST_CASE(unknown_repeated_and_null_fields_are_refused_by_name)
{
  check({{view_with(R"("colour":"red")"), "colour: unknown key"},
         {view_with(R"("Price":1)"), "Price: unknown key"},
         {view_with(R"("":1)"), "unknown key"},
         {view_with(R"("a\nb":1)"), "a?b: unknown key"},
         {view_with("\"" + std::string(70, 'k') + "\":1"), std::string(64, 'k') + ": unknown key"},
         {view_with(R"("item":"j")"), "item: given twice"},
         {view_with(R"("it\u0065m":"j")"), "item: given twice"},
         {view_with(R"("id":null)"), "id: null"},
         {view_with(R"("price":null)"), "price: null"},
         {view_with(R"("items":null)"), "items: null"},
         {view_with(R"("properties":null)"), "properties: null"},
         {R"({"type":"purchase","customer":"c","items":[{"item":"i","colour":1}]})", "items[0].colour: unknown key"},
         {R"({"type":"purchase","customer":"c","items":[{"item":"i","item":"j"}]})", "items[0].item: given twice"},
         {R"({"type":"purchase","customer":"c","items":[{"item":"i","price":null}]})", "items[0].price: null"}});
}

BOOST_AUTO_TEST_CASE(every_string_has_its_limit)
{
  struct Limit {
    const char* field;
    std::size_t bytes;
    const char* head;
  };
  const char* const view = R"({"type":"view","item":"i","customer":"c",)";
  const Limit limits[] = {{"id", 64, view},
                          {"session", 256, view},
                          {"category", 256, view},
                          {"slot", 256, view},
                          {"recommendation", 256, view},
                          {"customer", 128, R"({"type":"view","item":"i",)"},
                          {"item", 128, R"({"type":"view","customer":"c",)"},
                          {"order", 256, R"({"type":"purchase","customer":"c","item":"i",)"},
                          {"query", 512, R"({"type":"search","customer":"c",)"},
                          {"alias", 128, R"({"type":"identify","customer":"c",)"}};
  for (const auto& [field, bytes, head] : limits) {
    const std::string name = std::string("\"") + field + "\":";
    const std::string f = field;
    check({{head + name + quoted(bytes) + "}", ""},
           {head + name + quoted(bytes + 1) + "}", f + ": over " + std::to_string(bytes) + " bytes"},
           {head + name + "\"\"}", f + ": empty"},
           {head + name + R"("a\u0000b"})", f + ": holds a NUL"},
           {head + name + "12}", f + ": not a string"},
           {head + name + "true}", f + ": not a string"},
           {head + name + "{}}", f + ": not a string"},
           {head + name + "[\"a\"]}", f + ": not a string"},
           {head + name + R"("\q"})", f + ": a bad escape in a string"},
           {head + name + R"("\ud800"})", f + ": a bad escape in a string"},
           {head + name + "\"a\nb\"}", "a control character in a string"},
           {head + name + std::string("\"a\0b\"}", 6), "a control character in a string"},
           {head + name + "\"\xff\"}", "not UTF-8"},
           {head + name + "\"\xc0\xaf\"}", "not UTF-8"},
           {head + name + "\"\xed\xa0\x80\"}", "not UTF-8"},
           {head + name + "\"\xe2\x82\"}", "not UTF-8"}});
  }
}

BOOST_AUTO_TEST_CASE(a_limit_counts_bytes_not_characters)
{
  std::string euros;
  for (int i = 0; i < 43; ++i) {
    euros += "\xe2\x82\xac";
  }
  check({{R"({"type":"view","item":"i","customer":")" + euros + "\"}", "customer: over 128 bytes"}});
}

BOOST_AUTO_TEST_CASE(types_are_known_names_or_begin_with_x)
{
  const auto typed = [](const std::string& type) { return R"({"customer":"c","type":)" + type + "}"; };
  check({{typed("\"viewed\""), "type: unknown type"},
         {typed("\"\""), "type: empty"},
         {typed("\"x.\""), "type: unknown type"},
         {typed("\"x.a b\""), "type: unknown type"},
         {typed("\"x." + std::string(254, 'a') + "\""), ""},
         {typed("\"x." + std::string(255, 'a') + "\""), "type: over 256 bytes"},
         {typed("7"), "type: not a string"},
         {R"({"customer":"c","item":"i"})", "type: missing"},
         {R"({"type":"view","item":"i"})", "customer: missing"}});
}

BOOST_AUTO_TEST_CASE(a_price_is_a_decimal_and_never_a_float)
{
  const auto priced = [](const std::string& price) { return view_with("\"price\":" + price); };
  check({{priced("0"), ""},
         {priced("\"0\""), ""},
         {priced("1000000000"), ""},
         {priced("1000000000.000001"), "price: over 1000000000"},
         {priced("\"1000000001\""), "price: over 1000000000"},
         {priced("\"" + std::string(100, '9') + "\""), "price: over 1000000000"},
         {priced("0.000001"), ""},
         {priced("0.0000001"), "price: over 6 decimals"},
         {priced("1.0000000"), "price: over 6 decimals"},
         {priced("-1"), "price: negative"},
         {priced("-0"), "price: negative"},
         {priced("\"-0.5\""), "price: negative"},
         {priced("1e3"), "price: not a decimal"},
         {priced("1E3"), "price: not a decimal"},
         {priced("1.5e0"), "price: not a decimal"},
         {priced("\"1e3\""), "price: not a decimal"},
         {priced("1e999"), "price: not a number a double can hold"},
         {priced("01"), "price: not a number a double can hold"},
         {priced("1."), "price: not a number a double can hold"},
         {priced("\"\""), "price: not a decimal"},
         {priced("\" 1\""), "price: not a decimal"},
         {priced("\"1,50\""), "price: not a decimal"},
         {priced("\"\\u0031.5\""), ""},
         {priced("\"1\\u0000\""), "price: not a decimal"},
         {priced("true"), "price: not a decimal"},
         {priced("[1]"), "price: not a decimal"},
         {priced("nul"), "price: null"},
         {priced("NaN"), "price: not a decimal"}});
  BOOST_TEST(parsed(priced("999999999.999999")).price->micro == 999'999'999'999'999);
  BOOST_TEST(parsed(priced("0.1")).price->micro == 100'000);
}

BOOST_AUTO_TEST_CASE(a_quantity_is_a_whole_number_from_one_to_a_million)
{
  const auto counted = [](const std::string& quantity) { return view_with("\"quantity\":" + quantity); };
  check({{counted("1"), ""},
         {counted("1000000"), ""},
         {counted("1000001"), "quantity: over 1000000"},
         {counted("99999999999999999999"), "quantity: over 1000000"},
         {counted("0"), "quantity: under 1"},
         {counted("-1"), "quantity: under 1"},
         {counted("-99999999999999999999"), "quantity: under 1"},
         {counted("-0"), "quantity: under 1"},
         {counted("1.0"), "quantity: not a whole number"},
         {counted("1e2"), "quantity: not a whole number"},
         {counted("\"1\""), "quantity: not a whole number"},
         {counted("true"), "quantity: not a whole number"}});
}

BOOST_AUTO_TEST_CASE(a_time_is_rfc_3339_or_integer_milliseconds)
{
  const std::string bad = "time: not RFC 3339 and not integer milliseconds";
  const std::string range = "time: not within the years 1 to 9999";
  const auto timed = [](const std::string& time) { return view_with("\"time\":" + time); };
  check({{timed("\"2024-02-29T12:00:00Z\""), ""},
         {timed("\"2023-02-29T12:00:00Z\""), bad},
         {timed("\"2024-13-01T12:00:00Z\""), bad},
         {timed("\"2024-00-01T12:00:00Z\""), bad},
         {timed("\"2024-01-32T12:00:00Z\""), bad},
         {timed("\"2024-01-01T24:00:00Z\""), bad},
         {timed("\"2024-01-01T12:60:00Z\""), bad},
         {timed("\"2024-01-01T12:00:61Z\""), bad},
         {timed("\"2024-01-01T12:00:60Z\""), bad},
         {timed("\"2016-12-31T23:59:60Z\""), ""},
         {timed("\"2017-01-01T00:59:60+01:00\""), ""},
         {timed("\"2024-01-01T12:00:00\""), bad},
         {timed("\"2024-01-01\""), bad},
         {timed("\"2024-1-01T12:00:00Z\""), bad},
         {timed("\"2024-01-01T12:00:00+0100\""), bad},
         {timed("\"2024-01-01T12:00:00+24:00\""), bad},
         {timed("\"2024-01-01T12:00:00+01:60\""), bad},
         {timed("\"2024-01-01T12:00:00.Z\""), bad},
         {timed("\"2024-01-01T12:00:00Zx\""), bad},
         {timed("\" 2024-01-01T12:00:00Z\""), bad},
         {timed("\"-024-01-01T12:00:00Z\""), bad},
         {timed("\"0000-12-31T23:59:59Z\""), range},
         {timed("\"0001-01-01T00:00:00Z\""), ""},
         {timed("\"0001-01-01T00:00:00+00:01\""), range},
         {timed("\"9999-12-31T23:59:59.999Z\""), ""},
         {timed("\"9999-12-31T23:59:59-00:01\""), range},
         {timed("\"1709204400000\""), bad},
         {timed("\"\""), bad},
         {timed("0"), ""},
         {timed("-1"), ""},
         {timed("-0"), bad},
         {timed("1.5"), bad},
         {timed("1e3"), bad},
         {timed("true"), bad},
         {timed("-62135596800000"), ""},
         {timed("-62135596800001"), range},
         {timed("253402300799999"), ""},
         {timed("253402300800000"), range},
         {timed("99999999999999999999"), range},
         {view_with("\"sent\":\"now\""), "sent: not RFC 3339 and not integer milliseconds"}});
}

BOOST_AUTO_TEST_CASE(rfc_3339_means_what_it_says)
{
  const std::pair<const char*, std::int64_t> cases[] = {{"1970-01-01T00:00:00Z", 0},
                                                        {"1969-12-31T23:59:59.999Z", -1},
                                                        {"2024-02-29T12:00:00.5Z", 1709208000500},
                                                        {"2024-02-29T12:00:00.123999Z", 1709208000123},
                                                        {"2024-02-29t12:00:00z", 1709208000000},
                                                        {"2024-02-29 12:00:00Z", 1709208000000},
                                                        {"2024-02-29T12:00:00+05:30", 1709188200000},
                                                        {"2024-02-29T12:00:00-00:00", 1709208000000},
                                                        {"2016-12-31T23:59:60Z", 1483228800000},
                                                        {"0001-01-01T00:00:00Z", kMinTime.ms},
                                                        {"9999-12-31T23:59:59.999Z", kMaxTime.ms}};
  for (const auto& [text, ms] : cases) {
    BOOST_TEST_CONTEXT(text)
    {
      BOOST_TEST(parsed(view_with(std::string("\"time\":\"") + text + "\"")).time->ms == ms);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_currency_is_three_capital_letters)
{
  check({{view_with(R"("currency":"EUR")"), ""},
         {view_with(R"("currency":"eur")"), "currency: not three capital letters of ISO 4217"},
         {view_with(R"("currency":"")"), "currency: not three capital letters of ISO 4217"},
         {view_with(R"("currency":978)"), "currency: not a string"}});
}

BOOST_AUTO_TEST_CASE(granted_is_true_or_false)
{
  const auto consent = [](const std::string& granted) { return R"({"type":"consent","customer":"c","granted":)" + granted + "}"; };
  check({{consent("true"), ""},
         {consent("false"), ""},
         {consent("\"true\""), "granted: not true or false"},
         {consent("1"), "granted: not true or false"},
         {consent("tru"), "granted: not true or false"},
         {consent("truex"), "granted: not true or false"}});
}

BOOST_AUTO_TEST_CASE(lines_are_checked_one_by_one)
{
  const auto lines = [](const std::string& items) { return R"({"type":"purchase","customer":"c","items":)" + items + "}"; };
  check({{lines("[]"), "items: empty"},
         {lines("{}"), "items: not an array"},
         {lines("\"i\""), "items: not an array"},
         {lines("[\"i\"]"), "items[0]: not an object"},
         {lines("[null]"), "items[0]: not an object"},
         {lines(R"([{"item":"a"},{}])"), "items[1].item: missing"},
         {lines(R"([{"item":"a"},{"quantity":1}])"), "items[1].item: missing"},
         {lines(R"([{"item":""}])"), "items[0].item: empty"},
         {lines(R"([{"item":5}])"), "items[0].item: not a string"},
         {lines("[{\"item\":" + quoted(129) + "}]"), "items[0].item: over 128 bytes"},
         {lines(R"([{"item":"a\u0000"}])"), "items[0].item: holds a NUL"},
         {lines(R"([{"item":"a","quantity":0}])"), "items[0].quantity: under 1"},
         {lines(R"([{"item":"a","quantity":1000001}])"), "items[0].quantity: over 1000000"},
         {lines(R"([{"item":"a","price":-1}])"), "items[0].price: negative"},
         {lines(R"([{"item":"a","price":"x"}])"), "items[0].price: not a decimal"},
         {lines(R"([{"item":"a","price":1e3}])"), "items[0].price: not a decimal"},
         {lines(R"([{"item":"a","quantity":1000000,"price":1000000000}])"), "items: total overflows"},
         {lines(R"([{"item":"a"},])"), "items[1]: not an object"},
         {lines(R"([{"item":"a"} {"item":"b"}])"), "items: not JSON"},
         {order_of(kMaxLines), ""},
         {order_of(kMaxLines + 1), "items: over 2000 lines"}});
}

BOOST_AUTO_TEST_CASE(properties_are_read_to_the_last_byte)
{
  const auto with = [](const std::string& properties) { return view_with("\"properties\":" + properties); };
  const std::string filled = "{\"a\":\"" + std::string(kMaxPropertiesBytes - 8, 'x') + "\"}";
  const std::string overfull = "{\"a\":\"" + std::string(kMaxPropertiesBytes - 7, 'x') + "\"}";
  check({{with("{}"), ""},
         {with(R"({"a":{"b":[1,-2.5e3,true,false,null,"\u00e9"]}})"), ""},
         {with("[]"), "properties: not an object"},
         {with("\"{}\""), "properties: not an object"},
         {with(filled), ""},
         {with(overfull), "properties: over 16 KiB"},
         {with(nested(8)), ""},
         {with(nested(9)), "properties: deeper than 8 levels"},
         {with(R"({"a":[[[[[[[1]]]]]]]})"), ""},
         {with(R"({"a":[[[[[[[[1]]]]]]]]})"), "properties: deeper than 8 levels"},
         {with(R"({"a":1,"a":2})"), "properties: a name given twice in one object"},
         {with(R"({"a":nul})"), "properties: not JSON"},
         {with(R"({"a":truth})"), "properties: not JSON"},
         {with(R"({"a":1e999})"), "properties: not a number a double can hold"},
         {with(R"({"a":-})"), "properties: not JSON"},
         {with(R"({"a":"\ud800"})"), "properties: a bad escape in a string"},
         {with(R"({"a":1,})"), "properties: not JSON"},
         {with(R"({"a":[1,]})"), "properties: not JSON"},
         {with(R"({"a":[1 2]})"), "properties: not JSON"},
         {with(R"({"a":}})"), "properties: not JSON"},
         {with(R"({"a" 1})"), "properties: not JSON"},
         {with(R"({"a":[}])"), "properties: not JSON"}});
  BOOST_TEST(parsed(with(filled)).properties == filled);
}

BOOST_AUTO_TEST_CASE(the_canonical_form_is_that_of_rfc_8785)
{
  std::string out;
  append_event_json(
      parsed(
          R"({"type":"purchase","items":[{"quantity":2,"price":1.50,"item":"\u0041\/"},{"item":"b"}],"time":"1970-01-01T00:00:01Z",
    "customer":"c","order":"o","properties":{"z":1.0,"a":"\u00e9"},"id":"e","currency":"EUR","session":"s"})"),
      out);
  BOOST_TEST(out ==
             "{\"currency\":\"EUR\",\"customer\":\"c\",\"id\":\"e\",\"items\":[{\"item\":\"A/"
             "\",\"price\":\"1.5\",\"quantity\":2},{\"item\":\"b\"}],"
             "\"order\":\"o\",\"properties\":{\"a\":\"\xc3\xa9\",\"z\":1},\"session\":\"s\",\"time\":1000,\"type\":\"purchase\"}");
}

BOOST_AUTO_TEST_CASE(an_event_is_read_back_from_its_canonical_form)
{
  EventParser parser;
  BOOST_TEST(rc::check([&parser] {
    Event event = *testing::gen_event({.types = testing::event_types(true), .odd = true});
    if (*rc::gen::arbitrary<bool>()) {
      event.sent = Timestamp{*rc::gen::inRange<std::int64_t>(kMinTime.ms, kMaxTime.ms + 1)};
    }
    std::string json;
    append_event_json(event, json);
    Event back;
    const auto read = parser.parse(json, back);
    if (!read) {
      RC_FAIL(read.error().text() + " in " + json);
    }
    if (!event.properties.empty()) {
      std::string canonical;
      RC_ASSERT(append_canonical_json(event.properties, canonical).ok());
      event.properties = canonical;
    }
    RC_ASSERT(back == event);
    std::string again;
    RC_ASSERT(append_canonical_json(json, again).ok());
    RC_ASSERT(again == json);
  }));
}

BOOST_AUTO_TEST_CASE(what_is_accepted_is_json)
{
  // Lines broken in one or two places; nlohmann is the judge of what JSON is.
  EventParser parser;
  int accepted = 0;
  BOOST_TEST(rc::check([&] {
    const Event event = *testing::gen_event({.types = testing::event_types(true), .odd = true});
    std::string json;
    append_event_json(event, json);
    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, json.size());
      const char byte = *rc::gen::elementOf(std::string("{}[]\",:\\u0eE.-+1tfn \n\0\xff", 24));
      switch (*rc::gen::inRange(0, 3)) {
        case 0:
          json[at] = byte;
          break;
        case 1:
          json.insert(at, 1, byte);
          break;
        default:
          json.erase(at, 1);
          break;
      }
      if (json.empty()) {
        break;
      }
    }
    Event back;
    if (parser.parse(json, back)) {
      ++accepted;
      RC_ASSERT(nlohmann::json::accept(json));
    }
  }));
  BOOST_TEST(accepted > 0);
}

BOOST_AUTO_TEST_CASE(a_parser_is_as_good_after_a_fault_as_before)
{
  EventParser parser;
  Event event;
  for (const char* bad : {"{\"type\":\"view\",\"properties\":{\"a\":[[[", "{", "", "{\"type\":1}", "{\"price\":\"\xff\"}"}) {
    BOOST_TEST(!parser.parse(bad, event).ok());
    BOOST_TEST(parser.parse(R"({"type":"view","customer":"c","item":"i","properties":{"a":[1]}})", event).ok());
    BOOST_TEST(event.properties == R"({"a":[1]})");
  }
}

BOOST_AUTO_TEST_CASE(nothing_of_an_event_is_left_in_the_next)
{
  EventParser parser;
  Event event;
  BOOST_REQUIRE(
      parser.parse(R"({"type":"purchase","customer":"c","order":"o","items":[{"item":"a"}],"properties":{}})", event).ok());
  BOOST_REQUIRE(parser.parse(R"({"type":"forget","customer":"d"})", event).ok());
  Event expected;
  expected.type = EventType::forget;
  expected.customer = CustomerId("d");
  BOOST_TEST((event == expected));
}

BOOST_AUTO_TEST_SUITE_END()
