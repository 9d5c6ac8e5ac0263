#include "pipeline/profile_transfer.h"

#include <boost/test/unit_test.hpp>
#include <set>

#include "adapters/memory_store.h"
#include "pipeline/profile_writer.h"
#include "support/events.h"

namespace attune::testing {
namespace {

void keep(ProfileStore& store, const std::vector<Event>& events)
{
  ProfileWriter writer(store, {});
  std::vector<const Event*> all;
  for (const Event& event : events) all.push_back(&event);
  std::vector<Verdict> verdicts;
  BOOST_TEST_REQUIRE(writer.apply(all, verdicts).ok());
}

std::vector<Profile> exported(ProfileStore& store, bool sorted)
{
  std::vector<Profile> all;
  BOOST_TEST_REQUIRE(export_profiles(store, sorted, [&](const Profile& profile) {
                       all.push_back(profile);
                       return Status();
                     }).ok());
  return all;
}

std::uint64_t import(ProfileStore& store, ProfileImport::Manner manner, const std::vector<Profile>& profiles)
{
  ProfileImport into(store, manner);
  for (const Profile& profile : profiles) BOOST_TEST_REQUIRE(into.add(profile).ok());
  BOOST_TEST_REQUIRE(into.flush().ok());
  return into.written();
}

ProfileDigests digests(ProfileStore& store)
{
  auto found = digests_of(store);
  BOOST_TEST_REQUIRE(found.ok());
  return *found;
}

std::string customer(int i)
{
  return "c" + std::to_string(i);
}

// Wins every race: writes a customer's profile once more before each compare-and-set, `times` times.
class Intruder final : public ProfileStore {
 public:
  Intruder(ProfileStore& store, int times) : store_(store), times_(times) {}
  Result<std::unique_ptr<ProfileStore>> another() override { return store_.another(); }
  Result<Incarnation> incarnation() override { return store_.incarnation(); }
  Status get(std::span<const CustomerId> customers, std::vector<StoredProfile>& out) override { return store_.get(customers, out); }
  Status compare_and_set(std::span<const ProfileWrite> writes, std::vector<WriteOutcome>& out) override
  {
    if (times_ > 0 && !writes.empty())
      keep(store_, {view(writes.front().customer->text, "intruder-" + std::to_string(times_--), kNoon)});
    return store_.compare_and_set(writes, out);
  }
  Status scan(const std::function<bool(const CustomerId&, const StoredProfile&)>& visit) override { return store_.scan(visit); }
  Result<std::unique_ptr<ProfileStore>> fresh_generation() override { return store_.fresh_generation(); }
  Status publish_generation() override { return store_.publish_generation(); }

