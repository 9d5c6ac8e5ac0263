#include "core/money.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <limits>

using namespace attune;

BOOST_AUTO_TEST_SUITE(money)

BOOST_AUTO_TEST_CASE(a_decimal_is_read_as_micro_units)
{
  const std::pair<const char*, std::int64_t> cases[] = {{"0", 0},
                                                        {"5", 5'000'000},
                                                        {"19.99", 19'990'000},
                                                        {"0.000001", 1},
                                                        {"-0.000001", -1},
                                                        {"12.50", 12'500'000},
                                                        {"-7", -7'000'000},
                                                        {"1000000000", kMaxPriceMicro},
                                                        {"-0", 0},
                                                        {"0.0", 0},
                                                        {"9223372036854.775807", std::numeric_limits<std::int64_t>::max()},
                                                        {"-9223372036854.775808", std::numeric_limits<std::int64_t>::min()}};
  for (const auto& [text, micro] : cases) {
    BOOST_TEST_CONTEXT(text)
    {
      const auto money = parse_money(text);
      BOOST_REQUIRE(money.has_value());
      BOOST_TEST(money->micro == micro);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_decimal_or_does_not_fit_is_refused)
{
  for (const char* text : {"",
                           "-",
                           ".",
                           ".5",
                           "5.",
                           "1e3",
                           "1E3",
                           "+1",
                           " 1",
                           "1 ",
                           "01",
                           "00",
                           "-01",
                           "1,5",
                           "0x1",
                           "NaN",
                           "Infinity",
                           "1.2.3",
                           "--1",
                           "1.0000001",
                           "0.0000000",
                           "9223372036854.775808",
                           "-9223372036854.775809",
                           "99999999999999999999999999999999999999999",
                           "\xd9\xa1"}) {
    BOOST_TEST_CONTEXT(text)
    {
      BOOST_TEST(!parse_money(text).has_value());
    }
  }
  BOOST_TEST(!parse_money(std::string_view("1\0", 2)).has_value());
}

BOOST_AUTO_TEST_CASE(the_form_of_a_decimal_is_known_however_large_it_is)
{
  BOOST_TEST(is_decimal(std::string(300, '9')));
  BOOST_TEST(is_decimal("0.12345678901234567890"));
  BOOST_TEST(!is_decimal("1e3"));
}

BOOST_AUTO_TEST_CASE(an_amount_is_written_without_needless_zeros)
{
  const std::pair<std::int64_t, const char*> cases[] = {{0, "0"},         {12'500'000, "12.5"}, {-1, "-0.000001"},
                                                        {1'000'000, "1"}, {100'000, "0.1"},     {-12'000'010, "-12.00001"}};
  for (const auto& [micro, text] : cases) {
    BOOST_TEST(to_string(Money{micro}) == text);
  }
}

BOOST_AUTO_TEST_CASE(the_smallest_and_largest_total_survive_their_text)
{
  const Int128 largest = static_cast<Int128>((~static_cast<unsigned __int128>(0)) >> 1);
  for (const Int128 micro : {largest, -largest - 1, largest - 1, -largest}) {
    const Total total{micro};
    BOOST_TEST((parse_total(to_string(total)) == std::optional<Total>(total)));
  }
  BOOST_TEST(!parse_total("170141183460469231731687303715884.105728").has_value());
}

BOOST_AUTO_TEST_CASE(any_amount_is_read_back_from_its_text)
{
  BOOST_TEST(
      rc::check([](std::int64_t micro) { RC_ASSERT(parse_money(to_string(Money{micro})) == std::optional<Money>(Money{micro})); }));
}

BOOST_AUTO_TEST_CASE(a_currency_is_three_capital_letters)
{
  BOOST_TEST((parse_currency("EUR") && parse_currency("EUR")->text() == "EUR"));
  BOOST_TEST(Currency{}.text().empty());
  for (const char* text : {"", "eur", "EU", "EURO", "E1R", "EUR "}) {
    BOOST_TEST_CONTEXT(text)
    {
      BOOST_TEST(!parse_currency(text).has_value());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
