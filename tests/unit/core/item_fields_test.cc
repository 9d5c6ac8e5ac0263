#include "core/item_fields.h"

#include <boost/test/unit_test.hpp>

namespace attune {
namespace {

CatalogItem phone()
{
  return *parse_catalog_item(
      R"({"item":"p","name":"A \"phone\"","categories":["phones"],"price":"549.50","currency":"EUR","stock":0,"url":"/p","accessories":["c","g"]})");
}

std::string told(std::string_view fields, const CatalogItem& item)
{
  const auto parsed = ItemFields::parse(fields);
  BOOST_TEST_REQUIRE(parsed.ok());
  std::string out;
  parsed->append(item, out);
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(item_fields)

BOOST_AUTO_TEST_CASE(what_is_asked_for_is_told_in_one_order_and_what_an_item_has_not_is_left_out)
{
  BOOST_TEST(told("url,name,image", phone()) == R"(,"name":"A \"phone\"","url":"/p")");
  BOOST_TEST(told("price", phone()) == R"(,"price":"549.5","currency":"EUR")");
  BOOST_TEST(told("stock,tags", phone()) == R"(,"stock":0)");
  BOOST_TEST(told("accessories,categories", phone()) == R"(,"categories":["phones"],"accessories":["c","g"])");
  BOOST_TEST(told("", phone()).empty());
  BOOST_TEST(told("name,price", CatalogItem{}).empty());
}

BOOST_AUTO_TEST_CASE(a_field_the_catalog_does_not_have_is_refused_by_name)
{
  for (const std::string_view text : {"colour", "name,colour", "name,,price", ",", "name, price", "NAME"}) {
    const auto parsed = ItemFields::parse(text);
    BOOST_TEST(!parsed.ok());
    if (!parsed) BOOST_TEST(parsed.error().field == "fields");
  }
  BOOST_TEST(ItemFields::parse("name,colour").error().text() == "fields: unknown: colour");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
