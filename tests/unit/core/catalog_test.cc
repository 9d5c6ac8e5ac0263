#include "core/catalog.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>

using namespace attune;

namespace {

std::string fault(std::string_view json)
{
  const auto parsed = parse_catalog_item(json);
  return parsed ? "" : parsed.error().text();
}

std::string with(const std::string& members)
{
  return R"({"item":"i",)" + members + "}";
}

} // namespace

BOOST_AUTO_TEST_SUITE(catalog)

BOOST_AUTO_TEST_CASE(every_field_is_read_and_written_in_canonical_order)
{
  const auto item = parse_catalog_item(
      R"({"url":"https://shop/i1","image":"i1.jpg","item":"i1","name":"Mug","categories":["home","kitchen"],"price":7.50,"currency":"EUR",
          "stock":3,"tags":["new"],"expires":"1970-01-01T00:00:01Z","accessories":["i2"],"deleted":false})");
  BOOST_REQUIRE(item.ok());
  std::string out;
  append_catalog_json(*item, out);
  BOOST_TEST(
      out ==
      R"({"accessories":["i2"],"categories":["home","kitchen"],"currency":"EUR","expires":1000,"image":"i1.jpg","item":"i1","name":"Mug",)"
      R"("price":"7.5","stock":3,"tags":["new"],"url":"https://shop/i1"})");
  BOOST_TEST((*parse_catalog_item(out) == *item));
}

BOOST_AUTO_TEST_CASE(every_limit_is_refused_by_name)
{
  const std::string long_text = '"' + std::string(257, 'a') + '"';
  const std::pair<std::string, std::string> cases[] = {
      {"", "empty line"},
      {"[]", "not a JSON object"},
      {std::string(kMaxEventBytes + 1, ' '), "over 64 KiB"},
      {R"({"item":"i"})", ""},
      {R"({"name":"x"})", "item: missing"},
      {R"({"item":""})", "item: empty"},
      {R"({"item":7})", "item: not a string"},
      {"{\"item\":\"" + std::string(129, 'i') + "\"}", "item: over 128 bytes"},
      {R"({"item":"a\u0000"})", "item: holds a NUL"},
      {"{\"item\":\"\xff\"}", "not UTF-8"},
      {R"({"item":"i","item":"i"})", "a name given twice in one object"},
      {R"({"item":"i"}})", "something stands after the object"},
      {with(R"("colour":1)"), "colour: unknown key"},
      {with(R"("name":null)"), "name: null"},
      {with("\"name\":" + long_text), "name: over 256 bytes"},
      {with("\"url\":\"" + std::string(2049, 'u') + "\""), "url: over 2048 bytes"},
      {with("\"image\":\"" + std::string(2048, 'u') + "\""), ""},
      {with(R"("price":1e3)"), "price: not a decimal"},
      {with(R"("price":"-1")"), "price: negative"},
      {with(R"("price":true)"), "price: not a decimal"},
      {with(R"("currency":"euro")"), "currency: not three capital letters of ISO 4217"},
      {with(R"("stock":0)"), ""},
      {with(R"("stock":-1)"), "stock: negative"},
      {with(R"("stock":1.5)"), "stock: not a whole number"},
      {with(R"("stock":"1")"), "stock: not a whole number"},
      {with(R"("stock":99999999999999999999)"), "stock: over 9223372036854775807"},
      {with(R"("expires":"tomorrow")"), "expires: not RFC 3339 and not integer milliseconds"},
      {with(R"("expires":true)"), "expires: not RFC 3339 and not integer milliseconds"},
      {with(R"("categories":[])"), ""},
      {with(R"("categories":"home")"), "categories: not an array"},
      {with(R"("categories":["a",7])"), "categories[1]: not a string"},
      {with(R"("tags":[""])"), "tags[0]: empty"},
      {with("\"tags\":[" + long_text + "]"), "tags[0]: over 256 bytes"},
      {with("\"accessories\":[\"" + std::string(129, 'i') + "\"]"), "accessories[0]: over 128 bytes"},
      {with(R"("deleted":"yes")"), "deleted: not true or false"},
      {with("\"categories\":" + std::string(20'000, '[')), "nested too deep"},
      {with("\"categories\":" + std::string(20'000, '[') + std::string(20'000, ']')), "nested too deep"},
  };
  for (const auto& [json, reason] : cases) {
    BOOST_TEST_CONTEXT(json.substr(0, 200))
    {
      BOOST_TEST(fault(json) == reason);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_line_replaces_its_item_and_deleted_removes_it)
{
  Catalog catalog;
  catalog.put(*parse_catalog_item(R"({"item":"i","name":"one","stock":1})"));
  catalog.put(*parse_catalog_item(R"({"item":"i","name":"two"})"));
  BOOST_TEST(catalog.size() == 1U);
  BOOST_REQUIRE(catalog.find(ItemId("i")) != nullptr);
  BOOST_TEST(catalog.find(ItemId("i"))->name == "two");
  BOOST_TEST(!catalog.find(ItemId("i"))->stock.has_value());
  catalog.put(*parse_catalog_item(R"({"item":"i","deleted":true})"));
  BOOST_TEST(catalog.size() == 0U);
  BOOST_TEST(catalog.find(ItemId("i")) == nullptr);
  catalog.put(*parse_catalog_item(R"({"item":"never there","deleted":true})"));
  BOOST_TEST(catalog.size() == 0U);
}

BOOST_AUTO_TEST_CASE(an_item_is_read_back_from_its_line)
{
  BOOST_TEST(rc::check([] {
    const auto text = rc::gen::elementOf(std::vector<std::string>{"a", "\"b\"", "\xc3\xa9\n", "x y"});
    CatalogItem item;
    item.item = ItemId(*text);
    item.name = *text;
    item.categories = *rc::gen::container<std::vector<std::string>>(text);
    item.tags = *rc::gen::container<std::vector<std::string>>(text);
    for (const auto& id : *rc::gen::container<std::vector<std::string>>(text)) {
      item.accessories.emplace_back(id);
    }
    if (*rc::gen::arbitrary<bool>()) {
      item.price = Money{*rc::gen::inRange<std::int64_t>(0, kMaxPriceMicro + 1)};
      item.stock = *rc::gen::inRange<std::int64_t>(0, 1000);
      item.expires = Timestamp{*rc::gen::inRange<std::int64_t>(kMinTime.ms, kMaxTime.ms + 1)};
    }
    item.deleted = *rc::gen::arbitrary<bool>();
    std::string json;
    append_catalog_json(item, json);
    const auto back = parse_catalog_item(json);
    RC_ASSERT(back.ok());
    RC_ASSERT(*back == item);
  }));
}

BOOST_AUTO_TEST_SUITE_END()
