#include "pipeline/refreshes.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

#include "adapters/memory_store.h"
#include "support/events.h"
#include "support/held_store.h"

namespace attune {
namespace {

using namespace testing;

struct Fixture {
  SystemClock clock;
  std::shared_ptr<Hold> hold = std::make_shared<Hold>();
  HeldStore store{open_memory_store("", {}), hold};
  KnownProfiles known{1 << 20};
  std::set<std::string> important;
  std::optional<Refreshes> refreshes;
  std::unique_ptr<ProfileReaders> readers;

  Fixture()
  {
    auto started = ProfileReaders::start(store, known, clock, 1, 64);
    BOOST_TEST_REQUIRE(started.ok());
    readers = std::move(*started);
    refreshes.emplace(
        *readers, [this](const CustomerId& customer) { return important.contains(customer.text); }, 40);
  }
  ~Fixture()
  {
    hold->hang(false);
    readers.reset();
  }
  void wait_for(std::uint64_t read)
  {
    while (refreshes->read() < read) std::this_thread::yield();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(refreshes, Fixture)

BOOST_AUTO_TEST_CASE(what_changed_is_known_again_without_being_asked_for)
{
  refreshes->changed(CustomerId("ana"));
  wait_for(1);
  const auto found = known.find(CustomerId("ana"), clock.now(), true);
  BOOST_TEST_REQUIRE(found.has_value());
  BOOST_TEST(found->current);
}

BOOST_AUTO_TEST_CASE(who_changes_again_while_waiting_is_read_once_and_no_more_wait_than_the_bound)
{
  hold->hang(true);
  // One read is under way at the store and kAtOnce - 1 stand behind it; the others wait here.
  for (int n = 0; n < 100; ++n) refreshes->changed(CustomerId("c" + std::to_string(n % 50)));
  for (int n = 0; n < 100; ++n) refreshes->changed(CustomerId("d" + std::to_string(n)));
  hold->hang(false);
  const auto most = Refreshes::kAtOnce + 40;
  wait_for(most);
  refreshes->changed(CustomerId("last"));
  wait_for(most + 1); // and nobody else's
  BOOST_TEST(refreshes->read() == most + 1);
}

BOOST_AUTO_TEST_CASE(important_customers_are_read_before_the_others_that_wait)
{
  important = {"vip-1", "vip-2"};
  hold->hang(true);
  constexpr std::size_t kOthers = 3 * Refreshes::kAtOnce; // the first are with the readers, the others wait
  for (std::size_t n = 0; n < kOthers; ++n) refreshes->changed(CustomerId("c" + std::to_string(n)));
  refreshes->changed(CustomerId("vip-1"));
  refreshes->changed(CustomerId("vip-2"));
  hold->hang(false);
  wait_for(kOthers + 2);
  const auto asked = hold->asked();
  const auto place = [&](const std::string& customer) { return std::find(asked.begin(), asked.end(), customer) - asked.begin(); };
  const auto last = place("c" + std::to_string(kOthers - 1)); // what is read at once is in no order: it is not with them
  BOOST_TEST(place("vip-1") < last);
  BOOST_TEST(place("vip-2") < last);
}

BOOST_AUTO_TEST_CASE(who_waited_while_the_store_hung_is_read_once_it_answers)
{
  hold->hang(true);
  for (std::size_t n = 0; n < 2 * Refreshes::kAtOnce; ++n) refreshes->changed(CustomerId("c" + std::to_string(n)));
  while (readers->answers()) std::this_thread::yield();
  hold->hang(false);
  wait_for(2 * Refreshes::kAtOnce);
}

BOOST_AUTO_TEST_CASE(who_waited_while_the_store_failed_is_read_at_the_next_change)
{
  hold->hang(true);
  hold->failing = true;
  refreshes->changed(CustomerId("bob"));
  while (hold->reads == 0) std::this_thread::yield();
  for (std::size_t n = 0; n < Refreshes::kAtOnce; ++n) refreshes->changed(CustomerId("ana")); // the last of them waits
  hold->hang(false);
  while (hold->reads < 2) std::this_thread::yield(); // bob alone, and those of ana that do not wait
  hold->failing = false;
  while (refreshes->read() == 0) {
    refreshes->changed(CustomerId("ana"));
    std::this_thread::yield();
  }
}

BOOST_AUTO_TEST_CASE(a_store_that_rests_is_not_asked)
{
  hold->failing = true;
  while (readers->answers()) {
    refreshes->changed(CustomerId("ana"));
    std::this_thread::yield();
  }
  const int reads = hold->reads;
  for (int n = 0; n < 20; ++n) refreshes->changed(CustomerId("c" + std::to_string(n)));
  BOOST_TEST(hold->reads <= reads + 1);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
