#include "pipeline/known_profiles.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>
#include <map>

#include "support/events.h"

namespace attune {
namespace {

using namespace testing;

Profile profile_of(std::string_view customer, int version)
{
  Profile profile;
  profile.customer = CustomerId(customer);
  profile.version_base = static_cast<std::uint64_t>(version);
  return profile;
}

ProfilePtr shared(Profile profile)
{
  return std::make_shared<const Profile>(std::move(profile));
}

const CustomerId ana("ana"), anon("anon");

} // namespace

BOOST_AUTO_TEST_SUITE(known_profiles)

BOOST_AUTO_TEST_CASE(nothing_is_known_before_it_was_loaded)
{
  KnownProfiles known(1 << 20);
  BOOST_TEST(!known.find(ana, kNoon, true).has_value());
  const auto load = known.begin_load(ana);
  BOOST_TEST(!known.find(ana, kNoon, true).has_value());
  known.loaded(ana, load, nullptr, kNoon);
  const auto found = known.find(ana, kNoon, true);
  BOOST_TEST_REQUIRE(found.has_value());
  BOOST_TEST(found->current);
  BOOST_TEST(found->profile == nullptr); // it is known that there is none
}

BOOST_AUTO_TEST_CASE(a_load_that_a_change_overtook_is_not_current)
{
  KnownProfiles known(1 << 20);
  const auto load = known.begin_load(ana);
  known.changed(ana);
  known.loaded(ana, load, shared(profile_of("ana", 1)), kNoon);
  BOOST_TEST(!known.find(ana, kNoon, true)->current);
}

BOOST_AUTO_TEST_CASE(a_load_does_not_take_the_place_of_a_newer_profile)
{
  KnownProfiles known(1 << 20);
  const auto load = known.begin_load(ana);
  known.changed(profile_of("ana", 2), kNoon);
  known.loaded(ana, load, shared(profile_of("ana", 1)), kNoon);
  BOOST_TEST(known.find(ana, kNoon, true)->current);
  BOOST_TEST(known.find(ana, kNoon, true)->profile->version() == 2U);
}

BOOST_AUTO_TEST_CASE(after_all_changed_everything_is_old_and_says_how_old)
{
  KnownProfiles known(1 << 20);
  known.loaded(ana, known.begin_load(ana), shared(profile_of("ana", 1)), kNoon);
  BOOST_TEST(known.find(ana, kNoon + Milliseconds(5), true)->current);
  known.all_changed();
  const auto found = known.find(ana, kNoon + Milliseconds(50), true);
  BOOST_TEST(!found->current);
  BOOST_TEST(found->as_of.ms == kNoon.ms + 5);
}

BOOST_AUTO_TEST_CASE(while_nobody_tells_of_changes_what_is_known_grows_old)
{
  KnownProfiles known(1 << 20);
  known.loaded(ana, known.begin_load(ana), shared(profile_of("ana", 1)), kNoon);
  for (int ms = 0; ms < 100; ++ms) BOOST_TEST_REQUIRE(!known.find(ana, kNoon + Milliseconds(ms), false)->current);
  BOOST_TEST(known.find(ana, kNoon + Milliseconds(100), false)->as_of.ms == kNoon.ms);
  BOOST_TEST(known.find(ana, kNoon + Milliseconds(100), true)->current);
}

BOOST_AUTO_TEST_CASE(an_alias_leads_to_its_root_and_hears_of_its_changes)
{
  KnownProfiles known(1 << 20);
  known.loaded(ana, known.begin_load(ana), shared(profile_of("ana", 1)), kNoon);
  known.leads_to(anon, known.begin_load(anon), ana, kNoon);
  BOOST_TEST_REQUIRE(known.find(anon, kNoon, true)->profile != nullptr);
  BOOST_TEST(known.find(anon, kNoon, true)->current);
  BOOST_TEST(known.find(anon, kNoon, true)->profile->customer.text == "ana");
  known.changed(profile_of("ana", 2), kNoon);
  BOOST_TEST(known.find(anon, kNoon, true)->profile->version() == 2U);
  known.changed(ana);
  BOOST_TEST(!known.find(anon, kNoon, true)->current);
}

BOOST_AUTO_TEST_CASE(a_pointer_from_before_all_changed_is_followed_and_not_believed)
{
  KnownProfiles known(1 << 20);
  known.leads_to(anon, known.begin_load(anon), ana, kNoon);
  known.all_changed();
  known.loaded(ana, known.begin_load(ana), shared(profile_of("ana", 1)), kNoon);
  BOOST_TEST(known.find(ana, kNoon, true)->current);
  BOOST_TEST(!known.find(anon, kNoon, true)->current);
}

BOOST_AUTO_TEST_CASE(who_became_somebody_else_is_read_anew)
{
  KnownProfiles known(1 << 20);
  known.loaded(anon, known.begin_load(anon), shared(profile_of("anon", 1)), kNoon);
  auto root = profile_of("ana", 2);
  root.aliases.push_back({anon, {kNoon, EventId("i")}});
  known.changed(root, kNoon);
  BOOST_TEST(!known.find(anon, kNoon, true)->current);
}

BOOST_AUTO_TEST_CASE(memory_is_bounded_and_the_ones_asked_for_last_stay)
{
  KnownProfiles known(16 * 4000);
  for (int i = 0; i < 1000; ++i) {
    const CustomerId each("c" + std::to_string(i));
    auto profile = profile_of(each.text, 1);
    profile.recent[0].resize(4);
    known.loaded(each, known.begin_load(each), shared(std::move(profile)), kNoon);
  }
  BOOST_TEST(known.size() <= 16U * 4);
  BOOST_TEST(known.find(CustomerId("c999"), kNoon, true).has_value());
}

// Against a store that is a map: what is called current is what the store holds, whatever overlaps.
RC_BOOST_PROP(what_is_called_current_is_what_the_store_holds, ())
{
  KnownProfiles known(16 * 2000); // few stay
  std::map<std::string, int> store;
  struct Loading {
    CustomerId customer;
    KnownProfiles::Load load;
    int read;
  };
  std::vector<Loading> loading;
  const auto name = [] { return "c" + std::to_string(*rc::gen::inRange(0, 40)); };
  for (int step = 0; step < 300; ++step) {
    const auto customer = name();
    switch (*rc::gen::inRange(0, 5)) {
      case 0: // a read begins, and sees what is stored now
        loading.push_back({CustomerId(customer), known.begin_load(CustomerId(customer)), store[customer]});
        break;
      case 1: // the oldest read ends
        if (!loading.empty()) {
          const auto done = loading.front();
          loading.erase(loading.begin());
          known.loaded(done.customer, done.load, shared(profile_of(done.customer.text, done.read)), kNoon);
        }
        break;
      case 2: // the updater in this process writes
        known.changed(profile_of(customer, ++store[customer]), kNoon);
        break;
      case 3: // somebody else writes
        ++store[customer];
        known.changed(CustomerId(customer));
        break;
      default:
        if (*rc::gen::inRange(0, 20) == 0) known.all_changed();
    }
    for (const auto& [each, version] : store) {
      const auto found = known.find(CustomerId(each), kNoon, true);
      if (found && found->current) RC_ASSERT(static_cast<int>(found->profile->version()) == version);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
