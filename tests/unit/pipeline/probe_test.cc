#include "pipeline/probe.h"

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "pipeline/probe_customer.h"
#include "pipeline/probe_report.h"

using namespace attune;
using namespace std::chrono_literals;

namespace {

using Steady = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

// When the event of this thread was due, as the probe told its clock.
thread_local Steady::time_point due_here;

// A service whose faults the test chooses.
struct FakeService {
  std::function<Nanoseconds(std::uint64_t event)> send_takes = [](auto) { return 0ns; };
  std::function<Nanoseconds(std::uint64_t event)> answer_takes = [](auto) { return 0ns; };
  // What becomes of an event that is acknowledged.
  enum class Fate { applied, lost, lost_and_said_so, twice, refused };
  std::function<Fate(std::uint64_t event)> fate = [](auto) { return Fate::applied; };

  std::mutex mutex;
  std::map<std::string, std::uint64_t> versions;
  std::set<std::string> forgotten;
  std::set<std::string> untold; // tokens of events that are lost
  std::vector<Nanoseconds> stopwatch; // from due to answered, by a clock of its own
};

class Handle final : public RemoteService {
 public:
  explicit Handle(FakeService& service) : service_(service) {}

  Result<RemoteReceipt> send(const CustomerId& customer, std::string_view event, const ItemId&, const std::optional<Slot>& slot,
                             std::string_view) override
  {
    number_ = std::stoull(std::string(event.substr(event.rfind('-') + 1)));
    std::this_thread::sleep_for(service_.send_takes(number_));
    RemoteReceipt receipt;
    receipt.token = event;
    receipt.durable = 1ms;
    {
      const std::lock_guard lock(service_.mutex);
      switch (service_.fate(number_)) {
        case FakeService::Fate::refused:
          return Error{Code::unreachable, "cut off"};
        case FakeService::Fate::lost_and_said_so:
          service_.untold.insert(receipt.token);
          [[fallthrough]];
        case FakeService::Fate::lost:
          break;
        case FakeService::Fate::twice:
          ++service_.versions[customer.text];
          [[fallthrough]];
        case FakeService::Fate::applied:
          ++service_.versions[customer.text];
      }
    }
    if (slot) receipt.answer = *ask(customer, *slot, 10, receipt.token);
    return receipt;
  }

  Result<RemoteAnswer> ask(const CustomerId& customer, const Slot&, std::size_t, std::string_view after) override
  {
    RemoteAnswer answer;
    answer.items = {ItemId("a"), ItemId("b")};
    if (customer.empty()) return answer;
    std::this_thread::sleep_for(service_.answer_takes(number_));
    const std::lock_guard lock(service_.mutex);
    answer.profile_version = service_.versions[customer.text];
    answer.profile = 2ms;
    if (service_.untold.contains(std::string(after))) answer.degraded = "waiting";
    service_.stopwatch.push_back(Steady::now() - due_here);
    return answer;
  }

  Status forget(const CustomerId& customer) override
  {
    const std::lock_guard lock(service_.mutex);
    service_.forgotten.insert(customer.text);
    return {};
  }

 private:
  FakeService& service_;
  std::uint64_t number_ = 0;
};

LatencyProbeOptions options_for(FakeService& service, double rate, Nanoseconds duration)
{
  LatencyProbeOptions options;
  options.rate = rate;
  options.duration = duration;
  options.customers = 10;
  options.run = "test";
  options.wait_until = [](Steady::time_point due) {
    std::this_thread::sleep_until(due);
    due_here = due;
    return true;
  };
  options.connect = [&service]() -> Result<std::unique_ptr<RemoteService>> {
    return std::unique_ptr<RemoteService>(new Handle(service));
  };
  return options;
}

ProbeReport probed(const LatencyProbeOptions& options)
{
  auto report = probe_latency(options);
  BOOST_REQUIRE(report.ok());
  return std::move(*report);
}

double ms(Nanoseconds time)
{
  return static_cast<double>(time.count()) / 1e6;
}

void same_within_5_percent(Nanoseconds got, Nanoseconds wanted)
{
  BOOST_TEST(std::abs(ms(got) - ms(wanted)) <= std::max(0.1, 0.05 * ms(wanted)), ms(got) << " ms instead of " << ms(wanted));
}

} // namespace

