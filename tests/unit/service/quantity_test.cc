#include "service/quantity.h"

#include <rapidcheck.h>
#include <boost/test/unit_test.hpp>

using namespace attune;

BOOST_AUTO_TEST_SUITE(quantity)

BOOST_AUTO_TEST_CASE(a_duration_is_a_whole_number_with_a_unit)
{
  BOOST_TEST(parse_duration("50ms").value().count() == 50);
  BOOST_TEST(parse_duration("30s").value().count() == 30'000);
  BOOST_TEST(parse_duration("30m").value().count() == 1'800'000);
  BOOST_TEST(parse_duration("1h").value().count() == 3'600'000);
  BOOST_TEST(parse_duration("7d").value().count() == 604'800'000);
  BOOST_TEST(parse_duration("0").value().count() == 0);
  for (const char* wrong : {"", "5", "s", "-1s", "1.5s", "5 s", "5S", "5sm", "9223372036854775807d", "99999999999999999999s"})
    BOOST_TEST(!parse_duration(wrong).ok(), wrong);
}

BOOST_AUTO_TEST_CASE(a_size_counts_in_powers_of_1024)
{
  BOOST_TEST(parse_byte_size("17").value().bytes == 17u);
  BOOST_TEST(parse_byte_size("64k").value().bytes == 65'536u);
  BOOST_TEST(parse_byte_size("64KiB").value().bytes == 65'536u);
  BOOST_TEST(parse_byte_size("1M").value().bytes == 1'048'576u);
  BOOST_TEST(parse_byte_size("2GB").value().bytes == 2ull << 30);
  for (const char* wrong : {"", "k", "-1k", "1.5M", "1x", "99999999T"}) BOOST_TEST(!parse_byte_size(wrong).ok(), wrong);
}

BOOST_AUTO_TEST_CASE(a_rate_is_per_second_unless_it_says_otherwise)
{
  BOOST_TEST(parse_rate("2000").value().per_second == 2000);
  BOOST_TEST(parse_rate("2k/s").value().per_second == 2000);
  BOOST_TEST(parse_rate("1.5M").value().per_second == 1.5e6);
  BOOST_TEST(parse_rate("120/m").value().per_second == 2);
  BOOST_TEST(parse_rate("max").value().per_second == 0);
  for (const char* wrong : {"", "0", "-5", "x", "5/d", "inf", "nan", "1e999", "k"}) BOOST_TEST(!parse_rate(wrong).ok(), wrong);
}

BOOST_AUTO_TEST_CASE(an_error_names_the_text)
{
  BOOST_TEST(parse_rate("x").error().message == "not a rate (like 2000/s, 2k/s, max): x");
  BOOST_TEST(parse_integer("1x").error().message == "not a whole number: 1x");
}

BOOST_AUTO_TEST_CASE(a_quantity_reads_back_from_its_text)
{
  BOOST_TEST(rc::check("durations",
                       [](std::uint32_t ms) { RC_ASSERT(parse_duration(to_text(Milliseconds(ms))).value() == Milliseconds(ms)); }));
  BOOST_TEST(
      rc::check("sizes", [](std::uint32_t bytes) { RC_ASSERT(parse_byte_size(to_text(ByteSize{bytes})).value().bytes == bytes); }));
  BOOST_TEST(rc::check("rates", [] {
    const Rate rate{*rc::gen::positive<double>()};
    RC_ASSERT(parse_rate(to_text(rate)).value() == rate);
  }));
}

BOOST_AUTO_TEST_CASE(no_text_crashes_a_parser)
{
  BOOST_TEST(rc::check("any bytes", [](const std::string& text) {
    static_cast<void>(parse_duration(text));
    static_cast<void>(parse_byte_size(text));
    static_cast<void>(parse_rate(text));
    static_cast<void>(parse_integer(text));
    static_cast<void>(parse_number(text));
    static_cast<void>(parse_truth(text));
  }));
}

BOOST_AUTO_TEST_SUITE_END()
