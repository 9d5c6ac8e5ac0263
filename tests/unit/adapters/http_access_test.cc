#include "adapters/http_access.h"

#include <boost/test/unit_test.hpp>

#include "adapters/http_query.h"
#include "support/events.h"

namespace attune {
namespace {

using namespace testing;

AccessOptions signing()
{
  AccessOptions options;
  options.signing_key = "key";
  return options;
}

std::string signature_of(std::string_view customer)
{
  return CustomerSignature("key").sign(CustomerId(customer));
}

Credentials shows(std::string_view signature, std::string_view alias_signature = {})
{
  return {false, {}, signature, alias_signature};
}

constexpr Credentials kTrusted{true, {}, {}, {}};

unsigned status_of(const std::optional<Denial>& denial)
{
  return denial ? denial->status : 0;
}

} // namespace

BOOST_AUTO_TEST_SUITE(http_access)

BOOST_AUTO_TEST_CASE(with_signing_on_a_customer_is_believed_with_her_signature_alone)
{
  const HttpAccess access(signing());
  const auto event = view("ana", "e", kNoon);
  BOOST_TEST(status_of(access.may_send({}, event)) == 403U);
  const auto own = signature_of("ana");
  BOOST_TEST(status_of(access.may_send(shows(own), event)) == 0U);
  const auto other = signature_of("bob");
  BOOST_TEST(status_of(access.may_send(shows(other), event)) == 403U);
  BOOST_TEST(status_of(access.may_read(shows(other), CustomerId("ana"), false)) == 403U);
  BOOST_TEST(status_of(access.may_send(kTrusted, event)) == 0U);
}

BOOST_AUTO_TEST_CASE(with_signing_on_an_anonymous_visitor_needs_none_but_for_what_concerns_who_she_is)
{
  const HttpAccess access(signing());
  BOOST_TEST(status_of(access.may_send({}, view("anon-1", "e", kNoon))) == 0U);
  BOOST_TEST(status_of(access.may_read({}, CustomerId("anon-1"), false)) == 0U);
  BOOST_TEST(status_of(access.may_read({}, CustomerId("anon-1"), true)) == 403U);
  BOOST_TEST(status_of(access.may_send({}, consent("anon-1", false, "e", kNoon))) == 403U);
  BOOST_TEST(status_of(access.may_send({}, event(EventType::forget, "anon-1", "e", kNoon))) == 403U);
}

BOOST_AUTO_TEST_CASE(with_signing_on_an_unsigned_id_does_not_show_whom_it_became)
{
  const HttpAccess access(signing());
  const auto own = signature_of("anon-1");
  BOOST_TEST(!access.may_read_root({}, CustomerId("anon-1")));
  BOOST_TEST(access.may_read_root(shows(own), CustomerId("anon-1")));
  BOOST_TEST(access.may_read_root(kTrusted, CustomerId("anon-1")));
  BOOST_TEST(HttpAccess(AccessOptions{}).may_read_root({}, CustomerId("anon-1")));
}

BOOST_AUTO_TEST_CASE(an_alias_has_to_be_signed_too)
{
  const HttpAccess access(signing());
  const auto claim = identify("ana", "bob", "e", kNoon);
  const auto own = signature_of("ana"), alias = signature_of("bob");
  BOOST_TEST(status_of(access.may_send(shows(own), claim)) == 403U);
  BOOST_TEST(status_of(access.may_send(shows(own, own), claim)) == 403U);
  BOOST_TEST(status_of(access.may_send(shows(own, alias), claim)) == 0U);
}

BOOST_AUTO_TEST_CASE(with_signing_off_nobody_forgets_and_an_alias_is_anonymous)
{
  const HttpAccess access(AccessOptions{});
  BOOST_TEST(status_of(access.may_send({}, view("ana", "e", kNoon))) == 0U);
  BOOST_TEST(status_of(access.may_send({}, identify("ana", "anon-1", "e", kNoon))) == 0U);
  BOOST_TEST(status_of(access.may_send({}, identify("ana", "bob", "e", kNoon))) == 403U);
  BOOST_TEST(status_of(access.may_send({}, event(EventType::forget, "ana", "e", kNoon))) == 403U);
  BOOST_TEST(status_of(access.may_send(kTrusted, event(EventType::forget, "ana", "e", kNoon))) == 0U);
}

BOOST_AUTO_TEST_CASE(a_write_key_is_asked_for_where_there_are_any)
{
  AccessOptions options;
  options.write_keys = {"one", "two"};
  const HttpAccess access(options);
  BOOST_TEST(status_of(access.may_collect({})) == 401U);
  BOOST_TEST(status_of(access.may_collect({false, "tw", {}, {}})) == 401U);
  BOOST_TEST(status_of(access.may_collect({false, "two", {}, {}})) == 0U);
}

BOOST_AUTO_TEST_CASE(who_comes_too_often_is_told_when_to_come_again)
{
  AccessOptions options;
  options.per_customer = 1;
  HttpAccess access(options);
  for (int i = 0; i < 10; ++i) BOOST_TEST(status_of(access.customers_too_often({"ana"}, 0)) == 0U);
  const auto denied = access.customers_too_often({"ana"}, 0);
  BOOST_TEST(status_of(denied) == 429U);
  BOOST_TEST(denied->retry_after_s == 1);
  BOOST_TEST(status_of(access.customers_too_often({"bob"}, 0)) == 0U);
  BOOST_TEST(status_of(access.customers_too_often({""}, 0)) == 0U);
}

BOOST_AUTO_TEST_CASE(a_batch_counts_for_each_of_its_customers_once_and_for_none_when_one_has_to_wait)
{
  AccessOptions options;
  options.per_customer = 1;
  HttpAccess access(options);
  for (int i = 0; i < 9; ++i) BOOST_TEST(status_of(access.customers_too_often({"ana", "bob", "ana"}, 0)) == 0U);
  BOOST_TEST(status_of(access.customers_too_often({"ana"}, 0)) == 0U);
  BOOST_TEST(status_of(access.customers_too_often({"bob", "ana"}, 0)) == 429U);
  BOOST_TEST(status_of(access.customers_too_often({"bob"}, 0)) == 0U); // the tenth of his: the refused one was not counted
  BOOST_TEST(status_of(access.customers_too_often({"bob"}, 0)) == 429U);
}

BOOST_AUTO_TEST_CASE(an_address_is_limited_and_one_of_ipv6_with_all_of_its_64)
{
  AccessOptions options;
  options.per_address = 1;
  HttpAccess access(options);
  for (int i = 0; i < 10; ++i) BOOST_TEST(status_of(access.address_too_often("2001:db8::" + std::to_string(i), 0)) == 0U);
  BOOST_TEST(status_of(access.address_too_often("2001:db8::ffff", 0)) == 429U);
  BOOST_TEST(status_of(access.address_too_often("2001:db8:0:1::1", 0)) == 0U);
  for (int i = 0; i < 10; ++i) BOOST_TEST(status_of(access.address_too_often("10.0.0.1", 0)) == 0U);
  BOOST_TEST(status_of(access.address_too_often("10.0.0.1", 0)) == 429U);
  BOOST_TEST(status_of(access.address_too_often("10.0.0.2", 0)) == 0U);
}

BOOST_AUTO_TEST_CASE(the_admin_token_comes_behind_bearer_in_any_case)
{
  AccessOptions options;
  options.admin_token = "Token";
  const HttpAccess access(options);
  for (const auto* given : {"Bearer Token", "bearer Token", "BEARER  Token"}) BOOST_TEST(access.is_admin(given), given);
  for (const auto* given : {"", "Token", "Basic Token", "Bearer token", "BearerToken", "Bearer"})
    BOOST_TEST(!access.is_admin(given), given);
}

BOOST_AUTO_TEST_CASE(a_page_of_another_site_is_not_the_admin_listeners_own)
{
  BOOST_TEST(HttpAccess::own_origin("", "127.0.0.1:8081"));
  BOOST_TEST(HttpAccess::own_origin("http://127.0.0.1:8081", "127.0.0.1:8081"));
  BOOST_TEST(HttpAccess::own_origin("https://shop.example", "Shop.Example"));
  for (const auto* origin : {"https://shop.example", "http://127.0.0.1:8080", "http://127.0.0.1", "null", "127.0.0.1:8081"})
    BOOST_TEST(!HttpAccess::own_origin(origin, "127.0.0.1:8081"), origin);
  BOOST_TEST(!HttpAccess::own_origin("http://", ""));
}

BOOST_AUTO_TEST_CASE(only_sites_that_are_configured_may_ask_across_origins)
{
  AccessOptions options;
  options.origins = {"https://shop.example"};
  const HttpAccess access(options);
  BOOST_TEST(access.allowed_origin("https://shop.example") == "https://shop.example");
  BOOST_TEST(access.allowed_origin("https://shop.example.com").empty());
  BOOST_TEST(access.allowed_origin("").empty());
}

BOOST_AUTO_TEST_CASE(parameters_are_decoded_and_what_is_odd_is_refused)
{
  const auto query = HttpQuery::parse("a=1&b=x%20y+z&c&d=%C3%A9");
  BOOST_TEST_REQUIRE(query.ok());
  BOOST_TEST(*query->find("a") == "1");
  BOOST_TEST(*query->find("b") == "x y z");
  BOOST_TEST(query->find("c")->empty());
  BOOST_TEST(*query->find("d") == "\xC3\xA9");
  BOOST_TEST(query->find("e") == nullptr);
  BOOST_TEST(query->unknown({"a", "b", "c"}) == "d");
  BOOST_TEST(!HttpQuery::parse("a=%2").ok());
  BOOST_TEST(!HttpQuery::parse("a=%GG").ok());
  BOOST_TEST(HttpQuery::parse("a=1&b=%2").error().field == "b");
  for (const auto* broken : {"a=%FF", "a=%C3", "a=%ED%A0%80", "a=\xC3"})
    BOOST_TEST(HttpQuery::parse(broken).error().field == "a", broken);
  BOOST_TEST(HttpQuery::parse("%FF=a").error().field.empty());
  BOOST_TEST(!HttpQuery::parse("a=1&a=2").ok());
  std::string many;
  for (int i = 0; i < 65; ++i) many += "p" + std::to_string(i) + "=1&";
  BOOST_TEST(!HttpQuery::parse(many).ok());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
