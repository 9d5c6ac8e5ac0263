#include "pipeline/refreshes.h"

#include <boost/test/unit_test.hpp>
#include <condition_variable>
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
  std::vector<std::string> asked; // in the order their priority was looked at
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