BOOST_AUTO_TEST_SUITE(latency_probe)

BOOST_AUTO_TEST_CASE(its_percentiles_are_those_of_an_independent_stopwatch)
{
  FakeService service;
  service.send_takes = [](std::uint64_t event) { return 1ms * (event % 4); };
  service.answer_takes = [](std::uint64_t event) { return event % 10 == 0 ? 30ms : 2ms; };
  for (const bool one_call : {false, true}) {
    service.stopwatch.clear();
    auto options = options_for(service, 200, 1s);
    options.one_call = one_call;
    const auto report = probed(options);
    BOOST_TEST(report.events == 200);
    BOOST_TEST(report.answers == 200);
    // Without the last look at each customer, which is no event.
    auto exact = service.stopwatch;
    BOOST_REQUIRE(exact.size() == 210);
    exact.resize(200);
    std::sort(exact.begin(), exact.end());
    for (const double share : {0.5, 0.9, 0.99, 1.0})
      same_within_5_percent(report.stage(ProbeStage::answer).percentile(share), exact[LatencyHistogram::rank(share, 200) - 1]);
    BOOST_TEST(ms(report.stage(ProbeStage::accepted).percentile(0.99)) >= (one_call ? 30.0 : 3.0));
    BOOST_TEST(report.stage(ProbeStage::durable).max().count() == 1'000'000);
    BOOST_TEST(report.stage(ProbeStage::profile).max().count() == 2'000'000);
  }
}

BOOST_AUTO_TEST_CASE(a_service_that_stands_still_is_held_against_everyone_who_was_due_meanwhile)
{
  FakeService service;
  service.send_takes = [](std::uint64_t event) { return event == 20 ? 500ms : 0ms; };
  auto options = options_for(service, 100, 1s);
  options.connections = 1;
  const auto report = probed(options);
  // Those due in the half second wait for 490, 480, 470, … ms.
  BOOST_TEST(report.events == 100);
  BOOST_TEST(ms(report.stage(ProbeStage::answer).percentile(0.99)) >= 450);
  BOOST_TEST(ms(report.stage(ProbeStage::answer).percentile(0.65)) >= 100);
  BOOST_TEST(ms(report.slip.percentile(0.65)) >= 100);
}

BOOST_AUTO_TEST_CASE(events_that_never_find_a_connection_are_not_left_out)
{
  FakeService service;
  service.send_takes = [](auto) { return 50ms; };
  auto options = options_for(service, 1000, 200ms);
  options.connections = 1;
  options.grace = 100ms;
  const auto begun = Steady::now();
  const auto report = probed(options);
  BOOST_TEST((Steady::now() - begun < 2s));
  BOOST_TEST(report.events == 200);
  BOOST_TEST(report.answers + report.failed == 200);
  BOOST_TEST(report.failed >= 190);
  const ProbeTarget target{"p50=1s", ProbeStage::answer, 0.5, 1s};
  BOOST_TEST(missed(target, report).has_value());
}

BOOST_AUTO_TEST_CASE(a_slow_answer_keeps_no_other_event_from_its_time)
{
  FakeService service;
  service.send_takes = [](std::uint64_t event) { return event == 20 ? 500ms : 0ms; };
  auto options = options_for(service, 100, 1s);
  options.connections = 4;
  const auto report = probed(options);
  BOOST_TEST(ms(report.stage(ProbeStage::answer).max()) >= 500);
  BOOST_TEST(ms(report.stage(ProbeStage::answer).value_at(95)) < 250);
}

