#include "pipeline/profile_writer.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>
#include <map>
#include <thread>

#include "adapters/memory_store.h"
#include "support/events.h"

namespace attune {
namespace {

using namespace testing;
using namespace std::chrono_literals;

std::unique_ptr<ProfileStore> fresh_store()
{
  return open_memory_store("", {});
}

Profile read(ProfileStore& store, std::string_view customer)
{
  const CustomerId id{customer};
  std::vector<StoredProfile> out;
  BOOST_TEST_REQUIRE(store.get({&id, 1}, out).ok());
  if (out[0].bytes.empty()) {
    Profile none;
    none.customer = id;
    return none;
  }
  auto profile = decode_profile(id, out[0].bytes);
  BOOST_TEST_REQUIRE(profile.ok());
  return std::move(*profile);
}

std::map<std::string, std::string> everything(ProfileStore& store)
{
  std::map<std::string, std::string> all;
  BOOST_TEST_REQUIRE(store
                         .scan([&](const CustomerId& customer, const StoredProfile& stored) {
                           all[customer.text] = stored.bytes;
                           return true;
                         })
                         .ok());
  return all;
}

std::vector<Verdict> feed(ProfileWriter& writer, const std::vector<Event>& events)
{
  std::vector<Verdict> verdicts;
  const auto pointers = pointers_to(events);
  BOOST_TEST_REQUIRE(writer.apply(pointers, verdicts).ok());
  return verdicts;
}

// A store whose next writes are preceded by somebody else's.
class Contended final : public ProfileStore {
 public:
  Contended(ProfileStore& under, std::function<void()> before_write) : under_(under), before_write_(std::move(before_write)) {}
  Result<std::unique_ptr<ProfileStore>> another() override { return under_.another(); }
  Result<Incarnation> incarnation() override { return under_.incarnation(); }
  Status get(std::span<const CustomerId> customers, std::vector<StoredProfile>& out) override { return under_.get(customers, out); }
  Status compare_and_set(std::span<const ProfileWrite> writes, std::vector<WriteOutcome>& out) override
  {
    before_write_();
    return under_.compare_and_set(writes, out);
  }
  Status scan(const std::function<bool(const CustomerId&, const StoredProfile&)>& visit) override { return under_.scan(visit); }
  Result<std::unique_ptr<ProfileStore>> fresh_generation() override { return under_.fresh_generation(); }
  Status publish_generation() override { return under_.publish_generation(); }

