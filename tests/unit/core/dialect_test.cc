#include "core/dialect.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "core/canonical_json.h"
#include "core/column_map.h"
#include "core/event_json.h"

using namespace attune;

namespace {

// The canonical JSON a dialect makes of a line; or "no event", or "refused: why".
std::string read(Dialect& dialect, std::string_view line)
{
  Event event;
  const auto parsed = dialect.parse(line, event);
  if (!parsed) {
    return "refused: " + parsed.error().text();
  }
  if (!*parsed) {
    return "no event";
  }
  std::string json;
  append_event_json(event, json);
  return json;
}

std::string canonical(std::string_view json)
{
  std::string out;
  BOOST_REQUIRE(append_canonical_json(json, out).ok());
  return out;
}

std::string segment(std::string_view line)
{
  static const auto dialect = segment_dialect();
  return read(*dialect, line);
}

std::string track(const std::string& event, const std::string& properties)
{
  return segment(R"({"type":"track","event":")" + event + R"(","userId":"u","properties":)" + properties + "}");
}

std::string cloud(std::string_view line)
{
  static const auto dialect = cloudevents_dialect();
  return read(*dialect, line);
}

std::shared_ptr<const ColumnMap> map_of(const std::string& toml)
{
  auto map = ColumnMap::parse(toml, "test.toml");
  BOOST_REQUIRE_MESSAGE(map.ok(), (map ? "" : map.error().message));
  return *map;
}

std::shared_ptr<const ColumnMap> example(const std::string& name)
{
  std::ifstream file(std::string(ATTUNE_EXAMPLES "/maps/") + name);
  std::stringstream text;
  text << file.rdbuf();
  return map_of(text.str());
}

std::vector<std::string> records(std::string_view text, std::size_t piece, char separator = ',')
{
  CsvRecords splitter(separator);
  std::vector<std::string> all;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    splitter.feed(text.substr(at, piece));
    while (auto record = splitter.next()) {
      all.push_back(*record);
    }
  }
  while (auto record = splitter.finish()) {
    all.push_back(*record);
  }
  return all;
}

std::string without_id(const std::string& json)
{
  const std::size_t at = json.find("\"id\":");
  return at == std::string::npos ? json : json.substr(0, at) + json.substr(at + sizeof "\"id\":" - 1 + 35);
}

} // namespace

BOOST_AUTO_TEST_SUITE(dialect)

BOOST_AUTO_TEST_CASE(attune_is_the_event_as_it_stands)
{
  const auto dialect = attune_dialect();
  BOOST_TEST(read(*dialect, R"({"type":"forget","customer":"c"})") == R"({"customer":"c","type":"forget"})");
  BOOST_TEST(read(*dialect, R"({"type":"forget"})") == "refused: customer: missing");
}

// --- Segment -----------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_segment_message_keeps_its_id_times_and_properties)
{
  BOOST_TEST(segment(R"({"type":"track","event":"Product Added","messageId":"m1","anonymousId":"a1","userId":"u1","channel":"web",
      "timestamp":"2024-02-29T12:00:00Z","sentAt":"2024-02-29T12:00:01Z","context":{"ip":"::1"},
      "properties":{"product_id":"p1","sku":"s1","category":"shoes","quantity":2,"price":19.99,"currency":"EUR","coupon":"X"}})") ==
             canonical(R"({"type":"cart_add","id":"m1","customer":"u1","time":1709208000000,"sent":1709208001000,"item":"p1",
      "category":"shoes","quantity":2,"price":"19.99","currency":"EUR",
      "properties":{"product_id":"p1","sku":"s1","category":"shoes","quantity":2,"price":19.99,"currency":"EUR","coupon":"X"}})"));
}

