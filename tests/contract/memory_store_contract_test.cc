#include "adapters/memory_store.h"

#include <boost/test/unit_test.hpp>

#include "contract/store_suite.h"

namespace attune::test {

const bool kProfilesExpire = false;

std::unique_ptr<ProfileStore> open_store_under_test(const StoreOptions& options)
{
  static const std::unique_ptr<ProfileStore> keeps_it_alive = open_memory_store("contract", {});
  return open_memory_store("contract", options);
}

BOOST_AUTO_TEST_SUITE(memory_store)

BOOST_AUTO_TEST_CASE(a_store_without_a_name_is_shared_by_another_and_by_nothing_else)
{
  const auto store = open_memory_store("", {});
  write_one(*store, "ann", "", "one");
  BOOST_TEST(read_one(*need(store->another()), "ann").bytes == "one");
  BOOST_TEST(read_one(*open_memory_store("", {}), "ann").bytes.empty());
}

BOOST_AUTO_TEST_CASE(a_named_store_ends_with_its_last_handle)
{
  auto store = open_memory_store("short-lived", {});
  const Incarnation before = need(store->incarnation());
  write_one(*store, "ann", "", "one");
  BOOST_TEST(read_one(*open_memory_store("short-lived", {}), "ann").bytes == "one");
  store.reset();
  store = open_memory_store("short-lived", {});
  BOOST_TEST(read_one(*store, "ann").bytes.empty());
  BOOST_TEST((need(store->incarnation()) != before));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune::test
