#include "pipeline/dead_letter.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>

#include "adapters/file_log.h"
#include "support/scratch.h"

namespace attune {

namespace {

std::string json_of(const DeadLetter& letter)
{
  std::string json;
  append_dead_letter_json(letter, json);
  return json;
}

// Takes records up to a size, and remembers the values.
class SmallLog final : public LogWriter {
 public:
  Status append(const OutgoingRecord& record, Delivered) override
  {
    if (record.value->size() > 1'000'000) return Error{Code::bad_data, "too large for the log"};
    values.emplace_back(*record.value);
    topics.emplace_back(record.topic);
    return {};
  }
  Status flush(Milliseconds) override { return {}; }
  std::uint64_t undelivered() const override { return 0; }
  bool delivery_failed() const override { return false; }
  std::vector<std::string> values, topics;
};

} // namespace

BOOST_AUTO_TEST_SUITE(dead_letter)

BOOST_AUTO_TEST_CASE(a_letter_is_one_line_that_names_source_field_and_reason)
{
  BOOST_TEST(json_of({"stdin:7", "price", "not a decimal", "{\"price\":\"x\"}\n", {1700000000000}}) ==
             R"({"source":"stdin:7","field":"price","reason":"not a decimal","time":1700000000000,"value":"{\"price\":\"x\"}\n"})");
  BOOST_TEST((DeadLetter{"stdin:7", "price", "not a decimal", "", {}}.text()) == "stdin:7: price: not a decimal");
  BOOST_TEST((DeadLetter{"stdin:7", "", "not JSON", "", {}}.text()) == "stdin:7: not JSON");
}

BOOST_AUTO_TEST_CASE(any_bytes_come_back_as_they_were)
{
  BOOST_TEST(rc::check("letter, line, letter", [](const std::string& value, const std::string& header) {
    const auto json = json_of({"a:1", "", "why", value, {0}, "csv", header});
    RC_ASSERT(json.find('\n') == std::string::npos);
    const auto letter = parse_dead_letter(json);
    RC_ASSERT(letter.ok());
    RC_ASSERT(letter->value == value);
    RC_ASSERT(letter->header == header);
    RC_ASSERT(letter->format == "csv");
  }));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf8_are_base64)
{
  const auto json = json_of({"a:1", "", "why", "\xff\xfe", {0}});
  BOOST_TEST(json.find(R"("value":{"b64":"//4="})") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_reason_that_quotes_broken_input_is_still_json)
{
  const auto letter = parse_dead_letter(json_of({"a\xff:1", "f\xc3", "\xf0 is odd", "v", {0}}));
  BOOST_REQUIRE(letter.ok());
  BOOST_TEST(letter->source == "a?:1");
}

BOOST_AUTO_TEST_CASE(what_is_no_letter_is_refused_with_a_reason)
{
  BOOST_TEST(rc::check("any bytes", [](const std::string& bytes) { static_cast<void>(parse_dead_letter(bytes)); }));
  BOOST_TEST(parse_dead_letter("[1]").error().text() == "not a dead letter: not a JSON object");
  BOOST_TEST(parse_dead_letter("{}").error().text() == "value: missing");
  BOOST_TEST(parse_dead_letter(R"({"value":{"b64":"!"}})").error().field == "value");
  BOOST_TEST(parse_dead_letter(R"({"value":"","format":1})").error().text() == "format: not a string");
}

BOOST_AUTO_TEST_CASE(keys_people_add_to_a_letter_do_no_harm)
{
  const auto letter = parse_dead_letter(R"({"seen by":"ana","value":"v"})");
  BOOST_REQUIRE(letter.ok());
  BOOST_TEST(letter->value == "v");
}

BOOST_AUTO_TEST_CASE(a_letter_too_large_for_its_log_is_cut_and_says_so)
{
  SmallLog log;
  LogDeadLetters sink(log, "shop.attune_dead_letters");
  const std::string value(2'000'000, '\x01'); // six bytes each in JSON
  BOOST_TEST(sink.put({"stdin:1", "", "too long", value, {0}}).ok());
  BOOST_REQUIRE(log.values.size() == 1u);
  BOOST_TEST(log.topics[0] == "shop.attune_dead_letters");
  const auto letter = parse_dead_letter(log.values[0]);
  BOOST_REQUIRE(letter.ok());
  BOOST_TEST(letter->value == value.substr(0, letter->value.size()));
  BOOST_TEST(letter->value.size() > 100'000u);
  BOOST_TEST(log.values[0].find("too long (cut here from 2000000 bytes)") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
