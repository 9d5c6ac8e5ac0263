#include "contract/store_suite.h"

#include <rapidcheck.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <map>
#include <numeric>
#include <stdexcept>
#include <thread>

namespace attune::test {

StoreOptions fresh_options()
{
  static int count = 0;
  StoreOptions options;
  options.name_space = "t" + std::to_string(::getpid()) + "-" + std::to_string(count++);
  options.patience = std::chrono::seconds(60);
  options.timeout = std::chrono::seconds(20);
  return options;
}

Digest digest_for(std::string_view bytes)
{
  return bytes.empty() ? Digest{} : digest_of(bytes);
}

StoredProfile read_one(ProfileStore& store, const std::string& customer)
{
  const std::vector<CustomerId> customers{CustomerId(customer)};
  std::vector<StoredProfile> out;
  need(store.get(customers, out));
  return out.at(0);
}

WriteOutcome write_one(ProfileStore& store, const std::string& customer, std::string_view expected, std::string_view bytes)
{
  const CustomerId id(customer);
  const std::vector<ProfileWrite> writes{{&id, digest_for(expected), bytes, digest_for(bytes)}};
  std::vector<WriteOutcome> out;
  need(store.compare_and_set(writes, out));
  return out.at(0);
}

std::vector<std::pair<std::string, std::string>> scan_all(ProfileStore& store)
{
  std::vector<std::pair<std::string, std::string>> all;
  need(store.scan([&](const CustomerId& customer, const StoredProfile& profile) {
    BOOST_TEST((profile.digest == digest_for(profile.bytes)));
    all.emplace_back(customer.text, profile.bytes);
    return true;
  }));
  std::sort(all.begin(), all.end());
  return all;
}

namespace {

bool written(WriteOutcome outcome)
{
  return outcome == WriteOutcome::written;
}

std::string many(int i)
{
  return "customer-" + std::to_string(i);
}

const std::vector<std::string>& odd_customers()
{
  static const std::vector<std::string> odd{"{",
                                            "}",
                                            "{}",
                                            "a{b}c",
                                            "}:profile",
                                            "%",
                                            "%7B",
                                            "a b",
                                            "\x01\n",
                                            "*",
                                            "c:{c}:profile@",
                                            "[a-z]?\\",
                                            "ü€😀",
                                            std::string(128, 'x'),
                                            "/a/b",
                                            "//",
                                            "p/0",
                                            std::string("nul\0nul", 7),
                                            std::string("\0", 1),
                                            "é}%{é",
                                            std::string(128, '{')};
  return odd;
}

} // namespace

BOOST_AUTO_TEST_SUITE(every_store)

BOOST_AUTO_TEST_CASE(an_unknown_customer_has_no_profile)
{
  const auto store = open_store_under_test(fresh_options());
  const StoredProfile found = read_one(*store, "nobody");
  BOOST_TEST(found.bytes.empty());
  BOOST_TEST((found.digest == Digest{}));
}

BOOST_AUTO_TEST_CASE(what_was_written_is_read_with_its_digest)
{
  const auto store = open_store_under_test(fresh_options());
  BOOST_TEST(written(write_one(*store, "ann", "", "one")));
  StoredProfile found = read_one(*store, "ann");
  BOOST_TEST(found.bytes == "one");
  BOOST_TEST((found.digest == digest_for("one")));
  BOOST_TEST(written(write_one(*store, "ann", "one", "two")));
  BOOST_TEST(read_one(*store, "ann").bytes == "two");
}

BOOST_AUTO_TEST_CASE(the_digest_is_the_caller_s_own_and_never_computed_anew)
{
  const auto store = open_store_under_test(fresh_options());
  const CustomerId customer("ann");
  const Digest own{1, 2, 3};
  std::vector<WriteOutcome> out;
  need(store->compare_and_set(std::vector<ProfileWrite>{{&customer, {}, "bytes", own}}, out));
  BOOST_TEST((read_one(*store, "ann").digest == own));
}

BOOST_AUTO_TEST_CASE(a_deleted_profile_is_as_if_it_had_never_been)
{
  const auto store = open_store_under_test(fresh_options());
  write_one(*store, "ann", "", "one");
  BOOST_TEST(written(write_one(*store, "ann", "one", "")));
  BOOST_TEST(read_one(*store, "ann").bytes.empty());
  BOOST_TEST(scan_all(*store).empty());
  BOOST_TEST(written(write_one(*store, "ann", "", "three")));
}

BOOST_AUTO_TEST_CASE(a_write_that_expects_something_else_is_lost_and_changes_nothing)
{
  const auto store = open_store_under_test(fresh_options());
  write_one(*store, "ann", "", "one");
  BOOST_TEST(!written(write_one(*store, "ann", "", "two")));
  BOOST_TEST(!written(write_one(*store, "ann", "zero", "two")));
  BOOST_TEST(!written(write_one(*store, "ann", "zero", "")));
  BOOST_TEST(!written(write_one(*store, "ann", "", "")));
  BOOST_TEST(!written(write_one(*store, "bob", "one", "two")));
  BOOST_TEST(!written(write_one(*store, "bob", "one", "")));
  BOOST_TEST(read_one(*store, "ann").bytes == "one");
  BOOST_TEST(read_one(*store, "bob").bytes.empty());
}

BOOST_AUTO_TEST_CASE(an_equal_write_by_another_call_is_lost_like_any_other)
{
  const auto store = open_store_under_test(fresh_options());
  write_one(*store, "ann", "", "one");
  write_one(*store, "ann", "one", "two");
  BOOST_TEST(!written(write_one(*store, "ann", "one", "two")));
}

BOOST_AUTO_TEST_CASE(an_empty_call_does_nothing)
{
  const auto store = open_store_under_test(fresh_options());
  std::vector<StoredProfile> profiles(3);
  std::vector<WriteOutcome> outcomes(3);
  need(store->get({}, profiles));
  need(store->compare_and_set({}, outcomes));
  BOOST_TEST(profiles.empty());
  BOOST_TEST(outcomes.empty());
}

BOOST_AUTO_TEST_CASE(each_write_of_a_large_call_is_decided_by_itself_and_answered_in_its_place)
{
  const auto store = open_store_under_test(fresh_options());
  constexpr int count = 5000;
  std::vector<CustomerId> customers;
  std::vector<std::string> bytes;
  for (int i = 0; i < count; ++i) {
    customers.emplace_back(many(i));
    bytes.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i * 7 % 4096), static_cast<char>('a' + i % 26)));
  }
  // Every third has a profile already, so the write that expects none is lost.
  for (int i = 0; i < count; i += 3) {
    if (i < 300) write_one(*store, many(i), "", "before");
  }
  std::vector<ProfileWrite> writes;
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    writes.push_back({&customers[at], {}, bytes[at], digest_for(bytes[at])});
  }
  std::vector<WriteOutcome> outcomes;
  need(store->compare_and_set(writes, outcomes));
  std::vector<StoredProfile> profiles;
  need(store->get(customers, profiles));
  int wrong = 0;
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const bool before = i % 3 == 0 && i < 300;
    wrong += written(outcomes[at]) == before || profiles[at].bytes != (before ? "before" : bytes[at]);
  }
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(two_writes_of_one_call_to_one_customer_come_one_after_the_other)
{
  const auto store = open_store_under_test(fresh_options());
  const CustomerId ann("ann");
  const CustomerId bob("bob");
  const std::vector<ProfileWrite> writes{{&ann, {}, "one", digest_for("one")},
                                         {&bob, {}, "bob", digest_for("bob")},
                                         {&ann, digest_for("one"), "two", digest_for("two")},
                                         {&ann, {}, "three", digest_for("three")}};
  std::vector<WriteOutcome> out;
  need(store->compare_and_set(writes, out));
  BOOST_TEST(written(out[0]));
  BOOST_TEST(written(out[1]));
  BOOST_TEST(written(out[2]));
  BOOST_TEST(!written(out[3]));
  BOOST_TEST(read_one(*store, "ann").bytes == "two");
}

