#include "service/config.h"

#include <boost/test/unit_test.hpp>

#include "unit/service/surroundings.h"

using namespace attune;
using attune::testing::Files;

namespace {

const std::vector<std::string> kKeys{"log", "group", "count", "X"};

struct ConfigFile {
  Files scratch;
  std::string path;

  Result<ConfigValues> read(const std::string& text)
  {
    path = scratch.write("a.toml", text);
    return read_config(path, "attune-produce", kKeys);
  }
  std::string error(const std::string& text)
  {
    const auto values = read(text);
    BOOST_REQUIRE(!values.ok());
    BOOST_TEST((values.error().code == Code::config));
    BOOST_TEST(values.error().message.starts_with(path));
    return values.error().message.substr(path.size());
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(config, ConfigFile)

BOOST_AUTO_TEST_CASE(values_of_every_type_become_texts)
{
  const auto values = read("log = 'file:///x'\ncount = 5\nX = ['a=b', 'c=d']\ngroup = true\n").value();
  BOOST_TEST(values.at("log").texts == std::vector<std::string>{"file:///x"});
  BOOST_TEST(values.at("count").texts == std::vector<std::string>{"5"});
  BOOST_TEST(values.at("group").texts == std::vector<std::string>{"true"});
  BOOST_TEST(values.at("X").texts == (std::vector<std::string>{"a=b", "c=d"}));
  BOOST_TEST(values.at("count").place == path + ":2");
}

BOOST_AUTO_TEST_CASE(the_table_of_the_program_beats_the_plain_keys)
{
  const auto values = read("log = 'plain'\n[attune-produce]\nlog = 'mine'\n[attune-consume]\nlog = 'another'\n").value();
  BOOST_TEST(values.at("log").texts.front() == "mine");
}

BOOST_AUTO_TEST_CASE(a_key_of_another_program_is_left_to_it)
{
  BOOST_TEST(!read("model = '/m'\n").value().contains("model"));
}

BOOST_AUTO_TEST_CASE(a_key_no_program_knows_is_an_error_that_names_its_line)
{
  BOOST_TEST(error("log = 'x'\n\ngrop = 'y'\n") == ":3: grop: unknown key (did you mean group?)");
}

BOOST_AUTO_TEST_CASE(a_key_of_another_program_is_an_error_in_the_own_table)
{
  BOOST_TEST(error("[attune-produce]\nmodel = '/m'\n") == ":2: model: attune-produce has no such option");
}

BOOST_AUTO_TEST_CASE(an_unknown_key_in_the_table_of_another_program_is_an_error)
{
  BOOST_TEST(error("[attune-train]\nmodle = '/m'\n") == ":2: modle: unknown key (did you mean model?)");
}

BOOST_AUTO_TEST_CASE(a_table_of_no_program_is_an_error)
{
  BOOST_TEST(error("[attune-prodce]\n") == ":1: attune-prodce: no program has this name (did you mean attune-produce?)");
}

BOOST_AUTO_TEST_CASE(what_is_no_toml_is_an_error_that_names_its_line)
{
  BOOST_TEST(error("log = 'x'\ngroup = \n").starts_with(":2: "));
  BOOST_TEST(error("log = 2020-01-01\n") == ":1: log: not text, a number, true, false or a list of them (a date stands in quotes)");
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_an_error)
{
  const auto values = read_config(scratch.path("none.toml"), "attune-produce", kKeys);
  BOOST_REQUIRE(!values.ok());
  BOOST_TEST(values.error().message == scratch.path("none.toml") + ": No such file or directory");
}

BOOST_AUTO_TEST_CASE(a_quoted_string_reads_back)
{
  const std::string text = "a\"b\\c\n\t\x01\x7f é";
  BOOST_TEST(read("log = " + toml_string(text) + "\n").value().at("log").texts.front() == text);
}

BOOST_AUTO_TEST_SUITE_END()
