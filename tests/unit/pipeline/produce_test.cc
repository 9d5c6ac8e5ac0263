#include "pipeline/produce.h"

#include <boost/test/unit_test.hpp>

#include "adapters/file_log.h"
#include "core/column_map.h"
#include "core/event_proto.h"
#include "support/scratch.h"

namespace attune {

namespace {

constexpr Timestamp kNow{1'700'000'000'000};
constexpr std::string_view kView = R"({"item":"lamp","type":"view","time":1699999999000,"id":"e1","customer":"ana"})";

struct FixedClock final : Clock {
  [[nodiscard]] Timestamp now() const override { return kNow; }
};

// Keeps what it is given; may be told to fail.
class HeldLog final : public LogWriter {
 public:
  struct Kept {
    std::string topic, key, value;
    bool tombstone;
    std::int32_t partition;
  };

  Status append(const OutgoingRecord& record, Delivered delivered) override
  {
    if (refuse) return *refuse;
    kept.push_back({std::string(record.topic), std::string(record.key.value_or("")), std::string(record.value.value_or("")),
                    !record.value, record.partition});
    headers.emplace_back();
    for (const auto& header : record.headers) headers.back().emplace_back(header.name, header.value.value_or("null"));
    if (fail_delivery || hold) ++undelivered_;
    if (delivered && fail_delivery) delivered(*fail_delivery);
    if (delivered && !fail_delivery && !hold) delivered(Placed{0, static_cast<std::int64_t>(kept.size()) - 1});
    return {};
  }
  Status flush(Milliseconds) override
  {
    if (fail_delivery) return *fail_delivery;
    return hold ? Status(Error{Code::unreachable, "timed out after 1 s"}) : Status();
  }
  std::uint64_t undelivered() const override { return undelivered_; }
  bool delivery_failed() const override { return fail_delivery && undelivered_ > 0; }

  std::vector<Kept> kept;
  std::vector<std::vector<std::pair<std::string, std::string>>> headers;
  std::optional<Error> refuse, fail_delivery;
  bool hold = false;

 private:
  std::uint64_t undelivered_ = 0;
};

class Letters final : public DeadLetterSink {
 public:
  Status put(const DeadLetter& letter) override
  {
    texts.push_back(letter.text());
    lines.emplace_back();
    append_dead_letter_json(letter, lines.back());
    return {};
  }
  Status flush(Milliseconds) override { return {}; }
  std::vector<std::string> texts, lines;
};

struct Bench {
  explicit Bench(ProduceOptions options = {})
  {
    ProduceParts parts;
    parts.log = &log;
    parts.dead_letters = &letters;
    parts.clock = &clock;
    parts.randomness = [](std::array<std::uint8_t, 10>& bits) { bits.fill(7); };
    parts.envelope = [this](std::string_view, GivenRecord& record) -> Status {
      record = given;
      return {};
    };
    producer.emplace(std::move(options), std::move(parts));
  }

  void feed(std::string_view text, std::string_view source = "stdin")
  {
    static_cast<void>(producer->take({text, source, ++number, text.size(), false}));
  }
  void feed(std::initializer_list<std::string_view> lines)
  {
    for (const auto line : lines) feed(line);
  }