BOOST_AUTO_TEST_CASE(segment_names_map_onto_types)
{
  const auto customer = [](const std::string& rest) { return canonical(R"({"customer":"u",)" + rest + "}"); };
  const std::string product = R"({"product_id":"p"})";
  const std::string list = R"({"products":[{"product_id":"p","price":1,"quantity":2},{"sku":"s"}]})";
  BOOST_TEST(track("Product Viewed", product) == customer(R"("type":"view","item":"p","properties":)" + product));
  BOOST_TEST(track("Product Clicked", product) == customer(R"("type":"click","item":"p","properties":)" + product));
  BOOST_TEST(track("Product Removed", product) == customer(R"("type":"cart_remove","item":"p","properties":)" + product));
  BOOST_TEST(track("Products Searched", R"({"query":"q"})") ==
             customer(R"("type":"search","query":"q","properties":{"query":"q"})"));
  BOOST_TEST(track("Product List Viewed", list) ==
             customer(R"("type":"impression","items":[{"item":"p"},{"item":"s"}],"properties":)" + list));
  const std::string order = R"({"order_id":"o","products":[{"product_id":"p","price":"1.5","quantity":2},{"sku":"s"}]})";
  const std::string lines = R"("order":"o","items":[{"item":"p","price":"1.5","quantity":2},{"item":"s"}],"properties":)" + order;
  BOOST_TEST(track("Order Completed", order) == customer(R"("type":"purchase",)" + lines));
  BOOST_TEST(track("Order Refunded", order) == customer(R"("type":"refund",)" + lines));
  BOOST_TEST(track("Checkout Started", "{}") == customer(R"("type":"x.checkout","properties":{})"));
  BOOST_TEST(track("  Cart & Wish-List Viewed! ", "{}") == customer(R"("type":"x.cart_wish-list_viewed","properties":{})"));
}

BOOST_AUTO_TEST_CASE(segment_pages_and_screens_are_custom_events)
{
  BOOST_TEST(segment(R"({"type":"page","name":"Home","anonymousId":"a","properties":{"path":"/"}})") ==
             R"({"customer":"a","properties":{"path":"/"},"type":"x.page"})");
  BOOST_TEST(segment(R"({"type":"screen","anonymousId":"a"})") == R"({"customer":"a","type":"x.screen"})");
}

BOOST_AUTO_TEST_CASE(segment_identify_links_the_anonymous_id)
{
  BOOST_TEST(segment(R"({"type":"identify","userId":"u","anonymousId":"a","traits":{"email":"x@y"}})") ==
             R"({"alias":"a","customer":"u","type":"identify"})");
  BOOST_TEST(segment(R"({"type":"alias","userId":"u","previousId":"a"})") == R"({"alias":"a","customer":"u","type":"identify"})");
  BOOST_TEST(segment(R"({"type":"identify","userId":"u"})") == "no event");
  BOOST_TEST(segment(R"({"type":"identify","userId":"u","anonymousId":null})") == "no event");
  BOOST_TEST(segment(R"({"type":"identify","userId":"u","anonymousId":"u"})") == "no event");
  BOOST_TEST(segment(R"({"type":"identify","userId":{},"anonymousId":[]})") == "refused: customer: not a string");
  BOOST_TEST(segment(R"({"type":"identify","userId":"u","anonymousId":true})") == "refused: alias: not a string");
  BOOST_TEST(segment(R"({"type":"identify","anonymousId":1.5})") == "refused: alias: not a string");
}

BOOST_AUTO_TEST_CASE(segment_has_corrected_the_clock_when_the_original_is_there)
{
  BOOST_TEST(segment(R"({"type":"page","userId":"u","timestamp":"1970-01-01T00:00:01Z","originalTimestamp":"1970-01-01T00:00:00Z",
                         "sentAt":"1970-01-01T00:00:00Z"})") == R"({"customer":"u","time":1000,"type":"x.page"})");
}

BOOST_AUTO_TEST_CASE(segment_ids_may_be_integers_and_long_message_ids_are_hashed)
{
  BOOST_TEST(segment(R"({"type":"page","userId":12345678901234567890})") ==
             R"({"customer":"12345678901234567890","type":"x.page"})");
  const std::string id(65, 'm');
  BOOST_TEST(segment(R"({"type":"page","userId":"u","messageId":")" + id + "\"}") ==
             R"({"customer":"u","id":")" + hashed_id(id).text + R"(","type":"x.page"})");
}

