#include "pipeline/warm.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <mutex>
#include <set>
#include <thread>

using namespace attune;
using namespace std::chrono_literals;

namespace {

using Steady = std::chrono::steady_clock;

// Answers every question but those it is told to fail.
struct Asked {
  std::mutex mutex;
  std::multiset<std::pair<std::string, std::string>> questions; // customer, slot
  std::function<Status(const std::string& customer, std::size_t times)> fault = [](const auto&, auto) { return Status(); };
};

class Handle final : public RemoteService {
 public:
  explicit Handle(Asked& asked) : asked_(asked) {}
  Result<RemoteReceipt> send(const CustomerId&, std::string_view, const ItemId&, const std::optional<Slot>&,
                             std::string_view) override
  {
    return Error{Code::internal, "warming sends nothing"};
  }
  Result<RemoteAnswer> ask(const CustomerId& customer, const Slot& slot, std::size_t, std::string_view) override
  {
    const std::lock_guard lock(asked_.mutex);
    asked_.questions.emplace(customer.text, slot.text);
    if (auto fault = asked_.fault(customer.text, asked_.questions.count({customer.text, slot.text})); !fault) return fault.error();
    RemoteAnswer answer;
    if (customer.text == "c7") answer.degraded = "store_timeout";
    return answer;
  }
  Status forget(const CustomerId&) override { return Error{Code::internal, "warming forgets nobody"}; }

 private:
  Asked& asked_;
};

struct Warmed {
  Asked asked;
  std::set<std::string> done;
  WarmOptions options;
  int given = 0;

  explicit Warmed(int customers)
  {
    options.slots = {Slot("home"), Slot("cart")};
    options.connect = [this]() -> Result<std::unique_ptr<RemoteService>> {
      return std::unique_ptr<RemoteService>(new Handle(asked));
    };
    options.next = [this, customers]() -> Result<std::optional<CustomerId>> {
      if (given == customers) return std::optional<CustomerId>();
      return std::optional(CustomerId("c" + std::to_string(given++)));
    };
    options.pace = [] { return true; };
    options.wait_until = [](Steady::time_point due) {
      std::this_thread::sleep_until(due);
      return true;
    };
    options.done = [this](const CustomerId& customer) -> Status {
      done.insert(customer.text);
      return {};
    };
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(warming)

BOOST_AUTO_TEST_CASE(every_slot_of_every_customer_is_asked_for_once)
{
  Warmed warmed(100);
  const auto report = warm(warmed.options);
  BOOST_REQUIRE(report.ok());
  BOOST_TEST(report->customers == 100);
  BOOST_TEST(report->answers == 200);
  BOOST_TEST(report->degraded == 2);
  BOOST_TEST(!report->stopped);
  BOOST_TEST(warmed.done.size() == 100);
  for (int i = 0; i < 100; ++i)
    for (const auto* slot : {"home", "cart"}) BOOST_TEST(warmed.asked.questions.count({"c" + std::to_string(i), slot}) == 1);
}

BOOST_AUTO_TEST_CASE(a_service_that_is_away_for_a_moment_is_asked_again)
{
  Warmed warmed(10);
  warmed.asked.fault = [](const std::string& customer, std::size_t times) {
    return customer == "c3" && times < 3 ? Status(Error{Code::busy, "503"}) : Status();
  };
  const auto report = warm(warmed.options);
  BOOST_REQUIRE(report.ok());
  BOOST_TEST(report->customers == 10);
  BOOST_TEST(warmed.asked.questions.count({"c3", "home"}) == 3);
}

BOOST_AUTO_TEST_CASE(a_service_that_stays_away_is_given_up)
{
  Warmed warmed(10);
  warmed.options.give_up = 200ms;
  warmed.asked.fault = [](const std::string&, std::size_t) { return Status(Error{Code::unreachable, "refused"}); };
  const auto report = warm(warmed.options);
  BOOST_REQUIRE(!report);
  BOOST_TEST(report.error().message == "refused (given up)");
  BOOST_TEST(warmed.done.empty());
}

BOOST_AUTO_TEST_CASE(what_will_not_pass_ends_it_at_once)
{
  Warmed warmed(1000);
  warmed.options.connections = 1;
  warmed.asked.fault = [](const std::string& customer, std::size_t) {
    return customer == "c5" ? Status(Error{Code::config, "403"}) : Status();
  };
  const auto report = warm(warmed.options);
  BOOST_REQUIRE(!report);
  BOOST_TEST(report.error().message == "403");
  BOOST_TEST(warmed.done.size() == 5);
  BOOST_TEST(warmed.given == 6);
}

BOOST_AUTO_TEST_CASE(after_a_stop_only_customers_with_all_answers_are_done)
{
  Warmed warmed(1000);
  int paces = 0;
  warmed.options.pace = [&] { return ++paces <= 31; };
  const auto report = warm(warmed.options);
  BOOST_REQUIRE(report.ok());
  BOOST_TEST(report->stopped);
  BOOST_TEST(report->answers == 31);
  BOOST_TEST(report->customers == warmed.done.size());
  for (const auto& customer : warmed.done)
    for (const auto* slot : {"home", "cart"}) BOOST_TEST(warmed.asked.questions.contains({customer, slot}));
  BOOST_TEST(warmed.done.size() >= 14);
}

BOOST_AUTO_TEST_SUITE_END()
