#include "service/log.h"

#include <boost/test/unit_test.hpp>

#include "unit/service/surroundings.h"

using namespace attune;
using attune::testing::in_child;
using attune::testing::Variable;

namespace {

std::string logged(const LogSettings& settings, LogLevel level, const std::string& message)
{
  const auto ended = in_child([&] {
    set_log(settings);
    log(level, message);
    return 0;
  });
  return ended.err;
}

} // namespace

BOOST_AUTO_TEST_SUITE(log_lines)

BOOST_AUTO_TEST_CASE(a_message_is_one_line_behind_the_name_of_the_program)
{
  BOOST_TEST(logged({"attune-x"}, LogLevel::warning, "stdin:7: price: not a decimal") ==
             "attune-x: stdin:7: price: not a decimal\n");
  BOOST_TEST(logged({"attune-x"}, LogLevel::error, "a\nb\x1b[31m") == "attune-x: a b [31m\n");
}

BOOST_AUTO_TEST_CASE(what_is_below_the_level_is_not_said)
{
  BOOST_TEST(logged({"attune-x", LogLevel::error}, LogLevel::warning, "hm") == "");
  BOOST_TEST(logged({"attune-x", LogLevel::error}, LogLevel::error, "oh") == "attune-x: oh\n");
}

BOOST_AUTO_TEST_CASE(a_password_is_masked)
{
  BOOST_TEST(logged({"attune-x"}, LogLevel::error, "redis://u:hush@h: connect: refused") ==
             "attune-x: redis://u:***@h: connect: refused\n");
}

BOOST_AUTO_TEST_CASE(the_journal_gets_a_priority)
{
  const Variable journal("JOURNAL_STREAM", "8:1");
  BOOST_TEST(logged({"attune-x"}, LogLevel::warning, "hm") == "<4>attune-x: hm\n");
  BOOST_TEST(logged({"attune-x", LogLevel::debug}, LogLevel::debug, "hm") == "<7>attune-x: hm\n");
}

BOOST_AUTO_TEST_CASE(json_is_escaped)
{
  const std::string line = logged({"attune-x", LogLevel::info, LogFormat::json}, LogLevel::warning, "a \"b\" \\ \n");
  BOOST_TEST(line.starts_with("{\"time\":\"2"));
  BOOST_TEST(line.substr(32) == "Z\",\"level\":\"warning\",\"program\":\"attune-x\",\"message\":\"a \\\"b\\\" \\\\ \\u000a\"}\n");
}

BOOST_AUTO_TEST_SUITE_END()