BOOST_AUTO_TEST_CASE(a_profile_may_be_large_and_hold_any_byte)
{
  const auto store = open_store_under_test(fresh_options());
  std::string bytes(3 << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  BOOST_TEST(written(write_one(*store, "large", "", bytes)));
  BOOST_TEST((read_one(*store, "large").bytes == bytes));
}

BOOST_AUTO_TEST_CASE(any_bytes_may_name_a_customer)
{
  const auto store = open_store_under_test(fresh_options());
  std::vector<std::pair<std::string, std::string>> all;
  for (const std::string& customer : odd_customers()) {
    BOOST_TEST(written(write_one(*store, customer, "", "of " + customer)));
    all.emplace_back(customer, "of " + customer);
  }
  for (const auto& [customer, bytes] : all) BOOST_TEST((read_one(*store, customer).bytes == bytes));
  std::sort(all.begin(), all.end());
  BOOST_TEST((scan_all(*store) == all));
}

BOOST_AUTO_TEST_CASE(no_update_is_lost_when_two_handles_race)
{
  const StoreOptions options = fresh_options();
  const auto first = open_store_under_test(options);
  std::atomic<int> successes{0};
  std::atomic<int> failures{0};
  const auto race = [&](ProfileStore& store) {
    for (int round = 0; round < 400; ++round) {
      try {
        const StoredProfile found = read_one(store, "contended");
        const int value = found.bytes.empty() ? 0 : std::stoi(found.bytes);
        successes += written(write_one(store, "contended", found.bytes, std::to_string(value + 1)));
      } catch (const std::exception&) {
        ++failures;
      }
    }
  };
  const auto second = need(first->another());
  std::thread other([&] { race(*second); });
  race(*first);
  other.join();
  BOOST_TEST(failures == 0);
  BOOST_TEST(successes > 0);
  BOOST_TEST(read_one(*first, "contended").bytes == std::to_string(successes));
}

BOOST_AUTO_TEST_CASE(large_calls_that_share_customers_neither_lose_updates_nor_wait_for_ever)
{
  const auto first = open_store_under_test(fresh_options());
  const auto second = need(first->another());
  std::vector<CustomerId> customers;
  for (int i = 0; i < 50; ++i) customers.emplace_back(many(i));
  std::vector<std::atomic<int>> successes(customers.size());
  std::atomic<int> failures{0};
  const auto race = [&](ProfileStore& store, bool backwards) {
    std::vector<CustomerId> mine = customers;
    if (backwards) std::reverse(mine.begin(), mine.end());
    std::vector<StoredProfile> found;
    std::vector<WriteOutcome> outcomes;
    for (int round = 0; round < 60; ++round) {
      failures += !store.get(mine, found).ok();
      std::vector<std::string> bytes;
      for (const StoredProfile& one : found) bytes.push_back(std::to_string(one.bytes.empty() ? 1 : std::stoi(one.bytes) + 1));
      std::vector<ProfileWrite> writes;
      for (std::size_t i = 0; i < mine.size(); ++i) writes.push_back({&mine[i], found[i].digest, bytes[i], digest_for(bytes[i])});
      failures += !store.compare_and_set(writes, outcomes).ok();
      for (std::size_t i = 0; i < mine.size(); ++i) successes[backwards ? mine.size() - 1 - i : i] += written(outcomes[i]);
    }
  };
  std::thread other([&] { race(*second, true); });
  race(*first, false);
  other.join();
  BOOST_TEST(failures == 0);
  std::vector<StoredProfile> found;
  need(first->get(customers, found));
  for (std::size_t i = 0; i < customers.size(); ++i) BOOST_TEST(found[i].bytes == std::to_string(successes[i]));
}

BOOST_AUTO_TEST_CASE(a_scan_shows_every_profile_once)
{
  const auto store = open_store_under_test(fresh_options());
  std::vector<std::pair<std::string, std::string>> all;
  std::vector<CustomerId> customers;
  std::vector<ProfileWrite> writes;
  for (int i = 0; i < 3000; ++i) all.emplace_back(many(i), "profile " + std::to_string(i));
  std::sort(all.begin(), all.end());
  for (const auto& [customer, bytes] : all) customers.emplace_back(customer);
  for (std::size_t i = 0; i < all.size(); ++i) writes.push_back({&customers[i], {}, all[i].second, digest_for(all[i].second)});
  std::vector<WriteOutcome> out;
  need(store->compare_and_set(writes, out));
  BOOST_TEST((scan_all(*store) == all));
}

BOOST_AUTO_TEST_CASE(a_scan_stops_when_its_visitor_says_so_and_the_visitor_may_write)
{
  const auto store = open_store_under_test(fresh_options());
  for (int i = 0; i < 20; ++i) write_one(*store, many(i), "", "x");
  int visited = 0;
  need(store->scan([&](const CustomerId& customer, const StoredProfile& profile) {
    write_one(*store, customer.text, profile.bytes, "");
    return ++visited < 7;
  }));
  BOOST_TEST(visited == 7);
  BOOST_TEST(scan_all(*store).size() == 13u);
}

BOOST_AUTO_TEST_CASE(namespaces_do_not_see_each_other)
{
  StoreOptions options = fresh_options();
  const auto a = open_store_under_test(options);
  options.name_space += "x";
  const auto longer = open_store_under_test(options);
  options.name_space.clear();
  const auto unnamed = open_store_under_test(options);
  write_one(*a, "ann", "", "of a");
  write_one(*longer, "ann", "", "of the longer name");
  BOOST_TEST(read_one(*unnamed, "ann").bytes.empty());
  BOOST_TEST(read_one(*a, "ann").bytes == "of a");
  BOOST_TEST(read_one(*longer, "ann").bytes == "of the longer name");
  BOOST_TEST(scan_all(*a).size() == 1u);
  BOOST_TEST(scan_all(*longer).size() == 1u);
  BOOST_TEST(scan_all(*unnamed).empty());
  BOOST_TEST((need(a->incarnation()) != need(longer->incarnation())));
}

BOOST_AUTO_TEST_CASE(all_handles_of_a_store_name_the_same_incarnation)
{
  const StoreOptions options = fresh_options();
  const auto a = open_store_under_test(options);
  const Incarnation incarnation = need(a->incarnation());
  BOOST_TEST(!incarnation.data.empty());
  BOOST_TEST(!incarnation.run.empty());
  write_one(*a, "ann", "", "one");
  BOOST_TEST((need(a->incarnation()) == incarnation));
  BOOST_TEST((need(need(a->another())->incarnation()) == incarnation));
  BOOST_TEST((need(open_store_under_test(options)->incarnation()) == incarnation));
}

BOOST_AUTO_TEST_CASE(a_handle_for_reading_reads_and_refuses_to_write)
{
  StoreOptions options = fresh_options();
  const auto writer = open_store_under_test(options);
  write_one(*writer, "ann", "", "one");
  options.read_only = true;
  const auto reader = open_store_under_test(options);
  BOOST_TEST(read_one(*reader, "ann").bytes == "one");
  BOOST_TEST((need(reader->incarnation()) == need(writer->incarnation())));
  write_one(*writer, "ann", "one", "two");
  BOOST_TEST(read_one(*reader, "ann").bytes == "two");
  BOOST_TEST(scan_all(*reader).size() == 1u);
  const CustomerId ann("ann");
  std::vector<WriteOutcome> out;
  const Status refused = reader->compare_and_set(std::vector<ProfileWrite>{{&ann, digest_for("two"), "3", digest_for("3")}}, out);
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST((refused.error().code == Code::usage));
}

BOOST_AUTO_TEST_CASE(a_fresh_generation_is_empty_and_nobody_sees_it)
{
  const auto store = open_store_under_test(fresh_options());
  write_one(*store, "ann", "", "old");
  const auto fresh = need(store->fresh_generation());
  BOOST_TEST(read_one(*fresh, "ann").bytes.empty());
  BOOST_TEST(written(write_one(*fresh, "ann", "", "new")));
  BOOST_TEST(written(write_one(*fresh, "bob", "", "new")));
  BOOST_TEST(read_one(*store, "ann").bytes == "old");
  BOOST_TEST(read_one(*store, "bob").bytes.empty());
  BOOST_TEST(scan_all(*store).size() == 1u);
  BOOST_TEST(scan_all(*fresh).size() == 2u);
  BOOST_TEST(read_one(*need(fresh->another()), "bob").bytes == "new");
}

BOOST_AUTO_TEST_CASE(a_published_generation_is_the_one_in_use_and_the_old_one_is_gone)
{
  const StoreOptions options = fresh_options();
  const auto store = open_store_under_test(options);
  write_one(*store, "ann", "", "old");
  write_one(*store, "old", "", "old");
  const Incarnation before = need(store->incarnation());
  const auto fresh = need(store->fresh_generation());
  write_one(*fresh, "ann", "", "new");
  need(fresh->publish_generation());

  BOOST_TEST(read_one(*fresh, "ann").bytes == "new");
  const auto later = open_store_under_test(options);
  const std::vector<std::pair<std::string, std::string>> expected{{"ann", "new"}};
  BOOST_TEST((scan_all(*later) == expected));
  BOOST_TEST(read_one(*later, "old").bytes.empty());
  const Incarnation after = need(later->incarnation());
  BOOST_TEST(after.data != before.data);
  BOOST_TEST((need(fresh->incarnation()) == after));

  // And again: the second generation gives way to a third.
  const auto third = need(later->fresh_generation());
  write_one(*third, "ann", "", "third");
  need(third->publish_generation());
  BOOST_TEST(read_one(*open_store_under_test(options), "ann").bytes == "third");
}

BOOST_AUTO_TEST_CASE(after_a_generation_was_published_every_call_of_an_older_handle_fails_until_it_asks_for_the_incarnation)
{
  const auto store = open_store_under_test(fresh_options());
  write_one(*store, "ann", "", "old");
  const Incarnation before = need(store->incarnation());
  const auto fresh = need(store->fresh_generation());
  write_one(*fresh, "ann", "", "new");
  need(fresh->publish_generation());

  const CustomerId ann("ann");
  std::vector<StoredProfile> profiles;
  std::vector<WriteOutcome> outcomes;
  const auto fails = [](const Status& status) { return !status.ok() && status.error().code == Code::replaced; };
  for (int round = 0; round < 2; ++round) {
    BOOST_TEST(fails(store->get(std::vector{ann}, profiles)));
    BOOST_TEST(fails(store->compare_and_set(std::vector<ProfileWrite>{{&ann, digest_for("old"), "x", digest_for("x")}}, outcomes)));
    BOOST_TEST(fails(store->scan([](const CustomerId&, const StoredProfile&) { return true; })));
  }
  BOOST_TEST(need(store->incarnation()).data != before.data);
  BOOST_TEST(read_one(*store, "ann").bytes == "new");
  BOOST_TEST(written(write_one(*store, "ann", "new", "newer")));
  BOOST_TEST(read_one(*fresh, "ann").bytes == "newer");
}

BOOST_AUTO_TEST_CASE(of_two_fresh_generations_the_first_published_wins_and_the_other_is_refused)
{
  const auto store = open_store_under_test(fresh_options());
  const auto one = need(store->fresh_generation());
  const auto two = need(store->fresh_generation());
  write_one(*one, "ann", "", "one");
  write_one(*two, "ann", "", "two");
  need(one->publish_generation());
  const Status refused = two->publish_generation();
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST((refused.error().code == Code::replaced));
  need(store->incarnation());
  BOOST_TEST(read_one(*store, "ann").bytes == "one");
}

BOOST_AUTO_TEST_CASE(a_profile_expires_after_its_last_write_and_is_then_as_if_it_had_never_been)
{
  if (!kProfilesExpire) return;
  StoreOptions options = fresh_options();
  const auto lasting = open_store_under_test(options);
  write_one(*lasting, "lasting", "", "x");
  options.profile_ttl = Milliseconds(1);
  const auto store = open_store_under_test(options);
  write_one(*store, "ann", "", "one");
  while (!read_one(*store, "ann").bytes.empty()) std::this_thread::yield();
  BOOST_TEST(read_one(*lasting, "ann").bytes.empty());
  BOOST_TEST(scan_all(*lasting).size() == 1u);
  BOOST_TEST(!written(write_one(*lasting, "ann", "one", "two")));
  BOOST_TEST(written(write_one(*lasting, "ann", "", "two")));
  BOOST_TEST(read_one(*store, "ann").bytes == "two");
}

BOOST_AUTO_TEST_CASE(any_sequence_of_calls_leaves_what_the_same_sequence_leaves_in_a_map)
{
  const bool held = rc::check([] {
    const auto store = open_store_under_test(fresh_options());
    std::map<std::string, std::string> model;
    const auto steps = *rc::gen::inRange(1, 25);
    for (int step = 0; step < steps; ++step) {
      const std::string customer(1, static_cast<char>('a' + *rc::gen::inRange(0, 4)));
      const std::string bytes = *rc::gen::element<std::string>("", "1", "22", "333");
      const bool right = *rc::gen::inRange(0, 4) != 0;
      const std::string expected =
          right ? (model.contains(customer) ? model[customer] : "") : *rc::gen::element<std::string>("", "1", "22", "333");
      const bool should = expected == (model.contains(customer) ? model[customer] : "");
      RC_ASSERT(written(write_one(*store, customer, expected, bytes)) == should);
      if (should && bytes.empty()) model.erase(customer);
      if (should && !bytes.empty()) model[customer] = bytes;
      for (const char name : {'a', 'b', 'c', 'd'}) {
        const std::string one(1, name);
        RC_ASSERT(read_one(*store, one).bytes == (model.contains(one) ? model[one] : ""));
      }
    }
    RC_ASSERT(scan_all(*store) == (std::vector<std::pair<std::string, std::string>>(model.begin(), model.end())));
  });
  BOOST_TEST(held);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune::test