BOOST_AUTO_TEST_CASE(segment_messages_are_refused_with_a_reason)
{
  const std::pair<std::string, std::string> cases[] = {
      {"", "empty line"},
      {"{}", "type: missing"},
      {R"({"type":"group"})", "type: not track, identify, alias, page or screen"},
      {R"({"type":7})", "type: not a string"},
      {R"({"type":"track","userId":"u"})", "event: missing"},
      {R"({"type":"track","userId":"u","event":"\u00e9"})", "event: no name"},
      {R"({"type":"track","userId":"u","event":")" + std::string(300, 'e') + "\"}", "event: over 256 bytes"},
      {R"({"type":"page"})", "customer: missing"},
      {R"({"type":"page","userId":1.5})", "customer: not a string"},
      {R"({"type":"page","userId":{}})", "customer: not a string"},
      {R"({"type":"page","userId":"u","properties":[]})", "properties: not an object"},
      {R"({"type":"page","userId":"u","timestamp":"yesterday"})", "time: not RFC 3339 and not integer milliseconds"},
      {R"({"type":"page","userId":"u","timestamp":true})", "time: not RFC 3339 and not integer milliseconds"},
      {R"({"type":"track","userId":"u","event":"Product Viewed","properties":{}})", "item: missing"},
      {R"({"type":"track","userId":"u","event":"Product Viewed"})", "item: missing"},
      {R"({"type":"track","userId":"u","event":"Product Added","properties":{"product_id":"p","quantity":"2"}})",
       "quantity: not a whole number"},
      {R"({"type":"track","userId":"u","event":"Product Added","properties":{"product_id":"p","price":"free"}})",
       "price: not a decimal"},
      {R"({"type":"track","userId":"u","event":"Order Completed","properties":{"products":{}}})", "items: not an array"},
      {R"({"type":"track","userId":"u","event":"Order Completed","properties":{"products":[7]}})", "items[0].item: missing"},
      {R"({"type":"track","userId":"u","event":"Order Completed","properties":{"products":[{"sku":"s","price":-1}]}})",
       "items[0].price: negative"},
      {R"({"type":"track","userId":"u","event":"Order Completed","properties":{}})", "items: missing"},
      {R"({"type":"page","userId":"u","properties":{"a":)" + std::string(8, '[') + std::string(8, ']') + "}}",
       "properties: deeper than 8 levels"},
      {R"({"type":"page","userId":"u"} x)", "something stands after the object"},
      {R"({"type":"page","userId":"u","userId":"v"})", "a name given twice in one object"},
  };
  for (const auto& [line, reason] : cases) {
    BOOST_TEST_CONTEXT(line)
    {
      BOOST_TEST(segment(line) == "refused: " + reason);
    }
  }
}

// --- CloudEvents -------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_envelope_fills_what_the_data_leaves_out)
{
  const std::string id = hashed_id(R"(["/shop","1"])").text;
  BOOST_TEST(
      cloud(R"({"specversion":"1.0","id":"1","source":"/shop","type":"com.attune.view","time":"1970-01-01T00:00:01Z","subject":"c",
                       "datacontenttype":"application/json; charset=utf-8","traceparent":"00-ab","data":{"item":"i"}})") ==
      R"({"customer":"c","id":")" + id + R"(","item":"i","time":1000,"type":"view"})");
  BOOST_TEST(
      cloud(
          R"({"specversion":"1.0","id":"1","source":"/shop","type":"anything","data":{"type":"forget","customer":"d","time":7}})") ==
      R"({"customer":"d","id":")" + id + R"(","time":7,"type":"forget"})");
}

BOOST_AUTO_TEST_CASE(the_id_of_a_cloud_event_is_made_of_source_and_id_together)
{
  const auto id = [](const std::string& source, const std::string& given) {
    const std::string json = cloud(R"({"specversion":"1.0","id":")" + given + R"(","source":")" + source +
                                   R"(","type":"forget","subject":"c","data":{}})");
    return json.substr(json.find("\"id\":"), 40);
  };
  BOOST_TEST(id("a", "b") == id("a", "b"));
  BOOST_TEST(id("a", "b") != id("b", "a"));
  BOOST_TEST(id("ab", "c") != id("a", "bc"));
}

BOOST_AUTO_TEST_CASE(the_type_of_a_cloud_event_names_one_of_attunes)
{
  const auto type = [](const std::string& given) {
    const std::string json =
        cloud(R"({"specversion":"1.0","id":"1","source":"s","subject":"c","type":")" + given + R"(","data":{"item":"i"}})");
    return json.substr(0, 8) == "refused:" ? json : json.substr(json.find("\"type\":"));
  };
  BOOST_TEST(type("view") == R"("type":"view"})");
  BOOST_TEST(type("com.attune.cart_add") == R"("type":"cart_add"})");
  BOOST_TEST(type("com.attune.x.checkout.done") == R"("type":"x.checkout.done"})");
  BOOST_TEST(type("x.page") == R"("type":"x.page"})");
  BOOST_TEST(type("com.shop.x.view") == R"("type":"x.view"})");
  BOOST_TEST(type("com.attune.viewed") == "refused: type: unknown type");
}

