#include "pipeline/log_range.h"

#include <boost/test/unit_test.hpp>

#include "adapters/file_log.h"
#include "support/scratch.h"

namespace attune {

namespace {

Result<Milliseconds> hours(std::string_view text)
{
  if (text != "1h") return Error{Code::usage, "not a duration: " + std::string(text)};
  return Milliseconds(3'600'000);
}

constexpr Timestamp kNow{1'700'000'000'000};

LogBound bound(std::string_view text)
{
  auto parsed = parse_log_bound(text, kNow, hours);
  BOOST_REQUIRE_MESSAGE(parsed.ok(), text);
  return *parsed;
}

// Ten records a second apart, offsets 0 to 9, in t/0.
struct TenRecords {
  TenRecords()
  {
    options.dir = scratch.path();
    options.partitions = 1;
    auto writer = open_file_log_writer(options);
    BOOST_REQUIRE(writer.ok());
    for (int i = 0; i < 10; ++i) {
      OutgoingRecord record;
      record.topic = "t";
      record.value = "{}";
      record.timestamp = kNow + Milliseconds(1000 * i);
      BOOST_REQUIRE((*writer)->append(record).ok());
    }
    BOOST_REQUIRE((*writer)->flush(std::chrono::seconds(30)).ok());
    reader = std::move(*open_file_log_reader(options));
  }

  LogRange range(std::string_view from, std::optional<std::string_view> to)
  {
    std::optional<LogBound> end;
    if (to) end = bound(*to);
    auto ranges = resolve_log_ranges(*reader, std::vector<TopicPartition>{{"t", 0}}, bound(from), end);
    BOOST_REQUIRE(ranges.ok());
    return ranges->front();
  }

  testing::Scratch scratch;
  FileLogOptions options;
  std::unique_ptr<LogReader> reader;
};

} // namespace

BOOST_AUTO_TEST_SUITE(log_range)

BOOST_AUTO_TEST_CASE(every_way_to_write_a_bound_is_understood)
{
  BOOST_TEST((bound("earliest").kind == LogBound::Kind::earliest));
  BOOST_TEST((bound("latest").kind == LogBound::Kind::latest));
  BOOST_TEST(bound("120").offset == 120);
  BOOST_TEST(bound("@1700000000001").time.ms == 1'700'000'000'001);
  BOOST_TEST(bound("@2023-11-14T22:13:20Z").time.ms == kNow.ms);
  BOOST_TEST(bound("@2023-11-14T23:13:20.5+01:00").time.ms == kNow.ms + 500);
  BOOST_TEST(bound("@-1h").time.ms == kNow.ms - 3'600'000);
}

BOOST_AUTO_TEST_CASE(anything_else_is_a_usage_error_that_shows_it)
{
  for (const auto* text : {"", "first", "-1", "1.5", "@", "@-", "@-1x", "@yesterday", "@2023-11-14", "99999999999999999999"}) {
    const auto parsed = parse_log_bound(text, kNow, hours);
    BOOST_TEST_CONTEXT(text)
    {
      BOOST_REQUIRE(!parsed.ok());
      BOOST_TEST((parsed.error().code == Code::usage));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a_range_holds_its_first_record_and_not_its_end, TenRecords)
{
  BOOST_TEST(range("3", "7").from == 3);
  BOOST_TEST(*range("3", "7").to == 7);
  BOOST_TEST(!range("3", {}).to.has_value());
  BOOST_TEST(range("@1700000002000", "@1700000004001").from == 2);
  BOOST_TEST(*range("@1700000002000", "@1700000004001").to == 5);
}

BOOST_FIXTURE_TEST_CASE(a_range_with_an_end_never_waits_for_what_is_not_there, TenRecords)
{
  BOOST_TEST(*range("earliest", "1000").to == 10);
  BOOST_TEST(*range("earliest", "latest").to == 10);
  BOOST_TEST(*range("earliest", "@1800000000000").to == 10);
  BOOST_TEST(range("1000", {}).from == 10);
  const auto backwards = range("7", "3");
  BOOST_TEST(backwards.from == *backwards.to);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_called_lost_that_is_there, TenRecords)
{
  BOOST_TEST(range("0", {}).lost == 0);
  BOOST_TEST(range("earliest", "latest").lost == 0);
  BOOST_TEST(range("@0", {}).lost == 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
