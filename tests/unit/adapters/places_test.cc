#include "adapters/places.h"

#include <stdlib.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>

namespace attune {
namespace {

std::string parts(std::string_view url)
{
  const auto parsed = parse_place_url(url);
  return parsed.ok() ? parsed->scheme + "|" + parsed->authority + "|" + parsed->path + "|" + parsed->query : "error";
}

template <class T>
std::string refused(const Result<T>& result)
{
  BOOST_REQUIRE(!result.ok());
  BOOST_TEST((result.error().code == Code::usage), result.error().message);
  return result.error().message;
}

} // namespace

BOOST_AUTO_TEST_SUITE(places)

BOOST_AUTO_TEST_CASE(a_url_is_taken_apart)
{
  BOOST_TEST(parts("file:///var/lib/attune") == "file||/var/lib/attune|");
  BOOST_TEST(parts("file:log") == "file||log|");
  BOOST_TEST(parts("kafka://db1:9092,db2:9092") == "kafka|db1:9092,db2:9092||");
  BOOST_TEST(parts("redis+unix:///run/r.sock?db=1") == "redis+unix||/run/r.sock|db=1");
  BOOST_TEST(parts("memory:") == "memory|||");
  BOOST_TEST(parts("file:///a%20b%2Fc") == "file||/a b/c|");
  for (const char* broken : {"", "log", "/var/lib", ":x", "file:///a%2", "file:///a%zz", "file:///a%00b", "a/b:c"}) {
    BOOST_TEST(parts(broken) == "error", broken);
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_scheme_is_refused_by_name)
{
  BOOST_TEST(refused(open_log_writer("kafak://db1", {})) == "kafak: not a scheme of a log: kafka:// or file://");
  BOOST_TEST(refused(open_log_reader("redis://db1", {})).starts_with("redis: "));
  BOOST_TEST(refused(open_log_group("nats://db1", "g", {})).starts_with("nats: "));
  BOOST_TEST(refused(open_log_admin("http://db1", {})).starts_with("http: "));
  BOOST_TEST(refused(open_store("file:///x", {})).starts_with("file: "));
}

BOOST_AUTO_TEST_CASE(a_place_that_can_not_be_is_refused)
{
  BOOST_TEST(refused(open_log_writer("file://var/lib", {})).find("file:///var/lib") != std::string::npos);
  BOOST_TEST(refused(open_log_writer("file:", {})).starts_with("file:"));
  BOOST_TEST(refused(open_log_writer("file:///x?partitions=3", {})).starts_with("file:"));
  BOOST_TEST(refused(open_log_writer("kafka://", {})).starts_with("kafka:"));
  LogOptions options;
  options.settings.emplace_back("linger.ms", "5");
  BOOST_TEST(refused(open_log_writer("file:///x", options)).starts_with("-X linger.ms: "));
}

BOOST_AUTO_TEST_CASE(what_is_written_to_a_place_is_read_from_it)
{
  std::string parent = (std::filesystem::temp_directory_path() / "attune-places-XXXXXX").string();
  BOOST_REQUIRE(::mkdtemp(parent.data()) != nullptr);
  const std::string url = "file://" + parent + "/a%20log";
  {
    auto writer = open_log_writer(url, {});
    BOOST_REQUIRE(writer.ok());
    OutgoingRecord record;
    record.topic = "t";
    record.partition = 0;
    record.value = "{}";
    BOOST_TEST((*writer)->append(record).ok());
    BOOST_TEST((*writer)->flush(std::chrono::seconds(30)).ok());
    auto reader = open_log_reader(url, {});
    BOOST_REQUIRE(reader.ok());
    BOOST_TEST((*reader)->ends({"t", 0}).value().end == 1);
    BOOST_TEST(std::filesystem::exists(parent + "/a log/t/0"));
    BOOST_TEST(open_log_group(url, "g", {}).ok());
    BOOST_TEST(open_log_admin(url, {}).value()->describe().value().size() == 1u);
    BOOST_TEST(open_store("memory:", {}).ok());
  }
  std::filesystem::remove_all(parent);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