BOOST_AUTO_TEST_CASE(money_in_a_cloud_event_never_passes_through_a_float)
{
  const auto price = [](const std::string& given) {
    return cloud(R"({"specversion":"1.0","id":"1","source":"s","type":"view","subject":"c","data":{"item":"i","price":)" + given +
                 "}}");
  };
  BOOST_TEST(price("999999999.999999").find(R"("price":"999999999.999999")") != std::string::npos);
  BOOST_TEST(price("1e3") == "refused: price: not a decimal");
}

BOOST_AUTO_TEST_CASE(cloud_events_are_refused_with_a_reason)
{
  const auto envelope = [](const std::string& rest) {
    return R"({"specversion":"1.0","id":"1","source":"s","type":"forget",)" + rest + "}";
  };
  const std::pair<std::string, std::string> cases[] = {
      {"[]", "not a JSON object"},
      {"{}", "specversion: missing"},
      {R"({"specversion":"0.3"})", "specversion: not 1.0"},
      {R"({"specversion":1.0})", "specversion: not 1.0"},
      {R"({"specversion":"1.0"})", "id: missing"},
      {R"({"specversion":"1.0","id":""})", "id: empty or not a string"},
      {R"({"specversion":"1.0","id":7})", "id: empty or not a string"},
      {R"({"specversion":"1.0","id":"1"})", "source: missing"},
      {R"({"specversion":"1.0","id":"1","source":"s"})", "type: missing"},
      {envelope(R"("x":1)"), "data: missing"},
      {envelope(R"("data":[])"), "data: not an object"},
      {envelope(R"("data_base64":"e30=")"), "data_base64: not JSON"},
      {envelope(R"("datacontenttype":"text/xml","data":{})"), "datacontenttype: not JSON"},
      {envelope(R"("time":7,"data":{})"), "time: empty or not a string"},
      {envelope(R"("time":"noon","data":{"customer":"c"})"), "time: not RFC 3339 and not integer milliseconds"},
      {envelope(R"("data":{})"), "customer: missing"},
      {envelope(R"("data":{"customer":"c","id":"e"})"), "data.id: given beside the id of the envelope"},
      {envelope(R"("data":{"customer":"c","colour":"red"})"), "colour: unknown key"},
      {envelope(R"("data":{"customer":"c"},"data":{})"), "a name given twice in one object"},
  };
  for (const auto& [line, reason] : cases) {
    BOOST_TEST_CONTEXT(line)
    {
      BOOST_TEST(cloud(line) == "refused: " + reason);
    }
  }
}

// --- CSV records -------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_record_ends_at_a_newline_outside_quotes)
{
  const std::string text = "a,b\r\n\"x\ny\",\"say \"\"hi\"\"\n\"\n\n5\" pipe,6\" pipe\n \t\"q\nr\"\nlast";
  const std::vector<std::string> expected{"a,b", "\"x\ny\",\"say \"\"hi\"\"\n\"", "", "5\" pipe,6\" pipe", " \t\"q\nr\"", "last"};
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    BOOST_TEST((records(text, piece) == expected), "in pieces of " << piece);
  }
}

BOOST_AUTO_TEST_CASE(a_quote_opens_only_where_a_field_begins)
{
  BOOST_TEST((records("a;\"x\n\"\nb", 3, ';') == std::vector<std::string>{"a;\"x\n\"", "b"}));
  BOOST_TEST((records("a;\"x\n\"\nb", 3, ',') == std::vector<std::string>{"a;\"x", "\"\nb"}) == false);
  BOOST_TEST((records("a;\"x\nc\nb", 3, ',') == std::vector<std::string>{"a;\"x", "c", "b"}));
  BOOST_TEST((records("\t\"x\ny\"\nb", 3, '\t') == std::vector<std::string>{"\t\"x\ny\"", "b"}));
}

