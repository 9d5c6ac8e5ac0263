#include "core/postings.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <tuple>
#include <vector>

using namespace attune;

namespace {

constexpr ItemNumber kItems = 6;

struct Shelf {
  explicit Shelf(std::size_t kept) : postings(kept) { postings.grow(kItems); }

  SessionNumber open(const SessionKey& key, const std::vector<Click>& clicks)
  {
    const auto session = table.restore(key, clicks);
    each_first(session, [&](ItemNumber item, std::int64_t) { postings.add(item, session, table); });
    return session;
  }
  void close(SessionNumber session)
  {
    each_first(session, [&](ItemNumber item, std::int64_t time) { postings.remove(item, session, time); });
    table.close(session);
  }
  template <class Each>
  void each_first(SessionNumber session, Each&& each)
  {
    const auto clicks = table.clicks(session);
    for (ItemNumber item = 0; item < kItems; ++item) {
      const auto first = std::find_if(clicks.begin(), clicks.end(), [item](const Click& click) { return click.item == item; });
      if (first != clicks.end()) each(item, first->time);
    }
  }
  // (first click, key), in the order of the list.
  [[nodiscard]] std::vector<std::pair<std::int64_t, SessionKey>> of(ItemNumber item)
  {
    std::vector<std::pair<std::int64_t, SessionKey>> list;
    for (const auto& entry : postings.of(item)) {
      const auto clicks = table.clicks(entry.session);
      list.emplace_back(std::find_if(clicks.begin(), clicks.end(), [item](const Click& click) { return click.item == item; })->time,
                        table.key(entry.session));
    }
    return list;
  }
  // What the table says they are.
  [[nodiscard]] std::vector<std::pair<std::int64_t, SessionKey>> expected(ItemNumber item)
  {
    std::vector<std::pair<std::int64_t, SessionKey>> list;
    table.for_each([&](SessionNumber session) {
      each_first(session, [&](ItemNumber held, std::int64_t time) {
        if (held == item) list.emplace_back(time, table.key(session));
      });
    });
    std::sort(list.begin(), list.end());
    return list;
  }

  SessionTable table{Milliseconds(1)};
  Postings postings;
};

std::vector<Click> some_clicks(std::mt19937& random, std::int64_t span)
{
  std::vector<Click> clicks;
  std::int64_t time = static_cast<std::int64_t>(random()) % span - span / 4;
  for (std::uint64_t id = 0; id == 0 || random() % 4 > 0; ++id) {
    clicks.push_back({time, id, static_cast<ItemNumber>(random() % kItems), ClickKind::view});
    time += 1 + static_cast<std::int64_t>(random() % 700);
  }
  return clicks;
}

} // namespace

BOOST_AUTO_TEST_SUITE(postings)

