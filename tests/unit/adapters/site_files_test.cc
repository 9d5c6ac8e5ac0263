#include "adapters/site_files.h"

#include <boost/test/unit_test.hpp>

namespace attune {
namespace {

unsigned status_of(const SiteFile& file, std::string_view if_none_match)
{
  return site_answer(file, if_none_match).status;
}

} // namespace

BOOST_AUTO_TEST_SUITE(site_files)

BOOST_AUTO_TEST_CASE(the_type_is_by_the_endings_word)
{
  BOOST_TEST(content_type_of("a/b.HTML") == "text/html; charset=utf-8");
  BOOST_TEST(content_type_of("x.tar.svg") == "image/svg+xml");
  BOOST_TEST(content_type_of("html") == "application/octet-stream");
  BOOST_TEST(content_type_of("a.unknown") == "application/octet-stream");
}

BOOST_AUTO_TEST_CASE(a_client_is_spared_what_it_has)
{
  const auto file = site_file("a.css", "a { }");
  BOOST_TEST(status_of(file, "") == 200U);
  BOOST_TEST(status_of(file, file.etag) == 304U);
  BOOST_TEST(status_of(file, "*") == 304U);
  BOOST_TEST(status_of(file, "\"x\", " + file.etag.substr(2)) == 304U); // a weak comparison
  BOOST_TEST(status_of(file, "\"x\"") == 200U);
  BOOST_TEST(status_of(site_file("a.css", "b { }"), file.etag) == 200U);
  BOOST_TEST(site_answer(file, file.etag).body.empty());
}

BOOST_AUTO_TEST_CASE(a_header_is_a_name_and_a_value_and_none_of_the_servers_own)
{
  const auto parsed = parse_site_header("Content-Security-Policy:  default-src 'self'; img-src *");
  BOOST_TEST_REQUIRE(parsed.ok());
  BOOST_TEST(parsed->first == "Content-Security-Policy");
  BOOST_TEST(parsed->second == "default-src 'self'; img-src *");
  for (const std::string_view text :
       {"", ":", "X", "X:", ": x", "X y: z", "X: a\r\nY: b", "X: \x7f", "content-length: 3", "ETag: \"x\""})
    BOOST_TEST(!parse_site_header(text).ok(), text);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
