#include "adapters/envelope.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>

namespace attune {
namespace {

struct Bytes {
  std::optional<std::string> text;
  [[nodiscard]] std::optional<std::string_view> view() const
  {
    return text ? std::optional<std::string_view>(*text) : std::nullopt;
  }
};

struct Envelopable {
  Bytes key;
  Bytes value;
  std::vector<std::pair<std::string, Bytes>> headers;

  [[nodiscard]] std::vector<Header> header_views() const
  {
    std::vector<Header> out;
    for (const auto& [name, content] : headers) {
      out.push_back({name, content.view()});
    }
    return out;
  }
};

const TopicPartition kAt{"cart_events", 3};

std::string written(const Envelopable& line, std::int64_t offset = 7, Timestamp timestamp = {1700000000000})
{
  EnvelopeWriter writer;
  Record record;
  record.offset = offset;
  record.timestamp = timestamp;
  record.key = line.key.view();
  record.value = line.value.view();
  record.headers = line.header_views();
  std::string out;
  writer.append_line(kAt, record, out);
  return out;
}

bool same(const std::vector<Header>& a, const std::vector<Header>& b)
{
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Header& x, const Header& y) { return x.name == y.name && x.value == y.value; });
}

// Both ways of reading give back what was written.
bool comes_back(const Envelopable& line, std::int64_t offset = 7, Timestamp timestamp = {1700000000000})
{
  const std::string text = written(line, offset, timestamp);
  if (text.find('\n') != std::string::npos) {
    return false;
  }
  EnvelopeReader reader;
  EnvelopeArena arena;
  std::string head;
  EnvelopeWriter::append_head(kAt, head);
  Record own;
  if (!reader.parse_own(head, text, own, arena).ok() || own.offset != offset || own.timestamp != timestamp ||
      own.key != line.key.view() || own.value != line.value.view() || !same(own.headers, line.header_views())) {
    return false;
  }
  Envelope any;
  return reader.parse(text, any, arena).ok() && any.topic == kAt.topic && any.partition == kAt.partition && any.offset == offset &&
         any.timestamp == timestamp && any.key == line.key.view() && any.value == line.value.view() &&
         same(any.headers, line.header_views());
}

// Bytes that come near everything the rules tell apart.
rc::Gen<std::string> tricky_text()
{
  const auto fragment =
      rc::gen::element<std::string>("{", "}", "[", "]", "\"", "\\", ":", ",", " ", "\n", "\r", "\t", "b64", "\"b64\":", "\"AAAA\"",
                                    "null", "true", "false", "0", "-1.5e3", "1e999", "{\"b64\":\"AAAA\"}", "{\"a\":1}", "\"s\"",
                                    "\\u0062", "é", "\xff", "\xed\xa0\x80", "x", "123456789012345678901234567890");
  return rc::gen::oneOf(rc::gen::map(rc::gen::container<std::vector<std::string>>(fragment),
                                     [](const std::vector<std::string>& parts) {
                                       std::string out;
                                       for (const auto& part : parts) {
                                         out += part;
                                       }
                                       return out;
                                     }),
                        rc::gen::arbitrary<std::string>(), fragment);
}

rc::Gen<Bytes> any_bytes()
{
  return rc::gen::map(rc::gen::maybe(tricky_text()), [](const rc::Maybe<std::string>& text) {
    return Bytes{text ? std::optional<std::string>(*text) : std::nullopt};
  });
}

std::string value_of(const std::string& line)
{
  const std::string mark = "\"value\":";
  return line.substr(line.find(mark) + mark.size(), line.size() - line.find(mark) - mark.size() - 1);
}

std::string shown_as(const std::string& value)
{
  return value_of(written({{"k"}, {value}, {}}));
}

std::string refused(std::string_view line)
{
  EnvelopeReader reader;
  EnvelopeArena arena;
  Envelope out;
  const Status status = reader.parse(line, out, arena);
  return status.ok() ? "" : status.error().message;
}

} // namespace