BOOST_AUTO_TEST_CASE(events_that_are_acknowledged_and_never_counted_are_lost)
{
  FakeService service;
  service.fate = [](std::uint64_t event) {
    return event == 33 || event == 43 || event == 47 ? FakeService::Fate::lost : FakeService::Fate::applied;
  };
  auto options = options_for(service, 1000, 100ms);
  options.connections = 1; // one event after the other
  const auto report = probed(options);
  BOOST_TEST(report.lost == 3);
  BOOST_TEST(report.stale == 3); // each is held against one answer, not against all that follow
  BOOST_TEST(report.answers == 97);
  BOOST_TEST(report.duplicates == 0);
}

BOOST_AUTO_TEST_CASE(a_loss_that_the_answer_admits_is_no_stale_answer)
{
  FakeService service;
  service.fate = [](std::uint64_t event) { return event == 95 ? FakeService::Fate::lost_and_said_so : FakeService::Fate::applied; };
  auto options = options_for(service, 1000, 100ms);
  options.connections = 1; // one event after the other
  const auto report = probed(options);
  BOOST_TEST(report.lost == 1);
  BOOST_TEST(report.stale == 0);
  BOOST_TEST(report.degraded == 1);
  BOOST_TEST(report.answers == 99);
}

BOOST_AUTO_TEST_CASE(events_that_are_counted_twice_are_duplicates)
{
  FakeService service;
  service.fate = [](std::uint64_t event) { return event % 50 == 7 ? FakeService::Fate::twice : FakeService::Fate::applied; };
  auto options = options_for(service, 1000, 100ms);
  options.connections = 1; // one event after the other
  const auto report = probed(options);
  BOOST_TEST(report.duplicates == 2);
  BOOST_TEST(report.lost == 0);
  BOOST_TEST(report.stale == 0);
}

BOOST_AUTO_TEST_CASE(many_events_of_one_customer_under_way_are_neither_lost_nor_duplicates)
{
  FakeService service;
  service.send_takes = [](std::uint64_t event) { return 1ms * (event * 7 % 5); };
  service.answer_takes = [](std::uint64_t event) { return 1ms * (event * 3 % 4); };
  auto options = options_for(service, 2000, 500ms);
  options.customers = 1;
  const auto report = probed(options);
  BOOST_TEST(report.answers == 1000);
  BOOST_TEST(report.lost + report.duplicates + report.stale + report.failed == 0);
}

BOOST_AUTO_TEST_CASE(an_event_without_a_receipt_failed_and_is_neither_lost_nor_a_duplicate)
{
  FakeService service;
  service.fate = [](std::uint64_t event) { return event % 10 == 0 ? FakeService::Fate::refused : FakeService::Fate::applied; };
  const auto report = probed(options_for(service, 1000, 100ms));
  BOOST_TEST(report.failed == 10);
  BOOST_TEST(report.answers == 90);
  BOOST_TEST(report.lost + report.duplicates == 0);
  BOOST_TEST(report.trouble == "cut off");
}

BOOST_AUTO_TEST_CASE(its_customers_are_marked_and_all_that_took_part_are_removed)
{
  FakeService service;
  auto options = options_for(service, 1000, 7ms);
  auto report = probed(options);
  BOOST_TEST(report.customers == 7);
  BOOST_TEST(report.removed == 7);
  BOOST_TEST(service.forgotten.size() == 7);
  for (const auto& [name, version] : service.versions) {
    BOOST_TEST(is_probe_customer(CustomerId(name)));
    BOOST_TEST(service.forgotten.contains(name));
  }
  service.forgotten.clear();
  options.remove = false;
  BOOST_TEST(probed(options).removed == 0);
  BOOST_TEST(service.forgotten.empty());
}

