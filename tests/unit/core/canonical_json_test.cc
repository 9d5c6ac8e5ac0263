#include "core/canonical_json.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>

using namespace attune;

namespace {

std::string canonical(std::string_view json)
{
  std::string out;
  const Check check = append_canonical_json(json, out);
  return check ? out : "refused: " + std::string(check.error());
}

std::string number(std::uint64_t bits)
{
  double value = 0;
  std::memcpy(&value, &bits, sizeof value);
  std::string out;
  append_json_number(value, out);
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(canonical_json)

BOOST_AUTO_TEST_CASE(numbers_have_the_forms_of_rfc_8785_appendix_b)
{
  const std::pair<std::uint64_t, const char*> cases[] = {{0x0000000000000000, "0"},
                                                         {0x8000000000000000, "0"},
                                                         {0x0000000000000001, "5e-324"},
                                                         {0x8000000000000001, "-5e-324"},
                                                         {0x7fefffffffffffff, "1.7976931348623157e+308"},
                                                         {0xffefffffffffffff, "-1.7976931348623157e+308"},
                                                         {0x4340000000000000, "9007199254740992"},
                                                         {0xc340000000000000, "-9007199254740992"},
                                                         {0x4430000000000000, "295147905179352830000"},
                                                         {0x44b52d02c7e14af5, "9.999999999999997e+22"},
                                                         {0x44b52d02c7e14af6, "1e+23"},
                                                         {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
                                                         {0x444b1ae4d6e2ef4e, "999999999999999700000"},
                                                         {0x444b1ae4d6e2ef4f, "999999999999999900000"},
                                                         {0x444b1ae4d6e2ef50, "1e+21"},
                                                         {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
                                                         {0x3eb0c6f7a0b5ed8d, "0.000001"},
                                                         {0x41b3de4355555553, "333333333.3333332"},
                                                         {0x41b3de4355555554, "333333333.33333325"},
                                                         {0x41b3de4355555555, "333333333.3333333"},
                                                         {0x41b3de4355555556, "333333333.3333334"},
                                                         {0x41b3de4355555557, "333333333.33333343"},
                                                         {0xbecbf647612f3696, "-0.0000033333333333333333"},
                                                         {0x43143ff3c1cb0959, "1424953923781206.2"}};
  for (const auto& [bits, text] : cases) {
    BOOST_TEST(number(bits) == text);
  }
}

BOOST_AUTO_TEST_CASE(members_stand_in_the_order_of_utf_16_code_units)
{
  BOOST_TEST(canonical(R"({"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7})") ==
             "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}");
}

BOOST_AUTO_TEST_CASE(nested_objects_are_ordered_and_arrays_are_not)
{
  BOOST_TEST(canonical(R"( { "b" : [ 3 , 1 , { "z" : null , "a" : true } ] , "a" : { "y" : false , "x" : { } } , "ab":[] } )") ==
             R"({"a":{"x":{},"y":false},"ab":[],"b":[3,1,{"a":true,"z":null}]})");
}

BOOST_AUTO_TEST_CASE(strings_are_escaped_as_little_as_may_be)
{
  BOOST_TEST(canonical(R"(["\u0041\/\u00e9","\u0000\u001f\u007f","\b\t\n\f\r\"\\"])") ==
             "[\"A/\xc3\xa9\",\"\\u0000\\u001f\x7f\",\"\\b\\t\\n\\f\\r\\\"\\\\\"]");
}

BOOST_AUTO_TEST_CASE(integers_of_64_bits_keep_every_digit_and_other_numbers_are_doubles)
{
  BOOST_TEST(canonical("[9007199254740993,18446744073709551615,-9223372036854775808,-0,1.0,1e2,1E-7,100000000000000000000]") ==
             "[9007199254740993,18446744073709551615,-9223372036854775808,0,1,100,1e-7,100000000000000000000]");
  BOOST_TEST(canonical("[1e-400,-1e-400]") == "[0,0]");
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_refused_with_a_reason)
{
  const std::pair<const char*, const char*> cases[] = {{"{\"a\":1,\"a\":2}", "a name given twice in one object"},
                                                       {"{\"a\":1,\"\\u0061\":2}", "a name given twice in one object"},
                                                       {"[1e999]", "not a number a double can hold"},
                                                       {"[01]", "not a number a double can hold"},
                                                       {"[\"\\ud800\"]", "a bad escape in a string"},
                                                       {"[\"\\x\"]", "a bad escape in a string"},
                                                       {"[\"\xff\"]", "not UTF-8"},
                                                       {"[\"\x01\"]", "a control character in a string"},
                                                       {"[\"]", "a string without an end"},
                                                       {"[1,]", "not JSON"},
                                                       {"[1 2]", "not JSON"},
                                                       {"{\"a\":1,}", "not JSON"},
                                                       {"{\"a\"}", "not JSON"},
                                                       {"{a:1}", "not JSON"},
                                                       {"[nul]", "not JSON"},
                                                       {"[truex]", "not JSON"},
                                                       {"[", "not JSON"},
                                                       {"", "not JSON"},
                                                       {"[] []", "something stands after the object"},
                                                       {"[]x", "something stands after the object"}};
  for (const auto& [json, reason] : cases) {
    BOOST_TEST_CONTEXT(json)
    {
      BOOST_TEST(canonical(json) == std::string("refused: ") + reason);
    }
  }
}

BOOST_AUTO_TEST_CASE(many_members_with_one_name_twice_are_refused)
{
  std::string json = "{";
  for (int i = 0; i < 50; ++i) {
    json += "\"k" + std::to_string(i) + "\":1,";
  }
  BOOST_TEST(canonical(json + "\"other\":1}").substr(0, 1) == "{");
  BOOST_TEST(canonical(json + "\"k25\":1}") == "refused: a name given twice in one object");
}

BOOST_AUTO_TEST_CASE(depth_is_counted_with_the_outermost_object)
{
  BOOST_TEST(check_json_object(R"({"a":[{}]})", 3).ok());
  BOOST_TEST(check_json_object(R"({"a":[{}]})", 2).error() == kNestedTooDeep);
  BOOST_TEST(check_json_object("[]", 2).error() == "not a JSON object");
  BOOST_TEST(canonical(std::string(100'000, '[')).substr(0, 7) == "refused");
}

BOOST_AUTO_TEST_CASE(a_refused_text_leaves_the_output_as_it_was)
{
  std::string out = "before";
  BOOST_TEST(!append_canonical_json("{\"a\":1,\"b\":nope}", out).ok());
  BOOST_TEST(out == "before");
}

BOOST_AUTO_TEST_CASE(the_order_of_names_is_that_of_their_utf_16_code_units)
{
  // Against the definition: UTF-8 decoded to UTF-16, compared unit by unit.
  const auto encode = [](const std::vector<char32_t>& points) {
    std::pair<std::string, std::u16string> both;
    for (const char32_t point : points) {
      if (point < 0x80) {
        both.first += static_cast<char>(point);
      } else if (point < 0x800) {
        both.first += {static_cast<char>(0xC0 | point >> 6), static_cast<char>(0x80 | (point & 63))};
      } else if (point < 0x10000) {
        both.first += {static_cast<char>(0xE0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 63)),
                       static_cast<char>(0x80 | (point & 63))};
      } else {
        both.first += {static_cast<char>(0xF0 | point >> 18), static_cast<char>(0x80 | (point >> 12 & 63)),
                       static_cast<char>(0x80 | (point >> 6 & 63)), static_cast<char>(0x80 | (point & 63))};
      }
      if (point < 0x10000) {
        both.second += static_cast<char16_t>(point);
      } else {
        both.second += {static_cast<char16_t>(0xD7C0 + (point >> 10)), static_cast<char16_t>(0xDC00 | (point & 0x3FF))};
      }
    }
    return both;
  };
  BOOST_TEST(rc::check([&] {
    const auto point =
        rc::gen::element<char32_t>('a', 'b', 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFB33, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF);
    const auto [a8, a16] = encode(*rc::gen::container<std::vector<char32_t>>(point));
    const auto [b8, b16] = encode(*rc::gen::container<std::vector<char32_t>>(point));
    RC_ASSERT(canonical_less(a8, b8) == (a16 < b16));
  }));
}

BOOST_AUTO_TEST_CASE(a_double_is_read_back_from_its_text)
{
  BOOST_TEST(rc::check([](std::uint64_t bits) {
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    RC_PRE(std::isfinite(value));
    std::string text;
    append_json_number(value, text);
    RC_ASSERT(std::strtod(text.c_str(), nullptr) == value);
    RC_ASSERT(canonical("[" + text + "]") == "[" + text + "]");
  }));
}

BOOST_AUTO_TEST_SUITE_END()
