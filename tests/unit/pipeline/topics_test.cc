#include "pipeline/topics.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "adapters/file_log.h"
#include "support/scratch.h"

namespace attune {
namespace {

constexpr Milliseconds kDay = std::chrono::hours(24);

struct EmbeddedLog {
  EmbeddedLog()
  {
    FileLogOptions options;
    options.dir = scratch.path() + "/log";
    auto opened = open_file_log_admin(options);
    BOOST_REQUIRE(opened.ok());
    log = std::move(*opened);
  }

  std::vector<TopicReport> init(const TopicWishes& wishes, Init how)
  {
    auto reports = init_topics(*log, wishes, how);
    if (!reports.ok()) BOOST_FAIL(reports.error().message);
    return *reports;
  }
  TopicSettings topic(const std::string& name)
  {
    const auto all = log->describe();
    BOOST_REQUIRE(all.ok());
    const auto found = std::find_if(all->begin(), all->end(), [&](const auto& one) { return one.topic == name; });
    BOOST_REQUIRE_MESSAGE(found != all->end(), name << " is missing");
    return *found;
  }

  testing::Scratch scratch;
  std::unique_ptr<LogAdmin> log;
};

bool all_are(const std::vector<TopicReport>& reports, TopicReport::State state)
{
  return std::all_of(reports.begin(), reports.end(), [&](const auto& report) { return report.state == state; });
}

const TopicReport& report_of(const std::vector<TopicReport>& reports, const std::string& topic)
{
  const auto found = std::find_if(reports.begin(), reports.end(), [&](const auto& report) { return report.now.topic == topic; });
  BOOST_REQUIRE_MESSAGE(found != reports.end(), topic << " is not reported");
  return *found;
}

} // namespace

BOOST_AUTO_TEST_SUITE(topics)

BOOST_FIXTURE_TEST_CASE(missing_topics_are_created_once_and_then_are_as_wanted, EmbeddedLog)
{
  const TopicWishes wishes{"shop", 3, {}, std::optional(30 * kDay)};
  BOOST_TEST(all_are(init(wishes, Init::check), TopicReport::State::missing));
  BOOST_TEST(all_are(init(wishes, Init::mend), TopicReport::State::created));
  BOOST_TEST(all_are(init(wishes, Init::mend), TopicReport::State::as_wanted));
  BOOST_TEST(topic("shop.cart_events").partitions == 3);
  BOOST_TEST((topic("shop.cart_events").retention == 30 * kDay));
  BOOST_TEST(topic("shop.catalog_items").compacted);
  BOOST_TEST(!topic("shop.catalog_items").retention.has_value());
  BOOST_TEST(topic("shop.attune_late_events").partitions == 1);
}

BOOST_FIXTURE_TEST_CASE(checking_changes_nothing, EmbeddedLog)
{
  init({}, Init::check);
  BOOST_TEST(log->describe().value().empty());
  init({}, Init::mend);
  const auto reports = init({{}, 12, {}, {}}, Init::check);
  BOOST_TEST((report_of(reports, "cart_events").state == TopicReport::State::differs));
  BOOST_TEST(report_of(reports, "cart_events").differences.front() == "partitions: 6, wanted 12");
  BOOST_TEST(topic("cart_events").partitions == 6);
}

BOOST_FIXTURE_TEST_CASE(what_is_not_asked_for_stays_as_somebody_set_it, EmbeddedLog)
{
  init({{}, 4, {}, std::optional(30 * kDay)}, Init::mend);
  BOOST_TEST(all_are(init({}, Init::mend), TopicReport::State::as_wanted));
  BOOST_TEST(topic("cart_events").partitions == 4);
  BOOST_TEST((topic("cart_events").retention == 30 * kDay));
}

BOOST_FIXTURE_TEST_CASE(what_is_asked_for_is_changed_but_partitions_are_never_taken_away, EmbeddedLog)
{
  init({{}, 4, {}, {}}, Init::mend);
  BOOST_TEST(
      (report_of(init({{}, 6, {}, std::optional(9 * kDay)}, Init::mend), "cart_events").state == TopicReport::State::altered));
  BOOST_TEST(topic("cart_events").partitions == 6);
  BOOST_TEST((topic("cart_events").retention == 9 * kDay));
  const auto fewer = init({{}, 2, {}, std::optional(8 * kDay)}, Init::mend);
  BOOST_TEST((report_of(fewer, "cart_events").state == TopicReport::State::differs));
  BOOST_TEST(report_of(fewer, "cart_events").differences.size() == 1u);
  BOOST_TEST(topic("cart_events").partitions == 6);
  BOOST_TEST((topic("cart_events").retention == 8 * kDay));
}

BOOST_FIXTURE_TEST_CASE(identity_and_late_events_are_kept_at_least_as_long_as_any_other_topic, EmbeddedLog)
{
  init({}, Init::mend);
  auto clicks = topic("customer_clicks");
  clicks.retention = 400 * kDay;
  BOOST_REQUIRE(log->alter(clicks).ok());
  BOOST_TEST((report_of(init({}, Init::check), "customer_identity").state == TopicReport::State::differs));
  BOOST_TEST((report_of(init({}, Init::mend), "customer_identity").state == TopicReport::State::altered));
  BOOST_TEST((topic("customer_identity").retention == 400 * kDay));
  BOOST_TEST((topic("attune_late_events").retention == 400 * kDay));
  BOOST_TEST((topic("cart_events").retention == 7 * kDay));
  clicks.retention.reset();
  BOOST_REQUIRE(log->alter(clicks).ok());
  init({}, Init::mend);
  BOOST_TEST(!topic("customer_identity").retention.has_value());
  // Longer is fine.
  clicks.retention = kDay;
  BOOST_REQUIRE(log->alter(clicks).ok());
  BOOST_TEST(all_are(init({}, Init::check), TopicReport::State::as_wanted));
}

BOOST_FIXTURE_TEST_CASE(a_catalog_that_is_not_compacted_is_mended, EmbeddedLog)
{
  BOOST_REQUIRE(log->create({"catalog_items", 1, 1, 7 * kDay, {}, false}).ok());
  BOOST_TEST((report_of(init({}, Init::check), "catalog_items").state == TopicReport::State::differs));
  init({}, Init::mend);
  BOOST_TEST(topic("catalog_items").compacted);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
