#include "core/session_table.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <list>
#include <random>
#include <set>

using namespace attune;

namespace {

using How = SessionTable::Place::How;

constexpr std::int64_t kIdle = 1000;

struct NaiveSession {
  SessionKey key;
  std::vector<Click> clicks; // by (time, id)

  [[nodiscard]] std::int64_t begin() const { return clicks.front().time; }
};

bool operator==(const NaiveSession& a, const NaiveSession& b)
{
  return a.key == b.key &&
         std::equal(a.clicks.begin(), a.clicks.end(), b.clicks.begin(), b.clicks.end(),
                    [](const Click& x, const Click& y) { return x.time == y.time && x.id == y.id && x.item == y.item; });
}

// What a table promises, by walking everything. Sessions stand in the order in which they were last appended to.
class NaiveTable {
 public:
  void learn(const SessionKey& key, const Click& click)
  {
    std::vector<std::list<NaiveSession>::iterator> near;
    for (auto s = all_.begin(); s != all_.end(); ++s)
      if (s->key == key && (key.site != 0 || (click.time + kIdle >= s->begin() && s->clicks.back().time + kIdle >= click.time)))
        near.push_back(s);
    if (near.empty()) return all_.push_back({key, {click}});
    std::sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a->begin() < b->begin(); });
    auto into = near.front();
    const auto before = into->clicks;
    for (std::size_t i = 1; i < near.size(); ++i) {
      into->clicks.insert(into->clicks.end(), near[i]->clicks.begin(), near[i]->clicks.end());
      all_.erase(near[i]);
    }
    const auto known =
        std::find_if(into->clicks.begin(), into->clicks.end(), [&](const Click& other) { return other.id == click.id; });
    if (known != into->clicks.end() && known->time <= click.time) return;
    if (known != into->clicks.end()) into->clicks.erase(known);
    into->clicks.push_back(click);
    std::sort(into->clicks.begin(), into->clicks.end(),
              [](const Click& a, const Click& b) { return std::tie(a.time, a.id) < std::tie(b.time, b.id); });
    const bool last = into->clicks.back().id == click.id && near.size() == 1;
    if (into->clicks.size() > kMaxSessionClicks) into->clicks.resize(kMaxSessionClicks);
    if (last && into->clicks.size() > before.size()) all_.splice(all_.end(), all_, into);
  }
  void close_oldest() { all_.pop_front(); }

  [[nodiscard]] const std::list<NaiveSession>& all() const { return all_; }

 private:
  std::list<NaiveSession> all_;
};

void learn(SessionTable& table, const SessionKey& key, const Click& click)
{
  const auto place = table.place(key, click);
  if (place.how == How::appended) table.append(place, key, click);
  if (place.how == How::inserted) table.insert(place, click);
}

NaiveSession read(const SessionTable& table, SessionNumber session)
{
  const auto clicks = table.clicks(session);
  return {table.key(session), {clicks.begin(), clicks.end()}};
}

std::list<NaiveSession> all_of(const SessionTable& table)
{
  std::list<NaiveSession> all;
  table.for_each([&](SessionNumber session) { all.push_back(read(table, session)); });
  return all;
}

std::vector<ItemNumber> without_repeats(const std::vector<Click>& clicks)
{
  std::vector<ItemNumber> items;
  for (const auto& click : clicks)
    if (items.empty() || items.back() != click.item) items.push_back(click.item);
  return items;
}

template <class Sessions>
bool load(const Sessions& sessions, SessionTable& table)
{
  std::size_t room = 0;
  for (const NaiveSession& session : sessions) room += SessionTable::room_of(session.clicks.size());
  table.reserve(sessions.size(), room);
  for (const NaiveSession& session : sessions) {
    std::set<ItemNumber> items;
    for (const auto& click : session.clicks) items.insert(click.item);
    table.load(session.key, session.clicks, items.size());
  }
  return table.finish_loading();
}