BOOST_AUTO_TEST_SUITE(envelope)

BOOST_AUTO_TEST_CASE(any_record_comes_back_byte_for_byte)
{
  BOOST_TEST(rc::check([] {
    Envelopable line;
    line.key = *any_bytes();
    line.value = *any_bytes();
    const auto names = *rc::gen::container<std::vector<std::string>>(tricky_text());
    for (const auto& name : names) {
      line.headers.emplace_back(name, *any_bytes());
    }
    RC_ASSERT(comes_back(line, *rc::gen::nonNegative<std::int64_t>(), Timestamp{*rc::gen::arbitrary<std::int64_t>()}));
  }));
}

BOOST_AUTO_TEST_CASE(what_could_be_confused_is_not)
{
  for (const std::string value : {"null",
                                  "\"\"",
                                  "\"x\"",
                                  "{\"b64\":\"AAAA\"}",
                                  "{\"b64\":\"not base64\"}",
                                  "{\"b64\":null}",
                                  "{\"b64\":\"A\",\"c\":1}",
                                  " {\"b64\":\"AAAA\"}",
                                  "{ \"b64\":\"AAAA\"}",
                                  "{\"\\u00624\":1}",
                                  "{\"\\u006264\":\"AAAA\"}",
                                  "{}",
                                  "[]",
                                  "0",
                                  "-0",
                                  "1.0",
                                  "true",
                                  "nul",
                                  "nulll",
                                  "{\"a\":1} ",
                                  "{\"a\":1}{",
                                  "",
                                  "\xff",
                                  "{\"a\":\"\xff\"}"}) {
    BOOST_TEST(comes_back({{"k"}, {value}, {}}), value);
    BOOST_TEST(comes_back({{value}, {"{}"}, {{value, {value}}}}), value);
  }
  BOOST_TEST(comes_back({{std::nullopt}, {std::nullopt}, {}}));
  BOOST_TEST(comes_back({{std::nullopt}, {std::string(3'000'000, '[')}, {}}));
}

BOOST_AUTO_TEST_CASE(an_event_is_shown_as_json_and_what_is_not_json_as_text_or_base64)
{
  BOOST_TEST(shown_as("{\"type\":\"view\",\"price\":1.50}") == "{\"type\":\"view\",\"price\":1.50}");
  BOOST_TEST(shown_as("[1,2]") == "[1,2]");
  BOOST_TEST(shown_as("17") == "17");
  BOOST_TEST(shown_as("plain \"text\"\n") == "\"plain \\\"text\\\"\\n\"");
  BOOST_TEST(shown_as("null") == "\"null\"");
  BOOST_TEST(shown_as("{\n}") == "\"{\\n}\"");
  BOOST_TEST(shown_as(std::string("\x00\xff\x10", 3)) == "{\"b64\":\"AP8Q\"}");
  BOOST_TEST(shown_as("{\"b64\":\"AAAA\"}") == "\"{\\\"b64\\\":\\\"AAAA\\\"}\"");
}

