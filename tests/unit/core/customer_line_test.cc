#include "core/customer_line.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace attune;

namespace {

std::string customer(std::string_view line)
{
  const auto found = parse_customer_line(line);
  return found ? found->text : "no: " + found.error().text();
}

} // namespace

BOOST_AUTO_TEST_SUITE(customer_line)

BOOST_AUTO_TEST_CASE(a_line_names_a_customer_plainly_or_as_json)
{
  BOOST_TEST(customer("ana") == "ana");
  BOOST_TEST(customer("  c 13\t\r") == "c 13");
  BOOST_TEST(customer(R"({"type":"view","customer":"ana","item":"kettle"})") == "ana");
  BOOST_TEST(customer(R"({"recent":[{"customer":"other"}],"customer":"\u00e9"})") == "\u00e9");
}

BOOST_AUTO_TEST_CASE(what_names_nobody_is_told_why)
{
  BOOST_TEST(customer("") == "no: empty");
  BOOST_TEST(customer(" \t") == "no: empty");
  BOOST_TEST(customer("{}") == "no: customer: missing");
  BOOST_TEST(customer(R"({"customer":7})") == "no: customer: not a string");
  BOOST_TEST(customer(R"({"customer":""})").starts_with("no: customer: "));
  BOOST_TEST(customer(std::string(129, 'a')).starts_with("no: customer: "));
  BOOST_TEST(customer("\xff") == "no: customer: not UTF-8");
  BOOST_TEST(customer("{\"customer\":\"ana\"").starts_with("no: "));
}

BOOST_AUTO_TEST_SUITE_END()