BOOST_AUTO_TEST_CASE(an_open_quote_does_not_swallow_the_records_behind_it)
{
  std::string text = "\"open\n";
  std::size_t lines = 0;
  while (text.size() < 3 * kMaxEventBytes) {
    text += "a,b\n";
    ++lines;
  }
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{65'537}, text.size()}) {
    const auto all = records(text, piece);
    BOOST_TEST(all.size() == lines + 1);
    BOOST_TEST(all.front() == "\"open");
    BOOST_TEST(all.back() == "a,b");
  }
  BOOST_TEST((records("\"open\na,b\nc,d", 4) == std::vector<std::string>{"\"open", "a,b", "c,d"}));
  // The quote that seems to close it opens another field, or stands in the middle of one.
  BOOST_TEST((records("\"open\na,b\nc,\"d\"\ne", 3) == std::vector<std::string>{"\"open", "a,b", "c,\"d\"", "e"}));
  BOOST_TEST((records("\"open\na,b\nc,d\"d\ne", 3) == std::vector<std::string>{"\"open", "a,b", "c,d\"d", "e"}));
  BOOST_TEST((records("\"open\n\"a\nb\nc,\"d\n\"\n", 2) == std::vector<std::string>{"\"open", "\"a", "b", "c,\"d\n\""}));
  BOOST_TEST((records("\"a\r\nb\"\r\nc\r\n", 2) == std::vector<std::string>{"\"a\r\nb\"", "c"}));
}

BOOST_AUTO_TEST_CASE(a_line_without_end_is_cut_in_bounded_memory)
{
  const std::string text = std::string(10'000'000, 'x') + "\nnext\n";
  for (const std::size_t piece : {std::size_t{4096}, text.size()}) {
    const auto all = records(text, piece);
    BOOST_REQUIRE(all.size() == 2U);
    BOOST_TEST(all[0].size() == kMaxEventBytes + 1);
    BOOST_TEST(all[1] == "next");
  }
  BOOST_TEST(records(std::string(200'000, 'x'), 1000).front().size() == kMaxEventBytes + 1);
}

BOOST_AUTO_TEST_CASE(records_do_not_depend_on_how_the_bytes_come)
{
  BOOST_TEST(rc::check([] {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("a,\"\"\n\n\r \t\0", 10)));
    const auto piece = *rc::gen::inRange<std::size_t>(1, 8);
    RC_ASSERT(records(text, piece) == records(text, text.size() + 1));
  }));
}

// --- CSV ---------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(columns_become_fields)
{
  const auto dialect = csv_dialect(map_of(R"toml(
    properties = ["note", "empty"]
    [fields]
    type = { column = "kind", values = { v = "view", add = "cart_add" } }
    customer = { column = ["user", "guest"], drop_suffix = ".0", absent = ["none"] }
    session = { join = ["guest", "kind"], with = "/" }
    item = "thing"
    time = { column = "at", format = "s" }
    category = { column = "cat", absent = ["(not set)"] }
    quantity = { column = "n", negate = true }
    [[rule]]
    if = [{ column = "kind", is = ["v", "w"] }, { column = "n", empty = true }]
    slot = { constant = "home" }
    [[rule]]
    if = { column = "thing", prefix = "test-" }
    skip = true
  )toml"));
  BOOST_TEST(read(*dialect, "\xEF\xBB\xBFkind,user,guest,thing,at,cat,n,note,empty") == "no event");
  BOOST_TEST(
      read(*dialect, "v,17850.0,g,i1,1.5,(not set),,\"say \"\"hi\"\"\",") ==
      R"({"customer":"17850","item":"i1","properties":{"note":"say \"hi\""},"session":"g/v","slot":"home","time":1500,"type":"view"})");
  BOOST_TEST(read(*dialect, "add,none,guest,i1,0,c,-3,,\r") ==
             R"({"category":"c","customer":"guest","item":"i1","quantity":3,"session":"guest/add","time":0,"type":"cart_add"})");
  BOOST_TEST(read(*dialect, "v,u,,test-1,1,,,,") == "no event");
  BOOST_TEST(read(*dialect, "") == "no event");
  BOOST_TEST(read(*dialect, "kind,user,guest,thing,at,cat,n,note,empty") == "no event");
  const std::pair<std::string, std::string> cases[] = {
      {"z,u,g,i,1,,,,", "type: not among the values of the map"},
      {",u,g,i,1,,,,", "type: missing"},
      {"v,,,i,1,,,,", "customer: missing"},
      {"v,u,g,,1,,,,", "item: missing"},
      {"v,u,g,i,x,,,,", "time: not seconds with up to 6 decimals"},
      {"v,u,g,i,1e3,,,,", "time: not seconds with up to 6 decimals"},
      {"v,u,g,i,99999999999999,,,,", "time: not within the years 1 to 9999"},
      {"add,u,g,i,1,,3,,", "quantity: under 1"},
      {"add,u,g,i,1,,x,,", "quantity: not a whole number"},
      {"v,u,g,i,1,,,", "8 cells where the header has 9"},
      {"v,u,g,i,1,,,,,", "10 cells where the header has 9"},
      {"v,u,g,i,1,,,\"x\"y,", "a quote out of place"},
      {"v,u,g,i,1,,,x\"y,", "a quote out of place"},
      {"v,u,g,i,1,,,\"x", "a quote out of place"},
      {"v,u,g,i,1,,,x,\ry", "a carriage return within a record"},
      {"v,u,g,\xff,1,,,,", "not UTF-8"},
      {std::string("v,u,g,a\0b,1,,,,", 15), "item: holds a NUL"},
      {"v," + std::string(129, 'u') + ",g,i,1,,,,", "customer: over 128 bytes"},
      {std::string(kMaxEventBytes + 1, 'x'), "over 64 KiB"},
      {"v,u,g,i,1,,," + std::string(kMaxPropertiesBytes, 'x') + ",", "properties: over 16 KiB"},
  };
  for (const auto& [record, reason] : cases) {
    BOOST_TEST_CONTEXT(record.substr(0, 100))
    {
      BOOST_TEST(read(*dialect, record) == "refused: " + reason);
    }
  }
  BOOST_TEST(read(*dialect, "v,u,g,i,1,,,,").substr(0, 1) == "{");
}

