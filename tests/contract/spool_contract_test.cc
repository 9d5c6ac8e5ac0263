// A spool whose log answers is a log's writer like any other: the contract over an embedded log, written through a spool.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>

#include "adapters/file_log.h"
#include "adapters/spool_place.h"
#include "contract/log_suite.h"
#include "support/scratch.h"

namespace attune::contract {
namespace {

template <class T>
T opened(Result<T> result)
{
  if (!result.ok()) BOOST_FAIL(result.error().message);
  return std::move(result).value();
}

std::string fresh_name(const std::string& kind)
{
  static std::atomic<int> count{0};
  return kind + "-" + std::to_string(count++);
}

} // namespace

const LogUnderTest& log_under_test()
{
  static const testing::Scratch scratch;
  static const LogUnderTest log = [] {
    FileLogOptions options;
    options.dir = scratch.path() + "/log";
    options.segment_bytes = 4096;
    LogUnderTest out;
    out.make_writer = [options] {
      return opened(open_spool(scratch.path() + "/" + fresh_name("spool"), opened(open_file_log_writer(options)), {}));
    };
    out.make_reader = [options] { return opened(open_file_log_reader(options)); };
    out.make_group = [options](const std::string& group) { return opened(open_file_log_group(options, group)); };
    out.make_admin = [options] { return opened(open_file_log_admin(options)); };
    out.fresh_topic_name = [] { return fresh_name("topic"); };
    out.fresh_group_name = [] { return fresh_name("group"); };
    out.lose_before = [](const TopicPartition&, std::int64_t) {}; // the writer did it, each time it sealed a segment
    out.too_large_bytes = 1 << 20;
    return out;
  }();
  return log;
}

} // namespace attune::contract