  HeldLog log;
  Letters letters;
  FixedClock clock;
  GivenRecord given;
  std::uint64_t number = 0;
  std::optional<Producer> producer;
};

ProduceOptions csv_options()
{
  ProduceOptions options;
  options.format = InputFormat::csv;
  auto map = ColumnMap::parse(
      "[fields]\ntype = \"what\"\ncustomer = \"who\"\nitem = \"item\"\nprice = \"price\"\ntime = \"when\"\n", "map.toml");
  BOOST_REQUIRE_MESSAGE(map.ok(), (map.ok() ? "" : map.error().message));
  options.columns = *map;
  return options;
}

} // namespace

BOOST_AUTO_TEST_SUITE(produce)

BOOST_AUTO_TEST_CASE(a_whole_event_travels_as_the_bytes_it_came_in)
{
  Bench bench;
  bench.feed(std::string("  ") + std::string(kView) + " \r");
  BOOST_REQUIRE(bench.log.kept.size() == 1u);
  BOOST_TEST(bench.log.kept[0].value == kView);
  BOOST_TEST(bench.log.kept[0].key == "ana");
  BOOST_TEST(bench.log.kept[0].topic == "customer_clicks");
}

BOOST_AUTO_TEST_CASE(an_event_without_id_and_time_gets_both_before_it_is_sent)
{
  Bench bench;
  bench.feed(R"({"type":"view","customer":"ana","item":"lamp"})");
  BOOST_REQUIRE(bench.log.kept.size() == 1u);
  BOOST_TEST(bench.log.kept[0].value.find(R"("time":1700000000000)") != std::string::npos);
  BOOST_TEST(bench.log.kept[0].value.find(R"("id":")") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(each_type_goes_to_the_topic_of_the_table)
{
  ProduceOptions options;
  options.name_space = "shop";
  Bench bench(options);
  bench.feed({R"({"type":"cart_add","customer":"a","item":"i","id":"1","time":1})",
              R"({"type":"purchase","customer":"a","item":"i","order":"o","id":"2","time":1})",
              R"({"type":"identify","customer":"a","alias":"b","id":"3","time":1})",
              R"({"type":"x.checkout","customer":"a","id":"4","time":1})"});
  BOOST_REQUIRE(bench.log.kept.size() == 4u);
  BOOST_TEST(bench.log.kept[0].topic == "shop.cart_events");
  BOOST_TEST(bench.log.kept[1].topic == "shop.purchase_events");
  BOOST_TEST(bench.log.kept[2].topic == "shop.customer_identity");
  BOOST_TEST(bench.log.kept[3].topic == "shop.customer_clicks");
}

BOOST_AUTO_TEST_CASE(a_bad_line_is_a_dead_letter_and_the_lines_around_it_are_kept)
{
  Bench bench;
  bench.feed({kView, R"({"type":"view"})", "not json", "", kView});
  BOOST_TEST(bench.log.kept.size() == 2u);
  BOOST_REQUIRE(bench.letters.texts.size() == 2u);
  BOOST_TEST(bench.letters.texts[0].starts_with("stdin:2: "));
  BOOST_TEST(bench.letters.texts[1].starts_with("stdin:3: "));
  BOOST_TEST(bench.producer->counts().rejected == 2u);
  BOOST_TEST(bench.producer->counts().acknowledged == 2u);
}

BOOST_AUTO_TEST_CASE(dead_letters_that_come_back_are_read_as_what_they_were)
{
  Bench first;
  first.feed(R"({"type":"view","customer":"ana","item":"lamp","colour":"red","id":"e","time":1})");
  BOOST_REQUIRE(first.letters.lines.size() == 1u);
  auto mended = first.letters.lines[0];
  const std::string wrong = R"(,\"colour\":\"red\")";
  mended.replace(mended.find(wrong), wrong.size(), "");

  ProduceOptions options;
  options.format = InputFormat::dead_letters;
  Bench second(options);
  second.feed({first.letters.lines[0], mended});
  BOOST_REQUIRE(second.log.kept.size() == 1u);
  BOOST_TEST(second.log.kept[0].value == R"({"type":"view","customer":"ana","item":"lamp","id":"e","time":1})");
  // What is still wrong is the same dead letter again, not one around another.
  BOOST_REQUIRE(second.letters.lines.size() == 1u);
  BOOST_TEST(parse_dead_letter(second.letters.lines[0])->value == parse_dead_letter(first.letters.lines[0])->value);
}

BOOST_AUTO_TEST_CASE(a_dead_letter_of_a_protobuf_record_comes_back_as_protobuf)
{
  Event event;
  BOOST_REQUIRE(EventParser().parse(kView, event).ok());
  std::string bytes;
  append_event_proto(event, bytes);
  const auto letter_of = [](std::string_view value) {
    std::string line;
    append_dead_letter_json({"customer_clicks/0@1", "", "told", value, kNow, kProtobufFormat}, line);
    return line;
  };
  ProduceOptions options;
  options.format = InputFormat::dead_letters;
  Bench json(options);
  json.feed({letter_of(bytes), letter_of("\xff")});
  BOOST_REQUIRE(json.log.kept.size() == 1u);
  std::string expected;
  append_event_json(event, expected);
  BOOST_TEST(json.log.kept[0].value == expected);
  // What is no event is the same dead letter again.
  BOOST_REQUIRE(json.letters.lines.size() == 1u);
  const auto again = parse_dead_letter(json.letters.lines[0]);
  BOOST_TEST(again->format == "protobuf");
  BOOST_TEST(again->value == "\xff");

  options.wire = WireFormat::protobuf;
  Bench protobuf(options);
  protobuf.feed(letter_of(bytes));
  BOOST_REQUIRE(protobuf.log.kept.size() == 1u);
  BOOST_TEST(protobuf.log.kept[0].value == bytes);
}

BOOST_AUTO_TEST_CASE(a_csv_record_over_several_lines_is_named_by_its_first)
{
  Bench bench(csv_options());
  bench.feed({"what,who,item,price,when", "view,ana,\"a", "lamp\",1.5,1", "view,ana,lamp,dear,1", "view,bob,lamp,2,1"});
  BOOST_TEST(bench.producer->finish(Milliseconds(0)).ok());
  BOOST_REQUIRE(bench.log.kept.size() == 2u);
  BOOST_TEST(bench.log.kept[0].value.find(R"("item":"a\nlamp")") != std::string::npos);
  BOOST_REQUIRE(bench.letters.texts.size() == 1u);
  BOOST_TEST(bench.letters.texts[0] == "stdin:4: price: not a decimal");
}

BOOST_AUTO_TEST_CASE(a_csv_dead_letter_carries_the_header_it_is_read_by)
{
  Bench first(csv_options());
  first.feed({"what,who,item,price,when", "view,ana,lamp,dear,1"});
  BOOST_REQUIRE(first.letters.lines.size() == 1u);
  auto mended = first.letters.lines[0];
  mended.replace(mended.find("lamp,dear"), 9, "lamp,1.50");

  auto options = csv_options();
  options.format = InputFormat::dead_letters;
  Bench second(options);
  second.feed({mended, mended});
  BOOST_TEST(second.letters.texts.empty());
  BOOST_REQUIRE(second.log.kept.size() == 2u);
  BOOST_TEST(second.log.kept[0].value.find(R"("price":"1.5")") != std::string::npos);

  Bench without_map([] {
    ProduceOptions plain;
    plain.format = InputFormat::dead_letters;
    return plain;
  }());
  without_map.feed(mended);
  BOOST_REQUIRE(without_map.letters.texts.size() == 1u);
  BOOST_TEST(without_map.letters.texts[0] == "stdin:1: format: can not be read here: csv");
}

BOOST_AUTO_TEST_CASE(each_csv_file_has_a_header_of_its_own)
{
  Bench bench(csv_options());
  bench.feed("what,who,item,price,when", "a.csv");
  bench.feed("view,ana,lamp,1,1", "a.csv");
  bench.feed("who,what,item,when,price", "b.csv");
  bench.feed("bob,view,lamp,1,2", "b.csv");
  BOOST_TEST(bench.letters.texts.empty());
  BOOST_REQUIRE(bench.log.kept.size() == 2u);
  BOOST_TEST(bench.log.kept[1].key == "bob");
}

BOOST_AUTO_TEST_CASE(a_quote_left_open_at_the_end_of_a_csv_file_loses_nothing)
{
  Bench bench(csv_options());
  bench.feed({"what,who,item,price,when", "view,ana,\"lamp,1,1", "view,bob,lamp,1,1"});
  BOOST_TEST(bench.producer->finish(Milliseconds(0)).ok());
  BOOST_TEST(bench.letters.texts.size() == 1u);
  BOOST_REQUIRE(bench.log.kept.size() == 1u);
  BOOST_TEST(bench.log.kept[0].key == "bob");
}

BOOST_AUTO_TEST_CASE(a_quote_left_open_in_a_csv_file_costs_its_own_line_alone)
{
  Bench bench(csv_options());
  bench.feed({"what,who,item,price,when", "view,ana,\"lamp,1,1", "view,bob,lamp,1,1", "view,cy,\"lamp\",1,1", "view,di,la\"mp,1,1",
              "view,eve,lamp,dear,1"});
  BOOST_TEST(bench.producer->finish(Milliseconds(0)).ok());
  BOOST_REQUIRE(bench.log.kept.size() == 2u);
  BOOST_TEST(bench.log.kept[0].key == "bob");
  BOOST_TEST(bench.log.kept[1].key == "cy");
  const std::vector<std::string> expected{"stdin:2: a quote out of place", "stdin:5: a quote out of place",
                                          "stdin:6: price: not a decimal"};
  BOOST_TEST(bench.letters.texts == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_line_too_long_to_keep_is_a_dead_letter_that_says_how_long)
{
  Bench bench;
  BOOST_TEST(bench.producer->take({"{\"type\":", "stdin", 1, 20'000'000, true}).ok());
  BOOST_REQUIRE(bench.letters.texts.size() == 1u);
  BOOST_TEST(bench.letters.texts[0] == "stdin:1: a line of 20000000 bytes: only its first 8 are kept");
}

BOOST_AUTO_TEST_CASE(a_record_the_log_finds_too_large_is_a_dead_letter)
{
  Bench bench;
  bench.log.refuse = Error{Code::bad_data, "larger than 1048576 bytes"};
  bench.feed(kView);
  BOOST_TEST(bench.letters.texts.size() == 1u);
  BOOST_TEST(bench.producer->counts().sent == 0u);
  BOOST_TEST(bench.producer->finish(Milliseconds(0)).ok());
}

BOOST_AUTO_TEST_CASE(an_envelope_keeps_topic_key_headers_and_tombstones_and_its_partition_only_when_told)
{
  ProduceOptions options;
  options.format = InputFormat::envelope;
  Bench bench(options);
  bench.given = {"anything", 3, Timestamp{5}, "k", std::nullopt, {{"h", "v"}, {"n", std::nullopt}}};
  bench.feed("x");
  options.keep_partition = true;
  Bench keeping(options);
  keeping.given = bench.given;
  keeping.feed("x");
  BOOST_REQUIRE(bench.log.kept.size() == 1u);
  BOOST_TEST(bench.log.kept[0].topic == "anything");
  BOOST_TEST(bench.log.kept[0].tombstone);
  BOOST_TEST(bench.log.kept[0].partition == kPartitionByKey);
  BOOST_TEST(bench.log.headers[0].size() == 2u);
  BOOST_TEST(keeping.log.kept.at(0).partition == 3);
}

BOOST_AUTO_TEST_CASE(what_nobody_acknowledged_in_time_is_counted_and_worth_another_try)
{
  Bench bench;
  bench.log.hold = true;
  bench.feed({kView, kView});
  const auto finished = bench.producer->finish(std::chrono::seconds(1));
  BOOST_REQUIRE(!finished.ok());
  BOOST_TEST((finished.error().code == Code::busy));
  BOOST_TEST(finished.error().message == "timed out after 1 s (2 of 2 records are not acknowledged)");
}

BOOST_AUTO_TEST_CASE(a_failed_delivery_is_never_a_success)
{
  Bench bench;
  bench.log.fail_delivery = Error{Code::io, "disk full"};
  bench.feed(kView);
  BOOST_TEST(bench.producer->failed());
  const auto finished = bench.producer->finish(std::chrono::seconds(1));
  BOOST_REQUIRE(!finished.ok());
  BOOST_TEST((finished.error().code == Code::io));
  BOOST_TEST(finished.error().message == "disk full (1 of 1 records are not acknowledged)");
}

BOOST_AUTO_TEST_CASE(sending_the_same_lines_twice_gives_the_same_ids)
{
  const auto id_of = [] {
    Bench bench;
    bench.feed(R"({"type":"view","customer":"ana","item":"lamp","time":1})");
    return bench.log.kept.at(0).value;
  };
  BOOST_TEST(id_of() == id_of());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
