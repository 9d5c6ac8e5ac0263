#include "core/lesson.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <set>

#include "core/refusals.h"
#include "support/event_generators.h"

using namespace attune;
using namespace attune::testing;

namespace {

std::vector<Event> some_events()
{
  EventKnobs knobs;
  knobs.ids = *rc::gen::element(3, 1'000);
  knobs.to = Timestamp{knobs.from.ms + *rc::gen::element<std::int64_t>(3, 3600'000)};
  return *rc::gen::container<std::vector<Event>>(gen_event(knobs));
}

std::vector<std::string> told(const std::vector<Event>& events)
{
  Lessons lessons;
  for (const auto& event : events) lessons.add(event);
  lessons.sort();
  std::vector<std::string> all;
  for (std::size_t i = 0; i < lessons.size(); ++i) {
    const auto lesson = lessons[i];
    std::ostringstream text;
    text << lesson.time << ' ' << lesson.id << ' ' << lesson.key.customer << ' ' << lesson.key.site << ' ' << lesson.item << ' '
         << lesson.category << ' ' << lesson.slot << ' ' << static_cast<int>(lesson.kind);
    all.push_back(text.str());
  }
  return all;
}

Event said(EventType type, std::string_view customer, std::int64_t ms, bool granted = false)
{
  Event event;
  event.type = type;
  event.customer = CustomerId(customer);
  event.id = EventId("e" + std::to_string(ms));
  event.time = Timestamp{ms};
  if (type == EventType::consent) event.granted = granted;
  return event;
}

} // namespace

BOOST_AUTO_TEST_SUITE(lesson)

BOOST_AUTO_TEST_CASE(sorted_lessons_are_the_same_in_whatever_order_they_came)
{
  BOOST_TEST(rc::check([] {
    auto events = some_events();
    const auto expected = told(events);
    std::shuffle(events.begin(), events.end(), std::mt19937(*rc::gen::arbitrary<unsigned>()));
    RC_ASSERT(told(events) == expected);
  }));
}

BOOST_AUTO_TEST_CASE(sorted_lessons_go_by_time_and_then_by_id)
{
  BOOST_TEST(rc::check([] {
    Lessons lessons;
    for (const auto& event : some_events()) lessons.add(event);
    lessons.sort();
    for (std::size_t i = 1; i < lessons.size(); ++i)
      RC_ASSERT(std::pair(lessons[i - 1].time, lessons[i - 1].id) <= std::pair(lessons[i].time, lessons[i].id));
  }));
}

BOOST_AUTO_TEST_CASE(a_lesson_says_what_its_event_says)
{
  auto event = said(EventType::cart_add, "ana", 77);
  event.session = SessionId("s1");
  event.item = ItemId("lamp");
  event.category = "lights";
  event.slot = Slot("home");
  std::vector<Lesson> lessons;
  for_each_lesson(event, [&](const Lesson& each) { lessons.push_back(each); });
  BOOST_REQUIRE(lessons.size() == 1U);
  BOOST_TEST(lessons[0].time == 77);
  BOOST_TEST(lessons[0].item == "lamp");
  BOOST_TEST(lessons[0].category == "lights");
  BOOST_TEST(lessons[0].slot == "home");
  BOOST_TEST((lessons[0].kind == ClickKind::cart_add));
  BOOST_TEST((lessons[0].key == session_key(CustomerId("ana"), SessionId("s1"))));
  BOOST_TEST(session_key(CustomerId("ana"), {}).site == 0U);
}

BOOST_AUTO_TEST_CASE(each_line_of_a_purchase_is_a_lesson_with_an_id_of_its_own)
{
  auto event = said(EventType::purchase, "ana", 77);
  event.items = {{ItemId("a"), 1, {}}, {ItemId("b"), 2, {}}, {ItemId("a"), 1, {}}};
  std::vector<std::string> items;
  std::set<std::uint64_t> ids;
  for_each_lesson(event, [&](const Lesson& each) {
    items.emplace_back(each.item);
    ids.insert(each.id);
  });
  BOOST_TEST(items == (std::vector<std::string>{"a", "b", "a"}), boost::test_tools::per_element());
  BOOST_TEST(ids.size() == 3U);
}

// Ids that are counted up, of every length, in many lines: a hash that takes the line as its seed makes the same of some.
BOOST_AUTO_TEST_CASE(lines_of_similar_ids_have_different_ids)
{
  std::set<std::uint64_t> ids;
  std::size_t made = 0;
  for (const auto* prefix : {"", "e", "1000", "order-00", "shop/order/2026-"})
    for (int id = 0; id < 1'000; ++id)
      for (std::uint64_t line = 0; line < 8; ++line, ++made) ids.insert(lesson_id(EventId(prefix + std::to_string(id)), line));
  ids.insert(lesson_id(EventId("e5"), 0));
  // "1000" before "0" to "999" stands for other numbers than "" before "0" to "999" do.
  BOOST_TEST(ids.size() == made);
}

BOOST_AUTO_TEST_CASE(types_that_are_no_click_teach_nothing)
{
  for (const auto type : {EventType::search, EventType::cart_remove, EventType::refund, EventType::impression, EventType::identify,
                          EventType::consent, EventType::forget, EventType::custom})
    BOOST_TEST(!click_kind(type).has_value());
  for (const auto type : {EventType::view, EventType::click, EventType::cart_add, EventType::purchase})
    BOOST_TEST(click_kind(type).has_value());
}

BOOST_AUTO_TEST_CASE(lessons_know_whom_nothing_may_be_learned_of)
{
  Lessons lessons;
  lessons.add(said(EventType::forget, "ana", 50));
  const auto ana = session_key(CustomerId("ana"), {}).customer;
  BOOST_TEST(lessons.size() == 0U);
  BOOST_TEST(!lessons.refusals().admits(ana, 50));
  BOOST_TEST(lessons.refusals().admits(ana, 51));
}

BOOST_AUTO_TEST_SUITE_END()