BOOST_AUTO_TEST_CASE(without_its_columns_no_record_can_be_read)
{
  const auto map = map_of("[fields]\ntype = { constant = \"forget\" }\ncustomer = \"user\"\n");
  const auto missing = csv_dialect(map);
  BOOST_TEST(read(*missing, "a,b") == "refused: the header has no column `user`");
  BOOST_TEST(read(*missing, "1,2") == "refused: the header has no column `user`");
  const auto twice = csv_dialect(map);
  BOOST_TEST(read(*twice, "user,a,user") == "refused: the header has column `user` twice");
  const auto unread = csv_dialect(map);
  BOOST_TEST(read(*unread, "a,a,user") == "no event");
  BOOST_TEST(read(*unread, "1,2,u") == R"({"customer":"u","type":"forget"})");
}

BOOST_AUTO_TEST_CASE(the_id_of_a_record_is_made_of_the_columns_the_map_names)
{
  const auto id = [](const std::string& record) {
    const auto dialect = csv_dialect(map_of("id = [\"a\", \"b\"]\n[fields]\ntype = { constant = \"forget\" }\ncustomer = \"c\"\n"));
    Event event;
    BOOST_REQUIRE(dialect->parse("a,b,c", event).ok());
    BOOST_REQUIRE(dialect->parse(record, event).ok());
    return event.id.text;
  };
  BOOST_TEST(id("1,2,x") == hashed_id(R"(["1","2"])").text);
  BOOST_TEST(id("1,2,x") == id("1,2,y"));
  BOOST_TEST(id("1,2,x") != id("12,,x"));
  BOOST_TEST(id("1,2,x") != id("2,1,x"));
}