BOOST_AUTO_TEST_CASE(after_a_stop_it_tells_what_it_has_and_removes_its_customers)
{
  FakeService service;
  auto options = options_for(service, 1000, 1h);
  std::atomic<bool> stop{false};
  options.wait_until = [&](Steady::time_point due) {
    while (Steady::now() < due && !stop) std::this_thread::sleep_for(100us);
    return !stop;
  };
  std::thread stopping([&] {
    std::this_thread::sleep_for(100ms);
    stop = true;
  });
  const auto report = probed(options);
  stopping.join();
  BOOST_TEST(report.events > 0);
  BOOST_TEST(report.answers == report.events);
  BOOST_TEST(report.removed == 10);
}

BOOST_AUTO_TEST_CASE(the_intervals_together_are_the_whole)
{
  FakeService service;
  auto options = options_for(service, 500, 400ms);
  options.interval = 100ms;
  std::uint64_t events = 0, lines = 0;
  options.told = [&](const ProbeReport& report) -> Status {
    events += report.events;
    ++lines;
    return {};
  };
  BOOST_TEST(probed(options).events == 200);
  BOOST_TEST(events == 200);
  BOOST_TEST(lines >= 3);
}

BOOST_AUTO_TEST_CASE(a_service_that_is_not_there_is_told_at_once)
{
  FakeService service;
  auto options = options_for(service, 100, 1h);
  options.connect = []() -> Result<std::unique_ptr<RemoteService>> { return Error{Code::unreachable, "refused"}; };
  const auto report = probe_latency(options);
  BOOST_REQUIRE(!report);
  BOOST_TEST(report.error().message == "refused");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(probe_report)

namespace {

Result<Milliseconds> whole_ms(std::string_view text)
{
  if (!text.ends_with("ms")) return Error{Code::usage, "not a duration"};
  return Milliseconds(std::stoll(std::string(text)));
}

ProbeTarget target(std::string_view text)
{
  auto parsed = parse_probe_target(text, whole_ms);
  BOOST_REQUIRE(parsed.ok());
  return *parsed;
}

// 99 answers of 1 ms and one of 80 ms.
ProbeReport hundred()
{
  ProbeReport report;
  report.events = report.answers = 100;
  auto& times = report.stages[static_cast<std::size_t>(ProbeStage::answer)];
  for (int i = 0; i < 99; ++i) times.add(1ms);
  times.add(80ms);
  return report;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_target_names_a_stage_a_share_and_a_time)
{
  BOOST_TEST(target("p99=50ms").share == 0.99);
  BOOST_TEST((target("p99=50ms").stage == ProbeStage::answer));
  BOOST_TEST((target("accepted.p99.9=5ms").stage == ProbeStage::accepted));
  BOOST_TEST(target("accepted.p99.9=5ms").share == 0.999, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(target("max=5ms").share == 1);
  for (const auto* wrong :
       {"", "p99", "99=5ms", "p=5ms", "p0=5ms", "p101=5ms", "p9x=5ms", "pnan=5ms", "p99=5", "sent.p99=5ms", "p1e1=5ms"})
    BOOST_TEST(!parse_probe_target(wrong, whole_ms).ok(), wrong);
}

BOOST_AUTO_TEST_CASE(a_target_is_missed_by_what_is_slower)
{
  auto report = hundred();
  BOOST_TEST(!missed(target("p99=2ms"), report));
  BOOST_TEST(missed(target("p99.5=50ms"), report).value() == "answer p99.5 is 80.000 ms, more than 50 ms");
  BOOST_TEST(missed(target("max=79ms"), report).has_value());
  BOOST_TEST(!missed(target("max=80ms"), report));
}

BOOST_AUTO_TEST_CASE(an_event_that_never_got_there_misses_every_target)
{
  auto report = hundred();
  report.events = 102;
  report.failed = 2;
  BOOST_TEST(!missed(target("p90=2ms"), report));
  BOOST_TEST(missed(target("p99=1000ms"), report).value() == "answer p99 is no time: 2 of 102 events did not get there");
}

BOOST_AUTO_TEST_SUITE_END()
