#include "core/column_map.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace attune;

namespace {

const std::string kHead = "[fields]\ntype = \"t\"\ncustomer = \"c\"\n";

std::string fault(const std::string& toml)
{
  const auto map = ColumnMap::parse(toml, "m.toml");
  if (map) {
    return "";
  }
  BOOST_TEST((map.error().code == Code::config));
  return map.error().message;
}

} // namespace

BOOST_AUTO_TEST_SUITE(column_map)

BOOST_AUTO_TEST_CASE(the_maps_of_the_examples_are_good)
{
  int maps = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ATTUNE_EXAMPLES "/maps")) {
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    const auto map = ColumnMap::parse(text.str(), entry.path().filename().string());
    BOOST_TEST_CONTEXT(entry.path())
    {
      BOOST_TEST(map.ok(), (map ? "" : map.error().message));
    }
    ++maps;
  }
  BOOST_TEST(maps >= 4);
}

BOOST_AUTO_TEST_CASE(a_map_says_what_separates_fields)
{
  BOOST_TEST((*ColumnMap::parse(kHead, "m"))->separator() == ',');
  BOOST_TEST((*ColumnMap::parse("separator = \"\\t\"\n" + kHead, "m"))->separator() == '\t');
}

BOOST_AUTO_TEST_CASE(a_fault_names_the_file_the_line_and_the_thing)
{
  const std::pair<std::string, std::string> cases[] = {
      {kHead, ""},
      {"", "m.toml:1: no [fields]"},
      {"colour = 1\n" + kHead, "m.toml:1: `colour` is not a key of a map"},
      {"fields = 1", "m.toml:1: fields is not a table"},
      {"[fields]\ntype = \"t\"\n", "m.toml:1: no field `customer`"},
      {"[fields]\ncustomer = \"t\"\n", "m.toml:1: no field `type`"},
      {kHead + "colour = \"x\"\n", "m.toml:4: field `colour`: not a field of an event that a column can give"},
      {kHead + "items = \"x\"\n", "m.toml:4: field `items`: not a field of an event that a column can give"},
      {kHead + "item = 5\n", "m.toml:4: field `item` is not a string"},
      {kHead + "item = \"\"\n", "m.toml:4: a column without a name"},
      {kHead + "item = {}\n", "m.toml:4: field `item` needs one of column, join, constant"},
      {kHead + "item = { column = \"a\", constant = \"b\" }\n", "m.toml:4: field `item` needs one of column, join, constant"},
      {kHead + "item = { column = [] }\n", "m.toml:4: column is empty"},
      {kHead + "item = { column = [1] }\n", "m.toml:4: column is not a string"},
      {kHead + "item = { column = \"a\", with = \"-\" }\n", "m.toml:4: field `item`: with needs join"},
      {kHead + "item = { column = \"a\", colour = \"-\" }\n", "m.toml:4: field `item`: `colour` is not one of its keys"},
      {kHead + "item = { column = \"a\", negate = true }\n", "m.toml:4: field `item`: `negate` is not one of its keys"},
      {kHead + "item = { column = \"a\", format = \"s\" }\n", "m.toml:4: field `item`: `format` is not one of its keys"},
      {kHead + "quantity = { column = \"a\", negate = 1 }\n", "m.toml:4: negate is not true or false"},
      {kHead + "item = { constant = \"a\", drop_suffix = \"b\" }\n", "m.toml:4: field `item`: constant stands alone"},
      {kHead + "currency = { constant = \"euro\" }\n", "m.toml:4: field `currency`: `euro`: not three capital letters of ISO 4217"},
      {kHead + "price = { constant = \"1e3\" }\n", "m.toml:4: field `price`: `1e3`: not a decimal"},
      {kHead + "time = { column = \"a\", format = \"nonsense\" }\n",
       "m.toml:4: format `nonsense` is neither \"s\" nor a pattern a time can be read with"},
      {kHead + "time = { column = \"a\", format = \"%Q\" }\n",
       "m.toml:4: format `%Q` is neither \"s\" nor a pattern a time can be read with"},
      {kHead + "time = { column = \"a\", format = \"%99999999999Y\" }\n",
       "m.toml:4: format `%99999999999Y` is neither \"s\" nor a pattern a time can be read with"},
      {kHead + "time = { column = \"a\", format = \"%Y%\" }\n",
       "m.toml:4: format `%Y%` is neither \"s\" nor a pattern a time can be read with"},
      {kHead + "time = { column = \"a\", format = \"%Y-%m-%d %H:%M:%S\" }\n", ""},
      {"[fields]\ncustomer = \"c\"\ntype = { column = \"t\", values = { a = \"views\" } }\n",
       "m.toml:3: field `type`: `views`: unknown type"},
      {"[fields]\ncustomer = \"c\"\ntype = { column = \"t\", values = {} }\n", "m.toml:3: values is empty"},
      {"[fields]\ncustomer = \"c\"\ntype = { constant = \"purchased\" }\n", "m.toml:3: field `type`: `purchased`: unknown type"},
      {"id = []\n" + kHead, "m.toml:1: id is empty"},
      {"id = [\"a\"]\n" + kHead + "id = \"a\"\n", "m.toml:2: field `id` beside the columns of id"},
      {"properties = [\"a\", \"a\"]\n" + kHead, "m.toml:1: properties names a column twice"},
      {"separator = \",,\"\n" + kHead, "m.toml:1: separator is not one ASCII character other than a quote or a line break"},
      {"separator = \"\\\"\"\n" + kHead, "m.toml:1: separator is not one ASCII character other than a quote or a line break"},
      {"rule = 1\n" + kHead, "m.toml:1: rule is not written [[rule]]"},
      {kHead + "[[rule]]\nskip = true\n", "m.toml:4: a rule without `if`"},
      {kHead + "[[rule]]\nif = { column = \"a\", is = \"b\" }\n", "m.toml:4: a rule that does nothing"},
      {kHead + "[[rule]]\nif = { column = \"a\", is = \"b\" }\nskip = true\nitem = \"x\"\n",
       "m.toml:4: a rule with both skip and fields"},
      {kHead + "[[rule]]\nif = { is = \"b\" }\nskip = true\n", "m.toml:5: `if` needs a column and one of is, prefix, empty"},
      {kHead + "[[rule]]\nif = { column = \"a\" }\nskip = true\n", "m.toml:5: `if` needs a column and one of is, prefix, empty"},
      {kHead + "[[rule]]\nif = { column = \"a\", is = \"b\", empty = true }\nskip = true\n",
       "m.toml:5: `if` needs a column and one of is, prefix, empty"},
      {kHead + "[[rule]]\nif = { column = \"a\", empty = false }\nskip = true\n", "m.toml:5: empty can only be true"},
      {kHead + "[[rule]]\nif = { column = \"a\", like = \"b\" }\nskip = true\n", "m.toml:5: `like` is not a key of `if`"},
      {kHead + "[[rule]]\nif = { column = \"a\", is = \"b\" }\nskip = 1\n", "m.toml:6: skip is not true or false"},
      {std::string(2'000'000, '#'), "m.toml:1: over 1 MiB"},
  };
  for (const auto& [toml, message] : cases) {
    BOOST_TEST_CONTEXT(toml.substr(0, 200))
    {
      BOOST_TEST(fault(toml) == message);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_toml_is_refused_with_its_line)
{
  BOOST_TEST(fault("[fields]\n= 1\n").substr(0, 9) == "m.toml:2:");
  BOOST_TEST(fault("a = \xff\n").substr(0, 9) == "m.toml:1:");
  BOOST_TEST(fault("a = " + std::string(10'000, '[')).substr(0, 9) == "m.toml:1:");
}

BOOST_AUTO_TEST_SUITE_END()
