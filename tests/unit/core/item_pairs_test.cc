#include "core/item_pairs.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <random>
#include <set>

using namespace attune;

namespace {

struct Raw {
  std::uint32_t after = 0, before = 0, next = 0, together = 0;
  friend bool operator==(const Raw&, const Raw&) = default;
};
using RawPairs = std::map<std::pair<ItemNumber, ItemNumber>, Raw>;
using Items = std::vector<ItemNumber>;

RawPairs raw_of(const ItemPairs& pairs)
{
  RawPairs raw;
  for (ItemNumber item = 0; item < pairs.items(); ++item) {
    const auto& partners = pairs.of(item);
    for (std::size_t i = 0; i < partners.items.size(); ++i) {
      const auto& counts = partners.counts[i];
      raw[{item, partners.items[i]}] = {counts.after, counts.before, counts.next, counts.together};
    }
  }
  return raw;
}

// All sessions counted anew, as the header defines it.
RawPairs recounted(const std::vector<Items>& sessions)
{
  RawPairs raw;
  for (const auto& items : sessions) {
    for (std::size_t at = 1; at < items.size(); ++at) {
      const bool is_new = std::find(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(at), items[at]) ==
                          items.begin() + static_cast<std::ptrdiff_t>(at);
      std::set<ItemNumber> met{items[at]};
      for (std::size_t distance = 1; distance <= kLags && distance <= at; ++distance) {
        const auto earlier = items[at - distance];
        if (!met.insert(earlier).second) continue;
        auto& after = raw[{earlier, items[at]}];
        auto& before = raw[{items[at], earlier}];
        after.after += kPairUnit / distance;
        before.before += kPairUnit / distance;
        after.next += distance == 1 ? 1 : 0;
        after.together += is_new ? 1 : 0;
        before.together += is_new ? 1 : 0;
      }
    }
  }
  return raw;
}

template <class Each>
void walk(const Items& session, Each&& each)
{
  for (std::size_t at = 0; at < session.size(); ++at) {
    const auto before = std::span(session).first(at);
    each(before, session[at], std::find(before.begin(), before.end(), session[at]) == before.end());
  }
}

void add(ItemPairs& pairs, const Items& session, bool fresh = true)
{
  walk(session, [&](auto before, ItemNumber item, bool is_new) { pairs.add(before, item, is_new, fresh); });
}

void subtract(ItemPairs& pairs, const Items& session)
{
  walk(session, [&](auto before, ItemNumber item, bool is_new) { pairs.subtract(before, item, is_new); });
}

Items some_session(std::mt19937& random, std::uint32_t items)
{
  Items session;
  for (auto length = random() % 30; length-- > 0;)
    if (const ItemNumber item = random() % items; session.empty() || session.back() != item) session.push_back(item);
  return session;
}

std::uint32_t transitions_of(const ItemPairs& pairs)
{
  std::uint32_t all = 0;
  for (ItemNumber item = 0; item < pairs.items(); ++item) all += pairs.of(item).transitions;
  return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(item_pairs)

BOOST_AUTO_TEST_CASE(raw_counts_are_those_of_all_sessions_counted_anew)
{
  BOOST_TEST(rc::check([] {
    std::mt19937 random(*rc::gen::arbitrary<unsigned>());
    const auto items = *rc::gen::inRange<std::uint32_t>(2, 40);
    ItemPairs pairs;
    pairs.grow(items);
    std::vector<Items> sessions;
    for (int i = *rc::gen::inRange(0, 60); i-- > 0;) {
      if (!sessions.empty() && random() % 3 == 0) {
        const auto gone = sessions.begin() + static_cast<std::ptrdiff_t>(random() % sessions.size());
        subtract(pairs, *gone);
        sessions.erase(gone);
      } else {
        sessions.push_back(some_session(random, items));
        add(pairs, sessions.back(), random() % 2 == 0);
      }
    }
    const auto expected = recounted(sessions);
    RC_ASSERT(raw_of(pairs) == expected);
    RC_ASSERT(pairs.pairs() == expected.size());
    std::size_t transitions = 0;
    for (const auto& session : sessions) transitions += session.empty() ? 0 : session.size() - 1;
    RC_ASSERT(transitions_of(pairs) == transitions);
  }));
}

BOOST_AUTO_TEST_CASE(added_and_subtracted_is_nothing)
{
  std::mt19937 random(5);
  ItemPairs pairs;
  pairs.grow(50);
  std::vector<Items> sessions;
  for (int i = 0; i < 400; ++i) add(pairs, sessions.emplace_back(some_session(random, 50)));
  const auto full = pairs.bytes();
  std::shuffle(sessions.begin(), sessions.end(), random);
  for (const auto& session : sessions) subtract(pairs, session);
  BOOST_TEST(pairs.pairs() == 0U);
  BOOST_TEST(raw_of(pairs).empty());
  BOOST_TEST(transitions_of(pairs) == 0U);
  BOOST_TEST(pairs.bytes() < full / 4);
}

BOOST_AUTO_TEST_CASE(decayed_sums_are_as_of_the_transitions_of_the_item)
{
  constexpr ItemNumber kFrom = 0, kTo = 1, kOther = 2;
  ItemPairs pairs;
  pairs.grow(3);
  const auto follow = [&](ItemNumber item) { pairs.add(Items{kFrom}, item, true, true); };
  follow(kTo);
  for (int i = 0; i < 9; ++i) follow(kOther);
  follow(kTo);
  const auto& partners = pairs.of(kFrom);
  BOOST_TEST(partners.clock == 11U);
  const auto& counts = partners.counts[0];
  BOOST_TEST(counts.at == 11U);
  BOOST_TEST(counts.slow == 1 + std::exp(-10.0F / 240), boost::test_tools::tolerance(1e-5F));
  BOOST_TEST(counts.fast / kFastUnit == 1 + std::exp(-10.0F / 30), boost::test_tools::tolerance(0.005F));
  BOOST_TEST(counts.faster / kFasterUnit == 1 + std::exp(-10.0F / 7.5F), boost::test_tools::tolerance(0.005F));
}

BOOST_AUTO_TEST_CASE(what_is_not_fresh_moves_no_decayed_sum)
{
  ItemPairs pairs;
  pairs.grow(2);
  pairs.add(Items{0}, 1, true, false);
  const auto& partners = pairs.of(0);
  BOOST_TEST(partners.clock == 0U);
  BOOST_TEST(partners.transitions == 1U);
  BOOST_TEST(partners.counts[0].slow == 0.0F);
  BOOST_TEST(partners.counts[0].after == kPairUnit);
}

BOOST_AUTO_TEST_CASE(an_item_keeps_the_partners_that_weigh_most)
{
  ItemPairs pairs;
  pairs.grow(5'001);
  for (int i = 0; i < 3; ++i) pairs.add(Items{0}, 1, true, true);
  for (ItemNumber partner = 2; partner <= 5'000; ++partner) {
    pairs.add(Items{0}, partner, true, true);
    if (partner % 100 == 0) pairs.add(Items{0}, 1, true, true);
    BOOST_TEST_REQUIRE(pairs.of(0).items.size() <= kMaxPartners);
  }
  const auto& partners = pairs.of(0);
  BOOST_TEST(partners.items.size() == partners.counts.size());
  BOOST_TEST(std::count(partners.items.begin(), partners.items.end(), 1) == 1);
  BOOST_TEST(std::count(partners.items.begin(), partners.items.end(), 5'000) == 1);
  std::size_t all = 0;
  for (ItemNumber item = 0; item < pairs.items(); ++item) all += pairs.of(item).items.size();
  BOOST_TEST(pairs.pairs() == all);
  // What was pruned is taken back without harm.
  for (ItemNumber partner = 2; partner <= 5'000; ++partner) pairs.subtract(Items{0}, partner, true);
  BOOST_TEST(pairs.of(0).items == (std::vector<ItemNumber>{1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
