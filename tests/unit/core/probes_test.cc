#include "core/probes.h"

#include <boost/test/unit_test.hpp>

#include "core/baskets.h"
#include "support/visits.h"

using namespace attune;
using namespace attune::testing;

namespace {

// "a>b" for each probe: what was clicked last, and what came next.
std::string asked(const Probes& probes)
{
  std::string out;
  for (std::size_t p = 0; p < probes.list().size(); ++p) {
    if (p > 0) out += ' ';
    out += probes.text(probes.last_item(p));
    out += '>';
    out += probes.text(probes.next_item(p));
  }
  return out;
}

std::string asked(const Lessons& lessons, const ProbeOptions& options = {})
{
  const LessonStream stream(lessons);
  return asked(Probes(stream, options));
}

} // namespace

BOOST_AUTO_TEST_SUITE(probes)

BOOST_AUTO_TEST_CASE(every_click_but_the_first_of_its_session_is_asked_for)
{
  BOOST_TEST(asked(lessons_of("s:a t:x s:b s:c t:y u:z")) == "a>b b>c x>y");
}

BOOST_AUTO_TEST_CASE(a_repeat_of_the_item_before_is_no_next_click_and_the_list_is_asked_for_after_it)
{
  const auto lessons = lessons_of("s:a s:a t:x s:b s:a");
  const LessonStream stream(lessons);
  const Probes made(stream, {});
  BOOST_TEST(asked(made) == "a>b b>a");
  BOOST_TEST(made.list()[0].before == 1U);
  BOOST_TEST(made.path(made.list()[0].session).size() == 3U);
}

BOOST_AUTO_TEST_CASE(only_the_test_range_is_asked_for_but_a_session_keeps_its_beginning)
{
  BOOST_TEST(asked(lessons_of("s:a s:b s:c t:x t:y"), {.from = 2}) == "b>c x>y");
}

BOOST_AUTO_TEST_CASE(a_click_too_soon_after_the_one_before_it_is_passed_through_not_asked_for)
{
  Lessons lessons;
  lessons.add(lesson_at("s", "a", 0));
  lessons.add(lesson_at("s", "b", 10));
  lessons.add(lesson_at("s", "c", 11));
  lessons.add(lesson_at("s", "d", 30));
  lessons.sort();
  BOOST_TEST(asked(lessons, {.min_gap_ms = 1001}) == "a>b c>d");
  BOOST_TEST(asked(lessons, {.min_gap_ms = 1000}) == "a>b b>c c>d");
}

