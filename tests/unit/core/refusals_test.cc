#include "core/refusals.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>

#include "core/lesson.h"

using namespace attune;

namespace {

Event said(EventType type, int customer, std::int64_t ms, bool granted = false)
{
  Event event;
  event.type = type;
  event.customer = CustomerId("c" + std::to_string(customer));
  event.id = EventId("e");
  event.time = Timestamp{ms};
  if (type == EventType::consent) event.granted = granted;
  return event;
}

std::uint64_t hash(int customer)
{
  return session_key(CustomerId("c" + std::to_string(customer)), {}).customer;
}

std::vector<Event> some_events()
{
  std::vector<Event> events;
  for (int i = *rc::gen::inRange(0, 20); i-- > 0;) {
    const auto customer = *rc::gen::inRange(0, 3);
    const auto time = *rc::gen::inRange<std::int64_t>(-5, 15);
    const bool granted = *rc::gen::arbitrary<bool>();
    events.push_back(said(*rc::gen::element(EventType::forget, EventType::consent), customer, time, granted));
  }
  return events;
}

// What DESIGN says of a set of events: a forget or a refusal takes all up to its time; the newest answer stands, and of two at once the refusal.
bool admitted(const std::vector<Event>& events, int customer, std::int64_t time)
{
  std::int64_t forgotten = INT64_MIN;
  std::int64_t answered = INT64_MIN;
  bool granted = true;
  for (const auto& event : events) {
    if (event.customer.text != "c" + std::to_string(customer)) continue;
    if (event.type == EventType::forget || !*event.granted) forgotten = std::max(forgotten, event.time->ms);
    if (event.type != EventType::consent || event.time->ms < answered) continue;
    granted = event.time->ms == answered ? granted && *event.granted : *event.granted;
    answered = event.time->ms;
  }
  return granted && time > forgotten;
}

bool same(const std::vector<Refusals::Standing>& a, const std::vector<Refusals::Standing>& b)
{
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.customer == y.customer && x.forgotten == y.forgotten && x.answered == y.answered && x.granted == y.granted;
  });
}

} // namespace

BOOST_AUTO_TEST_SUITE(refusals)

BOOST_AUTO_TEST_CASE(the_same_events_stand_the_same_in_any_order_and_any_number)
{
  BOOST_TEST(rc::check([] {
    auto events = some_events();
    Refusals first;
    for (const auto& event : events) first.take(event);
    for (int customer = 0; customer < 3; ++customer)
      for (std::int64_t time = -6; time < 17; ++time)
        RC_ASSERT(first.admits(hash(customer), time) == admitted(events, customer, time));

    const auto count = events.size();
    for (std::size_t i = 0; i < count; ++i)
      if (*rc::gen::arbitrary<bool>()) events.push_back(events[i]);
    std::shuffle(events.begin(), events.end(), std::mt19937(*rc::gen::arbitrary<unsigned>()));
    Refusals left;
    Refusals right;
    for (const auto& event : events) (*rc::gen::arbitrary<bool>() ? left : right).take(event);
    left.merge(right);
    RC_ASSERT(same(left.all(), first.all()));
    Refusals back;
    back.restore(left.all());
    RC_ASSERT(same(back.all(), first.all()));
  }));
}

BOOST_AUTO_TEST_CASE(it_says_whether_more_is_refused_than_before)
{
  BOOST_TEST(rc::check([] {
    Refusals refusals;
    for (const auto& event : some_events()) {
      std::vector<bool> before;
      std::vector<bool> after;
      const auto look = [&](std::vector<bool>& into) {
        for (int customer = 0; customer < 3; ++customer)
          for (std::int64_t time = -6; time < 17; ++time) into.push_back(refusals.admits(hash(customer), time));
      };
      look(before);
      const bool more = refusals.take(event);
      look(after);
      for (std::size_t i = 0; i < before.size(); ++i)
        if (before[i] && !after[i]) RC_ASSERT(more);
    }
  }));
}

BOOST_AUTO_TEST_CASE(other_events_and_other_customers_are_left_alone)
{
  Refusals refusals;
  BOOST_TEST(!refusals.take(said(EventType::view, 1, 5)));
  BOOST_TEST(refusals.all().empty());
  BOOST_TEST(refusals.take(said(EventType::forget, 1, 5)));
  BOOST_TEST(!refusals.take(said(EventType::forget, 1, 4)));
  BOOST_TEST(refusals.admits(hash(2), 5));
}

BOOST_AUTO_TEST_SUITE_END()