 private:
  ProfileStore& store_;
  int times_;
};

struct TwoStores {
  std::unique_ptr<ProfileStore> from = open_memory_store("", {});
  std::unique_ptr<ProfileStore> to = open_memory_store("", {});
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(profile_transfer, TwoStores)

BOOST_AUTO_TEST_CASE(a_sorted_export_has_every_profile_once_in_the_order_of_customers)
{
  std::vector<Event> events;
  for (int i = 0; i < 1200; ++i) events.push_back(view(customer(i), "e" + std::to_string(i), kNoon));
  keep(*from, events);
  const auto sorted = exported(*from, true);
  BOOST_TEST(sorted.size() == 1200u);
  BOOST_TEST(std::is_sorted(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.customer < b.customer; }));
  std::set<CustomerId> unsorted;
  for (const Profile& profile : exported(*from, false)) unsorted.insert(profile.customer);
  BOOST_TEST(unsorted.size() == 1200u);
}

BOOST_AUTO_TEST_CASE(an_export_ends_with_the_first_error_of_who_takes_it)
{
  keep(*from, {view("a", "1", kNoon), view("b", "2", kNoon)});
  for (const bool sorted : {true, false}) {
    int taken = 0;
    const Status status = export_profiles(*from, sorted, [&](const Profile&) -> Status {
      ++taken;
      return Error{Code::io, "full"};
    });
    BOOST_TEST(!status.ok());
    BOOST_TEST(taken == 1);
  }
}

BOOST_AUTO_TEST_CASE(what_was_exported_and_imported_into_an_empty_store_is_the_same_pointers_included)
{
  std::vector<Event> events;
  for (int i = 0; i < 1200; ++i) events.push_back(view(customer(i), "e" + std::to_string(i), kNoon));
  events.push_back(identify("c1", "c2", "claim", kNoon));
  keep(*from, events);
  BOOST_TEST(import(*to, ProfileImport::Manner::merge, exported(*from, false)) == 1200u);
  BOOST_TEST((digests(*to) == digests(*from)));
  // And once more: nothing is written.
  BOOST_TEST(import(*to, ProfileImport::Manner::merge, exported(*from, false)) == 0u);
  BOOST_TEST(import(*to, ProfileImport::Manner::replace, exported(*from, false)) == 0u);
  BOOST_TEST((digests(*to) == digests(*from)));
}

BOOST_AUTO_TEST_CASE(a_merging_import_is_as_if_one_profile_had_taken_in_both)
{
  keep(*from, {view("a", "1", kNoon), view("a", "2", kNoon)});
  keep(*to, {view("a", "2", kNoon), view("a", "3", kNoon), view("b", "4", kNoon)});
  import(*to, ProfileImport::Manner::merge, exported(*from, false));
  const auto both = open_memory_store("", {});
  keep(*both, {view("a", "1", kNoon), view("a", "2", kNoon), view("a", "3", kNoon), view("b", "4", kNoon)});
  BOOST_TEST((digests(*to) == digests(*both)));
}

BOOST_AUTO_TEST_CASE(a_replacing_import_leaves_nothing_of_what_was_there_and_other_customers_alone)
{
  keep(*from, {view("a", "1", kNoon)});
  keep(*to, {view("a", "3", kNoon), view("b", "4", kNoon)});
  import(*to, ProfileImport::Manner::replace, exported(*from, false));
  keep(*from, {view("b", "4", kNoon)});
  BOOST_TEST((digests(*to) == digests(*from)));
}

BOOST_AUTO_TEST_CASE(a_merging_import_keeps_the_pointer_of_the_first_claim_whichever_side_has_it)
{
  keep(*from, {identify("first", "anon", "1", kNoon)});
  keep(*to, {identify("second", "anon", "2", kNoon + Milliseconds(1))});
  import(*to, ProfileImport::Manner::merge, exported(*from, false));
  for (const Profile& profile : exported(*to, false)) {
    if (profile.customer != CustomerId("anon")) continue;
    BOOST_TEST_REQUIRE(profile.moved_to.has_value());
    BOOST_TEST(profile.moved_to->alias.text == "first");
  }
}

BOOST_AUTO_TEST_CASE(two_records_of_one_customer_are_merged_one_after_the_other)
{
  keep(*from, {view("a", "1", kNoon)});
  auto records = exported(*from, false);
  const auto other = open_memory_store("", {});
  keep(*other, {view("a", "2", kNoon)});
  records.push_back(exported(*other, false).front());
  import(*to, ProfileImport::Manner::merge, records);
  keep(*from, {view("a", "2", kNoon)});
  BOOST_TEST((digests(*to) == digests(*from)));
}

BOOST_AUTO_TEST_CASE(an_import_that_lost_a_race_merges_with_what_the_winner_wrote)
{
  keep(*from, {view("a", "1", kNoon), view("b", "1", kNoon)});
  Intruder contended(*to, 3);
  BOOST_TEST(import(contended, ProfileImport::Manner::merge, exported(*from, true)) == 2u);
  keep(*from, {view("a", "intruder-3", kNoon), view("a", "intruder-2", kNoon), view("a", "intruder-1", kNoon)});
  BOOST_TEST((digests(*to) == digests(*from)));
}

BOOST_AUTO_TEST_CASE(an_import_that_loses_every_race_is_busy)
{
  keep(*from, {view("a", "1", kNoon)});
  Intruder contended(*to, 1'000'000);
  ProfileImport into(contended, ProfileImport::Manner::merge);
  BOOST_TEST_REQUIRE(into.add(exported(*from, true).front()).ok());
  const Status status = into.flush();
  BOOST_TEST_REQUIRE(!status.ok());
  BOOST_TEST((status.error().code == Code::busy));
}

BOOST_AUTO_TEST_CASE(differences_are_told_in_the_order_of_customers)
{
  keep(*from, {view("a", "1", kNoon), view("b", "1", kNoon), view("d", "1", kNoon), view("e", "1", kNoon)});
  keep(*to, {view("b", "1", kNoon), view("c", "1", kNoon), view("d", "2", kNoon), view("f", "1", kNoon)});
  std::string told;
  for_each_difference(digests(*from), digests(*to), [&](const CustomerId& one, Difference difference) {
    told += one.text + (difference == Difference::missing ? "-" : difference == Difference::added ? "+" : "!") + " ";
  });
  BOOST_TEST(told == "a- c+ d! e- f+ ");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune::testing
