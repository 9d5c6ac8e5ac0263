#include "pipeline/event_lines.h"

#include <boost/test/unit_test.hpp>

#include "core/column_map.h"
#include "support/pipeline_fixture.h"

using namespace attune;
using namespace attune::testing;

namespace {

struct Noon final : Clock {
  [[nodiscard]] Timestamp now() const override { return kNoon; }
};

constexpr std::string_view kMap =
    "[fields]\ntype = { constant = \"click\" }\ncustomer = \"who\"\nitem = \"what\"\ntime = { column = \"when\", format = \"s\" "
    "}\n";

struct Lines {
  explicit Lines(InputFormat format, std::shared_ptr<const ColumnMap> columns = {})
      : events(format, std::move(columns), {&clock, [](auto& bits) { bits.fill(7); }, {}}, dead_letters,
               [this](const Event& event) { seen.push_back(event.item.text + "@" + std::to_string(event.time->ms)); })
  {
  }
  void read(std::string_view source, std::initializer_list<std::string_view> lines)
  {
    std::uint64_t number = 0;
    for (const auto text : lines) BOOST_TEST(events.line({text, source, ++number, text.size(), false}).ok());
  }

  Noon clock;
  RememberedDeadLetters dead_letters;
  std::vector<std::string> seen;
  EventLines events;
};

} // namespace

BOOST_AUTO_TEST_SUITE(event_lines)

BOOST_AUTO_TEST_CASE(a_line_without_id_and_time_is_made_whole_and_blank_lines_are_none)
{
  Lines lines(InputFormat::attune);
  lines.read("stdin", {"", R"({"type":"view","customer":"c","item":"lamp"})", "  "});
  BOOST_TEST(lines.seen == (std::vector<std::string>{"lamp@" + std::to_string(kNoon.ms)}), boost::test_tools::per_element());
  BOOST_TEST(lines.events.rejected() == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_no_event_is_a_dead_letter_with_its_place)
{
  Lines lines(InputFormat::attune);
  lines.read("a.ndjson", {"nonsense", R"({"type":"view","customer":"c","item":"lamp","time":1})"});
  BOOST_TEST(lines.seen.size() == 1U);
  BOOST_TEST(lines.events.rejected() == 1U);
  BOOST_REQUIRE(lines.dead_letters.texts.size() == 1U);
  BOOST_TEST(lines.dead_letters.texts[0].starts_with("a.ndjson:1: "));
}

BOOST_AUTO_TEST_CASE(each_csv_file_has_a_header_of_its_own_and_records_may_go_over_lines)
{
  const auto map = ColumnMap::parse(kMap, "map.toml");
  BOOST_TEST_REQUIRE(map.ok());
  Lines lines(InputFormat::csv, *map);
  lines.read("one.csv", {"who,what,when", "c,\"la", "mp\",1"});
  lines.read("two.csv", {"when,who,what", "2,c,desk", "x,c,desk"});
  BOOST_TEST(lines.events.finish().ok());
  BOOST_TEST(lines.seen == (std::vector<std::string>{"la\nmp@1000", "desk@2000"}), boost::test_tools::per_element());
  BOOST_REQUIRE(lines.dead_letters.texts.size() == 1U);
  BOOST_TEST(lines.dead_letters.texts[0].starts_with("two.csv:3: time"));
}

BOOST_AUTO_TEST_SUITE_END()