BOOST_AUTO_TEST_CASE(clicks_without_a_session_id_are_cut_where_nothing_happened_for_longer_than_idle)
{
  Lessons lessons;
  for (const std::int64_t second : {0, 10, 100, 120}) {
    const std::string item(1, static_cast<char>('a' + second % 7)); // which the lesson only looks at
    auto lesson = lesson_at("s", item, second);
    lesson.key.site = 0;
    lessons.add(lesson);
  }
  lessons.sort();
  BOOST_TEST(asked(lessons, {.idle_ms = 89'999}) == "a>d c>b");
  BOOST_TEST(asked(lessons, {.idle_ms = 90'000}) == "a>d d>c c>b");
}

BOOST_AUTO_TEST_CASE(a_lesson_read_twice_counts_once)
{
  auto lessons = lessons_of("s:a s:b");
  lessons.add(lesson_at("s", "a", 0));
  lessons.add(lesson_at("s", "b", 1));
  lessons.sort();
  const LessonStream stream(lessons);
  const Probes made(stream, {});
  BOOST_TEST(asked(made) == "a>b");
  BOOST_TEST(made.clicks(stream.size())[made.item_of("a")] == 1U);
  BOOST_TEST(made.session_of(1) == Probes::kNone);
}

BOOST_AUTO_TEST_CASE(the_order_of_reading_does_not_matter)
{
  const auto lessons = lessons_of("s:a t:x s:b s:c t:y u:z s:b u:a");
  Lessons backwards;
  for (auto i = lessons.size(); i-- > 0;) backwards.add(lessons[i]);
  backwards.sort();
  BOOST_TEST(asked(lessons) == asked(backwards));
}

BOOST_AUTO_TEST_CASE(the_rest_of_a_session_is_its_distinct_items_without_the_one_clicked_last)
{
  const auto lessons = lessons_of("s:a s:b s:c s:b s:a");
  const LessonStream stream(lessons);
  const Probes made(stream, {});
  // After a: b, c (a comes again, but no list shows it); after b: c, a; after c: b, a; after b: a.
  const std::vector<std::uint32_t> sizes{2, 2, 2, 1};
  for (std::size_t p = 0; p < sizes.size(); ++p) BOOST_TEST(made.rest(p) == sizes[p]);
  BOOST_TEST(!made.in_rest(0, made.item_of("a")));
  BOOST_TEST(made.in_rest(1, made.item_of("a")));
  BOOST_TEST(made.in_rest(0, made.item_of("c")));
  BOOST_TEST(!made.in_rest(3, made.item_of("c")));
  BOOST_TEST(!made.in_rest(0, Probes::kNone));
}

BOOST_AUTO_TEST_CASE(a_sample_is_a_part_of_all_and_another_seed_another_part)
{
  std::string words;
  for (int i = 0; i < 400; ++i) words += "s:i" + std::to_string(i) + ' ';
  const auto lessons = lessons_of(words);
  const LessonStream stream(lessons);
  const Probes some(stream, {.every = 4, .seed = 1}), others(stream, {.every = 4, .seed = 2});
  BOOST_TEST(some.list().size() > 60U);
  BOOST_TEST(some.list().size() < 140U);
  BOOST_TEST(asked(some) != asked(others));
}

BOOST_AUTO_TEST_CASE(a_stream_of_two_parts_is_one_behind_the_other)
{
  const auto train = lessons_of("s:a s:b"), test = lessons_of("t:a t:c");
  const LessonStream stream(train, test);
  BOOST_TEST(asked(Probes(stream, {.from = train.size()})) == "a>c");
}

BOOST_AUTO_TEST_CASE(orders_are_put_together_by_customer_and_number_and_hide_the_order_of_their_lines)
{
  Baskets baskets;
  const auto buy = [&](std::string_view customer, std::string_view order, std::string_view item, std::int64_t ms) {
    Event event;
    event.type = EventType::purchase;
    event.customer = CustomerId(customer);
    event.order = OrderId(order);
    event.item = ItemId(item);
    event.time = Timestamp{ms};
    baskets.add_order(event);
  };
  buy("ana", "1", "cup", 50);
  buy("bob", "1", "pot", 40);
  buy("ana", "1", "bowl", 60);
  buy("ana", "1", "cup", 70);
  buy("eve", "", "hat", 10);
  baskets.sort();
  BOOST_REQUIRE(baskets.list().size() == 2U);
  BOOST_TEST(baskets.text(baskets.list()[0].items[0]) == "pot");
  const auto& anas = baskets.list()[1];
  BOOST_TEST(anas.time == 50);
  BOOST_REQUIRE(anas.items.size() == 2U);
  BOOST_TEST(baskets.text(anas.items[0]) == "bowl");
  BOOST_TEST(baskets.text(anas.items[1]) == "cup");
}

BOOST_AUTO_TEST_CASE(a_sessions_basket_is_what_it_put_into_its_cart_and_bought)
{
  Lessons lessons;
  lessons.add(lesson_at("s", "cup", 0, ClickKind::view));
  lessons.add(lesson_at("s", "pot", 1, ClickKind::cart_add));
  lessons.add(lesson_at("t", "cup", 2, ClickKind::cart_add));
  lessons.add(lesson_at("s", "bowl", 3, ClickKind::purchase));
  lessons.sort();
  const LessonStream stream(lessons);
  Baskets baskets;
  baskets.add_sessions(stream, Probes(stream, {}));
  baskets.sort();
  BOOST_REQUIRE(baskets.list().size() == 2U);
  BOOST_TEST(baskets.list()[0].items.size() == 2U);
  BOOST_TEST(baskets.list()[1].items.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