BOOST_AUTO_TEST_CASE(headers_are_an_object_until_a_name_repeats_or_is_no_text)
{
  BOOST_TEST(written({{}, {}, {{"a", {"1"}}, {"b", {}}}}).find("\"headers\":{\"a\":\"1\",\"b\":null}") != std::string::npos);
  BOOST_TEST(written({{}, {}, {{"a", {"1"}}, {"a", {"2"}}}}).find("\"headers\":[[\"a\",\"1\"],[\"a\",\"2\"]]") !=
             std::string::npos);
  BOOST_TEST(written({{}, {}, {{"\xff", {"1"}}}}).find("\"headers\":[[{\"b64\":\"/w==\"},\"1\"]]") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_line_written_by_others_is_read_whatever_its_order_and_spaces)
{
  EnvelopeReader reader;
  EnvelopeArena arena;
  Envelope out;
  const Status status = reader.parse(
      " { \"value\" : { \"a\" : [ 1 , 2 ] } , \"headers\" : { \"x\" : {\"b64\":\"AP8=\"} } , \"key\" : \"\\u0063\" , "
      "\"topic\":\"t\" } ",
      out, arena);
  BOOST_TEST(status.ok());
  BOOST_TEST((out.value == std::optional<std::string_view>("{ \"a\" : [ 1 , 2 ] }")));
  BOOST_TEST((out.key == std::optional<std::string_view>("c")));
  BOOST_TEST((out.topic == std::optional<std::string_view>("t")));
  BOOST_TEST(!out.offset.has_value());
  BOOST_REQUIRE(out.headers.size() == 1u);
  BOOST_TEST((out.headers[0].value == std::optional<std::string_view>(std::string_view("\0\xff", 2))));
}

BOOST_AUTO_TEST_CASE(what_is_not_an_envelope_is_refused_with_the_field)
{
  BOOST_TEST(refused("") != "");
  BOOST_TEST(refused("[]") == "not a JSON object");
  BOOST_TEST(refused("{}") == "value: missing");
  BOOST_TEST(refused("{\"value\":1,\"colour\":2}") == "colour: not a field of an envelope");
  BOOST_TEST(refused("{\"value\":1,\"value\":2}") == "value: given twice");
  BOOST_TEST(refused("{\"value\":1,\"offset\":-1}").starts_with("offset: "));
  BOOST_TEST(refused("{\"value\":1,\"partition\":3000000000}").starts_with("partition: "));
  BOOST_TEST(refused("{\"value\":1,\"timestamp\":\"now\"}").starts_with("timestamp: "));
  BOOST_TEST(refused("{\"value\":1,\"topic\":7}").starts_with("topic: "));
  BOOST_TEST(refused("{\"value\":1,\"key\":7}").starts_with("key: "));
  BOOST_TEST(refused("{\"value\":1,\"headers\":7}").starts_with("headers: "));
  BOOST_TEST(refused("{\"value\":1,\"headers\":[[\"a\"]]}").starts_with("headers: "));
  BOOST_TEST(refused("{\"value\":1,\"headers\":[[null,\"a\"]]}").starts_with("headers: "));
  BOOST_TEST(refused("{\"value\":{\"b64\":\"not base64\"}}") == "value: b64: not base64");
  BOOST_TEST(refused("{\"value\":{\"a\":tru}}") != "");
  BOOST_TEST(refused("{\"value\":1}x") != "");
}

BOOST_AUTO_TEST_CASE(a_line_of_another_partition_is_not_our_own)
{
  EnvelopeReader reader;
  EnvelopeArena arena;
  Record out;
  std::string other;
  EnvelopeWriter::append_head({"cart_events", 4}, other);
  const std::string line = written({{"k"}, {"{}"}, {}});
  BOOST_TEST(!reader.parse_own(other, line, out, arena).ok());
}

BOOST_AUTO_TEST_CASE(a_line_that_was_cut_anywhere_is_refused)
{
  const std::string line = written({{"k"}, {"{\"a\":{}}"}, {{"h", {"v"}}}});
  for (std::size_t cut = 0; cut < line.size(); ++cut) {
    BOOST_TEST(refused(std::string_view(line).substr(0, cut)) != "", cut);
  }
}

BOOST_AUTO_TEST_CASE(a_stamp_is_read_off_a_line_of_ours_alone)
{
  std::string head;
  EnvelopeWriter::append_head(kAt, head);
  const auto stamp = envelope_stamp(head, written({{"k"}, {"{}"}, {}}, 42, {-5}));
  BOOST_REQUIRE(stamp.has_value());
  BOOST_TEST(stamp->offset == 42);
  BOOST_TEST(stamp->timestamp.ms == -5);
  BOOST_TEST(!envelope_stamp(head, "{\"value\":1}").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