BOOST_AUTO_TEST_CASE(lists_stand_in_the_order_of_first_clicks_whatever_order_they_came_in)
{
  BOOST_TEST(rc::check([] {
    std::mt19937 random(*rc::gen::arbitrary<unsigned>());
    // Some within one second, and some before 1970.
    const auto span = *rc::gen::element<std::int64_t>(3, 2'000, 1'000'000);
    Shelf shelf(1'000);
    std::vector<SessionNumber> open;
    for (std::uint64_t i = 0, count = *rc::gen::inRange<std::uint64_t>(0, 100); i < count; ++i) {
      if (!open.empty() && random() % 3 == 0) {
        const auto at = open.begin() + static_cast<std::ptrdiff_t>(random() % open.size());
        shelf.close(*at);
        open.erase(at);
      } else {
        open.push_back(shelf.open({random(), i + 1}, some_clicks(random, span)));
      }
    }
    for (ItemNumber item = 0; item < kItems; ++item) RC_ASSERT(shelf.of(item) == shelf.expected(item));
  }));
}

BOOST_AUTO_TEST_CASE(the_newest_stay_and_never_more_than_twice_as_many_as_asked_for)
{
  std::mt19937 random(9);
  Shelf shelf(20);
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    shelf.open({i, i + 1}, some_clicks(random, 5'000'000));
    for (ItemNumber item = 0; item < kItems; ++item) {
      const auto list = shelf.of(item);
      const auto all = shelf.expected(item);
      BOOST_TEST_REQUIRE(list.size() <= 40U);
      const auto newest = static_cast<std::ptrdiff_t>(std::min<std::size_t>(20, all.size()));
      BOOST_TEST_REQUIRE(std::equal(all.end() - newest, all.end(), list.end() - newest));
    }
  }
}

BOOST_AUTO_TEST_CASE(removing_what_was_too_old_to_be_kept_changes_nothing)
{
  Shelf shelf(1);
  const auto first = shelf.open({1, 1}, {{10'000, 1, 0, ClickKind::view}});
  for (std::uint64_t i = 2; i < 6; ++i) shelf.open({i, i}, {{static_cast<std::int64_t>(i) * 10'000, i, 0, ClickKind::view}});
  const auto before = shelf.of(0);
  shelf.close(first);
  BOOST_TEST((shelf.of(0) == before));
}

BOOST_AUTO_TEST_CASE(a_list_is_given_back_as_it_was_and_another_is_refused)
{
  Shelf shelf(10);
  const auto old = shelf.open({1, 1}, {{1'000, 1, 0, ClickKind::view}, {1'001, 2, 1, ClickKind::view}});
  const auto middle = shelf.open({2, 2}, {{1'500, 1, 0, ClickKind::view}});
  const auto late = shelf.open({3, 3}, {{9'000, 1, 0, ClickKind::view}});
  const auto stranger = shelf.open({4, 4}, {{1'600, 1, 5, ClickKind::view}});
  const auto expected = shelf.of(0);
  const std::vector<Postings::Entry> holders{{old, 1}, {middle, 1}, {late, 9}};
  const auto restore = [&](std::vector<SessionNumber> sessions) {
    return shelf.postings.restore(0, sessions, holders, shelf.table);
  };
  BOOST_TEST(restore({old, middle, late}));
  BOOST_TEST((shelf.of(0) == expected));
  BOOST_TEST(restore({}));
  for (const auto& wrong : {std::vector<SessionNumber>{late, old},
                            {middle, old},
                            {old, old},
                            {late, late},
                            {old, stranger},
                            {old, 99},
                            {old, middle, late, 99}}) {
    BOOST_TEST(!restore(wrong));
    BOOST_TEST(shelf.postings.of(0).empty());
  }
}

BOOST_AUTO_TEST_CASE(whatever_sessions_a_list_names_in_whatever_order_it_is_taken_when_it_is_in_order)
{
  BOOST_TEST(rc::check([] {
    Shelf shelf(1'000);
    std::mt19937 random(*rc::gen::arbitrary<unsigned>());
    std::vector<Postings::Entry> holders;
    std::vector<std::tuple<std::int64_t, SessionKey, SessionNumber>> in_order;
    const auto sessions = *rc::gen::inRange<std::uint64_t>(1, 200);
    for (std::uint64_t i = 0; i < sessions; ++i) {
      const SessionKey key{i + 1, i + 1};
      const auto time = static_cast<std::int64_t>(random() % 60'000);
      const bool holds = random() % 3 > 0;
      const auto session = shelf.open(key, {{time, 1, holds ? 0U : 1U, ClickKind::view}});
      if (!holds) continue;
      holders.push_back(Postings::entry(session, time));
      if (random() % 4 > 0) in_order.emplace_back(time, key, session);
    }
    std::sort(in_order.begin(), in_order.end());
    std::vector<SessionNumber> list;
    for (const auto& each : in_order) list.push_back(std::get<2>(each));
    RC_ASSERT(shelf.postings.restore(0, list, holders, shelf.table));
    std::vector<SessionNumber> made;
    for (const auto& entry : shelf.postings.of(0)) made.push_back(entry.session);
    RC_ASSERT(made == list);
    if (list.size() < 2) return;
    std::swap(list[random() % (list.size() / 2)], list.back());
    RC_ASSERT(!shelf.postings.restore(0, list, holders, shelf.table));
  }));
}

BOOST_AUTO_TEST_SUITE_END()