 private:
  ProfileStore& under_;
  std::function<void()> before_write_;
};

BOOST_AUTO_TEST_SUITE(profile_writer)

BOOST_AUTO_TEST_CASE(a_batch_is_one_read_and_one_write_per_customer)
{
  auto store = fresh_store();
  ProfileWriter writer(*store, {});
  std::vector<Event> events;
  for (int i = 0; i < 30; ++i)
    events.push_back(view("c" + std::to_string(i % 3), "e" + std::to_string(i), kNoon + Milliseconds(i)));
  const auto verdicts = feed(writer, events);
  for (const auto& verdict : verdicts) BOOST_TEST((verdict.outcome == Outcome::accepted));
  BOOST_TEST(writer.counts().reads == 3u);
  BOOST_TEST(writer.counts().writes == 3u);
  BOOST_TEST(read(*store, "c1").version() == 10u);
}

BOOST_AUTO_TEST_CASE(what_was_written_is_not_read_again)
{
  auto store = fresh_store();
  ProfileWriter writer(*store, {});
  feed(writer, {view("c", "1", kNoon)});
  feed(writer, {view("c", "2", kNoon + 1ms)});
  BOOST_TEST(writer.counts().reads == 1u);
  BOOST_TEST(read(*store, "c").version() == 2u);
}

BOOST_AUTO_TEST_CASE(a_lost_compare_and_set_reads_and_applies_again)
{
  auto store = fresh_store();
  auto other_handle = store->another();
  ProfileWriter other(**other_handle, {});
  int interruptions = 2;
  Contended contended(*store, [&] {
    if (interruptions-- > 0) feed(other, {view("c", "other" + std::to_string(interruptions), kNoon)});
  });
  ProfileWriter writer(contended, {});
  feed(writer, {view("c", "mine", kNoon + 1ms)});
  BOOST_TEST(writer.counts().lost == 2u);
  BOOST_TEST(read(*store, "c").version() == 3u);
}

BOOST_AUTO_TEST_CASE(a_repeated_event_writes_nothing)
{
  auto store = fresh_store();
  ProfileWriter writer(*store, {});
  feed(writer, {view("c", "1", kNoon)});
  const auto verdicts = feed(writer, {view("c", "1", kNoon)});
  BOOST_TEST((verdicts[0].outcome == Outcome::repeated));
  BOOST_TEST(writer.counts().writes == 1u);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_not_decided_on_what_was_only_remembered)
{
  auto store = fresh_store();
  ProfileWriter writer(*store, {});
  feed(writer, {consent("c", false, "no", kNoon)});
  auto other_handle = store->another();
  ProfileWriter other(**other_handle, {});
  feed(other, {consent("c", true, "yes", kNoon + 1ms)});
  const auto verdicts = feed(writer, {view("c", "1", kNoon + 2ms)});
  BOOST_TEST((verdicts[0].outcome == Outcome::accepted));
}

BOOST_AUTO_TEST_CASE(an_alias_is_absorbed_and_what_follows_goes_to_the_customer)
{
  auto store = fresh_store();
  ProfileWriter writer(*store, {});
  feed(writer, {view("anon-1", "1", kNoon), view("ana", "2", kNoon + 1ms)});
  feed(writer, {identify("ana", "anon-1", "i", kNoon + 2ms)});
  feed(writer, {view("anon-1", "3", kNoon + 3ms)});
  const auto ana = read(*store, "ana");
  BOOST_TEST(item_counts(ana).size() == 1u);
  BOOST_TEST(counts(ana).at(0).second == 3u);
  BOOST_TEST(has_alias(ana, CustomerId("anon-1")));
  const auto alias = read(*store, "anon-1");
  BOOST_TEST((alias.moved_to && alias.moved_to->alias == CustomerId("ana")));
  BOOST_TEST(counts(alias).empty());
}

BOOST_AUTO_TEST_CASE(identify_is_safe_to_repeat_after_each_of_its_steps)
{
  // Whatever step the writer died behind (each ends with one write), doing all of it again gives the same profiles.
  const std::vector<Event> before{view("anon-1", "1", kNoon), view("ana", "2", kNoon + 1ms)};
  const std::vector<Event> claim{identify("ana", "anon-1", "i", kNoon + 2ms)};
  auto whole = fresh_store();
  ProfileWriter undisturbed(*whole, {});
  feed(undisturbed, before);
  feed(undisturbed, claim);
  const auto expected = everything(*whole);

  for (int steps = 0; steps <= 3; ++steps) {
    auto store = fresh_store();
    ProfileWriter first(*store, {});
    feed(first, before);
    struct Died {};
    int left = steps;
    Contended dying(*store, [&] {
      if (left-- == 0) throw Died();
    });
    try {
      ProfileWriter doomed(dying, {});
      feed(doomed, claim);
    } catch (const Died&) {
    }
    ProfileWriter second(*store, {});
    feed(second, claim);
    BOOST_TEST((everything(*store) == expected), "died behind step " << steps);
  }
}

BOOST_AUTO_TEST_CASE(a_second_claim_on_an_alias_is_refused_with_the_winners_name)
{
  auto store = fresh_store();
  ProfileWriter writer(*store, {});
  feed(writer, {identify("ana", "anon-1", "i1", kNoon)});
  const auto verdicts = feed(writer, {identify("bob", "anon-1", "i2", kNoon + 1ms)});
  BOOST_TEST(verdicts[0].conflict == "alias: belongs to ana already");
}

BOOST_AUTO_TEST_CASE(pointers_are_followed_through_any_number_of_links)
{
  auto store = fresh_store();
  ProfileWriter writer(*store, {});
  feed(writer, {identify("b", "a", "i1", kNoon), identify("c", "b", "i2", kNoon + 1ms), identify("d", "c", "i3", kNoon + 2ms)});
  feed(writer, {view("a", "1", kNoon + 3ms), view("b", "2", kNoon + 3ms), view("d", "3", kNoon + 3ms)});
  BOOST_TEST(counts(read(*store, "d")).at(0).second == 3u);
}

BOOST_AUTO_TEST_CASE(two_that_claim_each_other_are_one_whoever_was_first)
{
  auto store = fresh_store();
  ProfileWriter writer(*store, {});
  feed(writer, {view("a", "1", kNoon), view("b", "2", kNoon)});
  feed(writer, {identify("b", "a", "i1", kNoon), identify("a", "b", "i2", kNoon)});
  feed(writer, {view("a", "3", kNoon + 1ms), view("b", "4", kNoon + 1ms)});
  std::uint64_t kept = 0;
  for (const auto& id : {"a", "b"}) {
    const auto all = counts(read(*store, id));
    if (!all.empty()) kept = all.at(0).second;
  }
  BOOST_TEST(kept == 4u);
}

// Two workers, each with its own handle and cache, some of the events each, in any interleaving that threads give.
RC_BOOST_PROP(identify_in_any_interleaving_of_two_workers_loses_and_doubles_nothing, ())
{
  std::vector<Event> events;
  const auto n = *rc::gen::inRange(1, 60);
  for (int i = 0; i < n; ++i) {
    const std::string customer = "c" + std::to_string(*rc::gen::inRange(0, 4));
    const auto time = kNoon + Milliseconds(i);
    if (*rc::gen::inRange(0, 5) == 0) {
      const std::string alias = "c" + std::to_string(*rc::gen::inRange(0, 4));
      if (alias != customer) events.push_back(identify(customer, alias, "i" + std::to_string(i), time));
    } else {
      events.push_back(view(customer, "v" + std::to_string(i), time));
    }
  }
  std::vector<Event> halves[2];
  for (const auto& each : events) {
    const auto to = *rc::gen::inRange(0, 3); // some to both: a redelivery
    if (to != 1) halves[0].push_back(each);
    if (to != 0) halves[1].push_back(each);
  }
  auto store = fresh_store();
  const auto work = [](ProfileStore& under, const std::vector<Event>& mine) {
    ProfileWriter writer(under, {});
    for (std::size_t i = 0; i < mine.size(); i += 3) {
      const std::vector<Event> batch(mine.begin() + static_cast<std::ptrdiff_t>(i),
                                     mine.begin() + static_cast<std::ptrdiff_t>(std::min(i + 3, mine.size())));
      std::vector<Verdict> verdicts;
      const auto pointers = pointers_to(batch);
      if (!writer.apply(pointers, verdicts)) std::abort();
    }
  };
  auto one = store->another();
  auto two = store->another();
  std::thread thread([&] { work(**one, halves[0]); });
  work(**two, halves[1]);
  thread.join();

  std::uint64_t views = 0;
  for (const auto& each : events) views += each.type == EventType::view ? 1 : 0;
  std::uint64_t kept = 0;
  for (const auto& [customer, bytes] : everything(*store)) {
    auto profile = decode_profile(CustomerId(customer), bytes);
    RC_ASSERT(profile.ok());
    for (const auto& [type, count] : counts(*profile)) kept += count;
  }
  RC_ASSERT(kept == views);
}

BOOST_AUTO_TEST_CASE(the_cache_is_bounded_and_forgetting_costs_only_reads)
{
  auto store = fresh_store();
  ProfileWriterOptions options;
  options.cache_bytes = 1;
  ProfileWriter writer(*store, options);
  feed(writer, {view("c", "1", kNoon)});
  feed(writer, {view("c", "2", kNoon + 1ms)});
  BOOST_TEST(writer.counts().reads == 2u);
  BOOST_TEST(read(*store, "c").version() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace attune