// The links and the maps say what the sessions themselves say.
std::string fault_of(const SessionTable& table)
{
  std::set<std::uint64_t> customers;
  std::set<SessionKey> keys;
  std::size_t clicks = 0;
  std::size_t sessions = 0;
  std::string fault;
  table.for_each([&](SessionNumber session) {
    customers.insert(table.key(session).customer);
    keys.insert(table.key(session));
    clicks += table.clicks(session).size();
    ++sessions;
    const auto items = table.items(session);
    if (std::vector<ItemNumber>(items.begin(), items.end()) != without_repeats(read(table, session).clicks)) fault = "items";
  });
  if (clicks != table.click_count() || sessions != table.sessions()) fault = "counts";
  if (sessions > 0 && table.oldest() == kNoSession) fault = "oldest";
  std::size_t chained = 0;
  for (const auto customer : customers) {
    std::set<SessionKey> met;
    auto later = kNoSession;
    for (auto session = table.newest_of(customer); session != kNoSession; later = session, session = table.before(session)) {
      if (++chained > sessions) return "a customer's sessions go round";
      if (table.key(session).customer != customer) fault = "a session of somebody else";
      if (later != kNoSession && table.clicks(later).front().time < table.clicks(session).front().time) fault = "not by time";
      if (met.insert(table.key(session)).second && table.find(table.key(session)) != session) fault = "find() is not the newest";
    }
  }
  return chained == sessions ? fault : "a session that its customer does not lead to";
}

} // namespace

BOOST_AUTO_TEST_SUITE(session_table)

