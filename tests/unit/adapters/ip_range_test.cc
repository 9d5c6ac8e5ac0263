#include "adapters/ip_range.h"

#include <boost/test/unit_test.hpp>

namespace attune {
namespace {

std::string shown(std::string_view text)
{
  const auto address = parse_ip_address(text);
  return address ? to_string(*address) : "none";
}

bool holds(std::string_view range, std::string_view address)
{
  const auto parsed = parse_ip_range(range);
  BOOST_REQUIRE_MESSAGE(parsed.has_value(), range);
  return parsed->holds(parse_ip_address(address).value());
}

std::string client(std::vector<std::string_view> values)
{
  const std::vector<IpRange> trusted = {*parse_ip_range("10.0.0.0/8"), *parse_ip_range("2001:db8:1::/48")};
  return to_string(forwarded_for(values, *parse_ip_address("10.0.0.1"), trusted));
}

} // namespace

BOOST_AUTO_TEST_SUITE(ip_range)

BOOST_AUTO_TEST_CASE(an_address_has_one_form)
{
  BOOST_TEST(shown("192.0.2.1") == "192.0.2.1");
  BOOST_TEST(shown("::ffff:192.0.2.1") == "192.0.2.1");
  BOOST_TEST(shown("2001:DB8:0:0::1") == "2001:db8::1");
  BOOST_TEST(shown("::1") == "::1");
  for (const char* none : {"", "192.0.2", "192.0.2.256", "192.0.2.1 ", "2001:db8", "unknown", "fe80::1%eth0",
                           "1111111111111111111111111111111111111111111111111"}) {
    BOOST_TEST(shown(none) == "none", none);
  }
  BOOST_TEST(shown(std::string_view("192.0.2.1\0.5", 12)) == "none");
}

BOOST_AUTO_TEST_CASE(a_range_holds_what_shares_its_bits)
{
  BOOST_TEST(holds("10.0.0.0/8", "10.255.0.1"));
  BOOST_TEST(!holds("10.0.0.0/8", "11.0.0.0"));
  BOOST_TEST(holds("192.0.2.128/25", "192.0.2.200"));
  BOOST_TEST(!holds("192.0.2.128/25", "192.0.2.127"));
  BOOST_TEST(holds("192.0.2.7", "192.0.2.7"));
  BOOST_TEST(!holds("192.0.2.7", "192.0.2.6"));
  BOOST_TEST(holds("0.0.0.0/0", "203.0.113.9"));
  BOOST_TEST(!holds("0.0.0.0/0", "2001:db8::1"));
  BOOST_TEST(holds("::/0", "2001:db8::1"));
  BOOST_TEST(holds("::/0", "203.0.113.9"));
  BOOST_TEST(holds("2001:db8::/33", "2001:db8:7fff::"));
  BOOST_TEST(!holds("2001:db8::/33", "2001:db8:8000::"));
  BOOST_TEST(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
}

BOOST_AUTO_TEST_CASE(a_range_that_is_a_mistake_is_refused)
{
  for (const char* text :
       {"", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.1/8", "2001:db8::1/32", "10.0.0.0/8x", "10.0.0.0/-1", "/8", "x/8"}) {
    BOOST_TEST(!parse_ip_range(text), text);
  }
}

BOOST_AUTO_TEST_CASE(the_client_is_the_rightmost_address_that_is_not_trusted)
{
  BOOST_TEST(client({"203.0.113.9"}) == "203.0.113.9");
  BOOST_TEST(client({"198.51.100.1, 203.0.113.9"}) == "203.0.113.9", "what a client wrote itself is not believed");
  BOOST_TEST(client({"203.0.113.9, 10.0.0.7,10.2.2.2"}) == "203.0.113.9");
  BOOST_TEST(client({"203.0.113.9", "10.0.0.7"}) == "203.0.113.9", "several headers are one list");
  BOOST_TEST(client({"2001:db8:2::5, 2001:db8:1::9"}) == "2001:db8:2::5");
  BOOST_TEST(client({"203.0.113.9:4711"}) == "203.0.113.9");
  BOOST_TEST(client({"[2001:db8:2::5]:4711"}) == "2001:db8:2::5");
  BOOST_TEST(client({"10.0.0.3, 10.0.0.7"}) == "10.0.0.3", "all are trusted: the first");
}

BOOST_AUTO_TEST_CASE(what_is_no_address_ends_the_search)
{
  BOOST_TEST(client({}) == "10.0.0.1");
  BOOST_TEST(client({""}) == "10.0.0.1");
  BOOST_TEST(client({"unknown"}) == "10.0.0.1");
  BOOST_TEST(client({"203.0.113.9, unknown, 10.0.0.7"}) == "10.0.0.7");
  BOOST_TEST(client({"203.0.113.9,"}) == "10.0.0.1");
  BOOST_TEST(client({"["}) == "10.0.0.1");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