BOOST_AUTO_TEST_CASE(the_map_of_ga360_reads_its_rows)
{
  const auto dialect = csv_dialect(example("ga360.toml"));
  BOOST_TEST(read(*dialect, "ts_ms,user_id,session_id,event,item_id,price,quantity,category,name,hit,country,device,channel") ==
             "no event");
  BOOST_TEST(
      without_id(read(*dialect, "1470000000000,77,77.14,click,SKU1,4,,(not set),Blue Mug,5,Germany,desktop,Direct")) ==
      R"({"currency":"USD","customer":"77","item":"Blue Mug","price":"4",)"
      R"("properties":{"channel":"Direct","country":"Germany","device":"desktop","item_id":"SKU1"},"session":"77.14","time":1470000000000,"type":"click"})");
  BOOST_TEST(
      without_id(read(*dialect, "1470000000001,77,77.14,purchase,SKU1-L,1.2,20,Mugs/,Blue Mug,31,Germany,desktop,Direct")) ==
      R"({"category":"Mugs/","currency":"USD","customer":"77","item":"Blue Mug","order":"77.14/31","price":"1.2",)"
      R"("properties":{"channel":"Direct","country":"Germany","device":"desktop","item_id":"SKU1-L"},"quantity":20,"session":"77.14","time":1470000000001,"type":"purchase"})");
  BOOST_TEST(read(*dialect, "1470000000002,77,77.14,purchase,SKU1-L,1.2,,Mugs/,Blue Mug,32,Germany,desktop,Direct") == "no event");
  for (const auto& [event, type] :
       {std::pair("addtocart", "cart_add"), {"removefromcart", "cart_remove"}, {"checkout", "x.checkout"}, {"view", "view"}}) {
    const std::string json =
        read(*dialect, std::string("1,77,77.14,") + event + ",SKU1,4,1,Mugs/,Blue Mug,6,Germany,desktop,Direct");
    BOOST_TEST(json.find(std::string("\"type\":\"") + type + '"') != std::string::npos, json);
  }
}

BOOST_AUTO_TEST_CASE(the_map_of_online_retail_tells_orders_credit_notes_and_mistakes_apart)
{
  const auto dialect = csv_dialect(example("online-retail.toml"));
  BOOST_TEST(read(*dialect, "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country") == "no event");
  BOOST_TEST(
      without_id(read(*dialect, "500001,A1,\"MUG, BLUE\",6,2010-12-01 08:26:00,2.55,17850.0,France")) ==
      R"({"currency":"GBP","customer":"17850","item":"A1","order":"500001","price":"2.55","properties":{"Country":"France","Description":"MUG, BLUE"},)"
      R"("quantity":6,"time":1291191960000,"type":"purchase"})");
  BOOST_TEST(
      without_id(read(*dialect, "C500002,A1,MUG,-2,2010-12-01 08:26:00,2.55,,France")) ==
      R"({"currency":"GBP","customer":"C500002","item":"A1","order":"C500002","price":"2.55","properties":{"Country":"France","Description":"MUG"},)"
      R"("quantity":2,"time":1291191960000,"type":"refund"})");
  BOOST_TEST(read(*dialect, "500003,A1,,-2,2010-12-01 08:26:00,0.0,,France") == "refused: quantity: under 1");
  BOOST_TEST(read(*dialect, "C500003,A1,,2,2010-12-01 08:26:00,1.0,,France") == "refused: quantity: under 1");
  BOOST_TEST(read(*dialect, "A500004,B,Adjust,1,2010-12-01 08:26:00,-11062.06,,France") == "refused: price: negative");
  BOOST_TEST(read(*dialect, "500005,A1,,1,2010-12-01T08:26:00,1.0,,France") == "refused: time: not in the format of the map");
  BOOST_TEST(read(*dialect, "500005,A1,,1,2010-12-01 08:26:00 x,1.0,,France") == "refused: time: not in the format of the map");
  BOOST_TEST(read(*dialect, "500005,A1,,1,2010-02-30 08:26:00,1.0,,France") == "refused: time: not in the format of the map");
}

BOOST_AUTO_TEST_CASE(the_maps_of_globo_and_rsc15_read_their_rows)
{
  const auto globo = csv_dialect(example("globo.toml"));
  BOOST_TEST(read(*globo, "ts_ms,user_id,session_id,item_id") == "no event");
  BOOST_TEST(without_id(read(*globo, "1500000000000,5,60,700")) ==
             R"({"customer":"5","item":"700","session":"60","time":1500000000000,"type":"click"})");
  const auto rsc15 = csv_dialect(example("rsc15.toml"));
  BOOST_TEST(read(*rsc15, "SessionId\tItemId\tTime") == "no event");
  BOOST_TEST(without_id(read(*rsc15, "3\t700\t1396437466.94")) ==
             R"({"customer":"3","item":"700","session":"3","time":1396437466940,"type":"click"})");
}

BOOST_AUTO_TEST_SUITE_END()