BOOST_AUTO_TEST_CASE(after_any_operations_it_holds_what_a_naive_one_holds)
{
  BOOST_TEST(rc::check([] {
    std::mt19937_64 random(*rc::gen::arbitrary<std::uint32_t>());
    const auto below = [&random](std::uint64_t limit) { return random() % limit; };
    const std::uint64_t customers = 1 + below(4);
    const std::uint64_t sites = below(5);
    const std::uint64_t span = 1 + below(60'000);
    const std::uint64_t let_go = below(10);
    SessionTable table{Milliseconds(kIdle)};
    NaiveTable naive;
    std::vector<std::pair<SessionKey, Click>> learned;
    const auto count = *rc::gen::inRange(1, 400);
    for (int i = 0; i < count; ++i) {
      SessionKey key{1 + below(customers), sites == 0 ? 0 : below(sites)};
      Click click{static_cast<std::int64_t>(below(span)), 1'000'000 + random() % 1'000'000'000, static_cast<ItemNumber>(below(6)),
                  ClickKind::view};
      // Of a site's session an id may come again at another time; without one, it comes again as it was.
      if (key.site != 0) click.id = below(40);
      if (key.site != 0) click.item = static_cast<ItemNumber>((click.id * 7 + static_cast<std::uint64_t>(click.time)) % 6);
      if (!learned.empty() && below(8) == 0) std::tie(key, click) = learned[below(learned.size())];
      learned.emplace_back(key, click);
      learn(table, key, click);
      naive.learn(key, click);
      if (below(20) < let_go && table.oldest() != kNoSession) {
        table.close(table.oldest());
        naive.close_oldest();
      }
      RC_ASSERT(all_of(table) == naive.all());
      RC_ASSERT(fault_of(table) == "");
    }
    SessionTable copy{Milliseconds(kIdle)};
    RC_ASSERT(load(naive.all(), copy));
    RC_ASSERT(all_of(copy) == naive.all());
    RC_ASSERT(fault_of(copy) == "");
    RC_ASSERT(copy.usual_length() == table.usual_length());
    RC_ASSERT(copy.items_in_sessions() == table.items_in_sessions());
    for (int i = 0; i < 40; ++i) {
      const SessionKey key{1 + below(customers), sites == 0 ? 0 : below(sites)};
      const Click click{static_cast<std::int64_t>(below(span)), random(), static_cast<ItemNumber>(below(6)), ClickKind::view};
      learn(table, key, click);
      learn(copy, key, click);
    }
    RC_ASSERT(all_of(copy) == all_of(table));
    RC_ASSERT(fault_of(copy) == "");
  }));
}

BOOST_AUTO_TEST_CASE(sessions_that_can_not_stand_beside_one_another_are_no_table)
{
  const auto loads = [](std::initializer_list<NaiveSession> sessions) {
    SessionTable table{Milliseconds(kIdle)};
    return load(sessions, table);
  };
  const auto at = [](SessionKey key, std::int64_t first, std::int64_t last) {
    return NaiveSession{key, {{first, 1, 0, ClickKind::view}, {last, 2, 0, ClickKind::view}}};
  };
  BOOST_TEST(loads({at({1, 5}, 0, 10), at({1, 6}, 0, 10), at({2, 5}, 0, 10)}));
  BOOST_TEST(!loads({at({1, 5}, 0, 10), at({1, 6}, 0, 10), at({1, 5}, 20, 30)}));
  BOOST_TEST(loads({at({1, 0}, 0, 10), at({1, 0}, 10 + kIdle + 1, 5'000)}));
  BOOST_TEST(!loads({at({1, 0}, 0, 10), at({1, 0}, 10 + kIdle, 5'000)}));
  BOOST_TEST(!loads({at({1, 0}, 10 + kIdle, 5'000), at({1, 0}, 0, 10)}));
  BOOST_TEST(loads({at({1, 0}, 9'000, 9'010), at({1, 0}, 0, 10), at({1, 0}, 5'000, 5'010)}));
  BOOST_TEST(!loads({at({1, 0}, 9'000, 9'010), at({1, 0}, 0, 10), at({1, 0}, 5'000, 8'500)}));
  BOOST_TEST(!loads({at({1, 0}, 0, 9'000), at({1, 0}, 5'000, 5'010)}));
}

BOOST_AUTO_TEST_CASE(links_and_maps_agree_after_many_thousand_operations)
{
  std::mt19937_64 random(7);
  SessionTable table{Milliseconds(kIdle)};
  for (int i = 0; i < 60'000; ++i) {
    const SessionKey key{1 + random() % 50, random() % 3 == 0 ? 1 + random() % 40 : 0};
    learn(
        table, key,
        {i * 3 - static_cast<std::int64_t>(random() % 20'000), random(), static_cast<ItemNumber>(random() % 100), ClickKind::view});
    while (table.click_count() > 3'000) table.close(table.oldest());
    if (i % 997 == 0) BOOST_TEST_REQUIRE(fault_of(table) == "", "after " << i);
  }
  BOOST_TEST(fault_of(table) == "");
  while (table.oldest() != kNoSession) table.close(table.oldest());
  BOOST_TEST(table.sessions() == 0U);
  BOOST_TEST(table.click_count() == 0U);
  for (std::uint64_t customer = 1; customer <= 50; ++customer) BOOST_TEST(table.newest_of(customer) == kNoSession);
}

// The order in which sessions are let go of is not that in which they began.
BOOST_AUTO_TEST_CASE(a_session_let_go_of_between_two_others_parts_them_from_nobody)
{
  SessionTable table{Milliseconds(kIdle)};
  learn(table, {1, 1}, {100, 1, 0, ClickKind::view});
  learn(table, {1, 2}, {200, 2, 0, ClickKind::view});
  learn(table, {1, 3}, {300, 3, 0, ClickKind::view});
  learn(table, {1, 1}, {400, 4, 0, ClickKind::view});
  table.close(table.oldest());
  BOOST_TEST(fault_of(table) == "");
  BOOST_TEST(table.before(table.newest_of(1)) == table.find({1, 1}));
}

BOOST_AUTO_TEST_CASE(a_late_click_that_makes_a_session_the_first_loses_no_other)
{
  SessionTable table{Milliseconds(kIdle)};
  learn(table, {1, 1}, {100, 1, 0, ClickKind::view});
  learn(table, {1, 2}, {200, 2, 0, ClickKind::view});
  learn(table, {1, 2}, {50, 3, 0, ClickKind::view});
  BOOST_TEST(fault_of(table) == "");
  BOOST_TEST(table.newest_of(1) == table.find({1, 1}));
}

BOOST_AUTO_TEST_CASE(a_session_keeps_its_oldest_thousand_in_any_order_of_arrival)
{
  std::vector<Click> clicks;
  for (std::uint64_t i = 0; i < 1'500; ++i)
    clicks.push_back({static_cast<std::int64_t>(i * 10), i, static_cast<ItemNumber>(i % 7), ClickKind::view});
  const NaiveSession expected{{1, 5}, {clicks.begin(), clicks.begin() + kMaxSessionClicks}};
  for (const unsigned seed : {0U, 1U, 2U}) {
    if (seed > 0) std::shuffle(clicks.begin(), clicks.end(), std::mt19937(seed));
    SessionTable table{Milliseconds(kIdle)};
    for (const auto& click : clicks) learn(table, {1, 5}, click);
    BOOST_TEST((read(table, table.find({1, 5})) == expected));
    BOOST_TEST(fault_of(table) == "");
  }
}

BOOST_AUTO_TEST_CASE(a_pause_over_the_idle_limit_begins_a_session_and_one_of_just_it_does_not)
{
  SessionTable table{Milliseconds(kIdle)};
  learn(table, {1, 0}, {0, 1, 0, ClickKind::view});
  learn(table, {1, 0}, {kIdle, 2, 0, ClickKind::view});
  BOOST_TEST(table.sessions() == 1U);
  learn(table, {1, 0}, {2 * kIdle + 1, 3, 0, ClickKind::view});
  BOOST_TEST(table.sessions() == 2U);
}

BOOST_AUTO_TEST_CASE(a_click_between_two_sessions_joins_them)
{
  SessionTable table{Milliseconds(kIdle)};
  learn(table, {1, 0}, {0, 1, 0, ClickKind::view});
  learn(table, {1, 0}, {2 * kIdle, 2, 1, ClickKind::view});
  const auto place = table.place({1, 0}, {kIdle, 3, 2, ClickKind::view});
  BOOST_TEST((place.how == How::inserted));
  BOOST_TEST(place.other != kNoSession);
  table.insert(place, {kIdle, 3, 2, ClickKind::view});
  BOOST_TEST(table.sessions() == 1U);
  BOOST_TEST(fault_of(table) == "");
}

BOOST_AUTO_TEST_CASE(customers_and_sites_sessions_are_told_apart)
{
  SessionTable table{Milliseconds(kIdle)};
  learn(table, {1, 0}, {0, 1, 0, ClickKind::view});
  learn(table, {1, 7}, {0, 2, 0, ClickKind::view});
  learn(table, {2, 7}, {0, 3, 0, ClickKind::view});
  BOOST_TEST(table.sessions() == 3U);
  learn(table, {1, 7}, {100 * kIdle, 4, 0, ClickKind::view});
  BOOST_TEST(table.sessions() == 3U);
}

// A customer that comes every day for years: what is late by more of its sessions than are looked through teaches nothing, at a cost that
// does not grow, and nothing is lost of what is there.
BOOST_AUTO_TEST_CASE(a_click_too_many_sessions_late_is_ignored)
{
  for (const std::uint64_t site : {0U, 1U}) {
    SessionTable table{Milliseconds(kIdle)};
    std::uint64_t id = 0;
    const SessionKey another{1, site * 999'999};
    for (std::int64_t day = 1'000; day < 3'000; ++day) learn(table, {1, site * ++id}, {day * 10 * kIdle, ++id, 0, ClickKind::view});
    BOOST_TEST((table.place(another, {5 * kIdle, ++id, 0, ClickKind::view}).how == How::ignored));
    BOOST_TEST((table.place(another, {2'950 * 10 * kIdle + 5 * kIdle, ++id, 0, ClickKind::view}).how == How::appended));
    BOOST_TEST(fault_of(table) == "");
    BOOST_TEST(table.sessions() == 2'000U);
  }
}

BOOST_AUTO_TEST_SUITE_END()
