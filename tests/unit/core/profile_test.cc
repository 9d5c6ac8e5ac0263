#include "core/profile.h"

#include <boost/test/unit_test.hpp>

#include "support/profile_builders.h"

namespace attune {
namespace {

using namespace testing;

constexpr std::size_t kOrders = static_cast<std::size_t>(RecentList::orders_and_carts);
constexpr std::size_t kShown = static_cast<std::size_t>(RecentList::impressions);
constexpr std::size_t kOthers = static_cast<std::size_t>(RecentList::other);

// n views a minute apart, from kNoon on: "v0" …
std::vector<Event> views(std::size_t n)
{
  std::vector<Event> events;
  for (std::size_t i = 0; i < n; ++i)
    events.push_back(an_event(EventType::view, named("v", i), kNoon + static_cast<std::int64_t>(i) * kMinute, named("i", i)));
  return events;
}

std::vector<std::string> cart_of(const std::vector<Event>& events)
{
  std::vector<std::string> lines;
  for (const auto& line : cart(profile_of(events))) lines.push_back(line.item.text + "*" + std::to_string(line.quantity));
  return lines;
}

Event quantified(Event event, std::int64_t quantity)
{
  event.quantity = quantity;
  return event;
}

using Lines = std::vector<std::string>;

} // namespace

BOOST_AUTO_TEST_SUITE(profile)

BOOST_AUTO_TEST_CASE(the_two_hundred_and_fifty_seventh_view_folds_the_oldest_and_moves_the_floor_up_to_it)
{
  Profile profile = profile_of(views(256));
  BOOST_TEST(!profile.floors[kOthers]);
  BOOST_TEST((put_in(profile, an_event(EventType::view, "new", kNoon + kDay)) == Outcome::accepted));
  BOOST_TEST(profile.recent[kOthers].size() == 256u);
  BOOST_TEST((profile.floors[kOthers] == Place{{kNoon}, EventId("v0")}));
  BOOST_TEST(profile.version() == 257u);
  BOOST_TEST(count_in(counts(profile), "view") == 257u);
  BOOST_TEST((first_time(profile) == Timestamp{kNoon}));
  BOOST_TEST((last_time(profile) == Timestamp{kNoon + kDay}));
}

BOOST_AUTO_TEST_CASE(an_event_at_or_below_the_floor_is_late_and_changes_nothing_and_one_of_another_list_is_not)
{
  Profile profile = profile_of(views(300));
  const Profile before_it = profile;
  const Place floor = *profile.floors[kOthers];
  BOOST_TEST((put_in(profile, an_event(EventType::click, "aaa", floor.time.ms)) == Outcome::late));
  BOOST_TEST((put_in(profile, an_event(EventType::click, "old", floor.time.ms - kDay)) == Outcome::late));
  BOOST_TEST((profile == before_it));
  BOOST_TEST((put_in(profile, an_event(EventType::click, "zzz", floor.time.ms)) == Outcome::accepted));
  BOOST_TEST((put_in(profile, an_event(EventType::cart_add, "cart", floor.time.ms - kDay)) == Outcome::accepted));
}

BOOST_AUTO_TEST_CASE(late_is_judged_against_the_floors_before_the_batch)
{
  auto events = views(300);
  std::reverse(events.begin(), events.end());
  Profile profile = a_profile();
  for (const Outcome outcome : put_in(profile, events)) BOOST_TEST(outcome == Outcome::accepted);
  BOOST_TEST(profile.version() == 300u);
}

BOOST_AUTO_TEST_CASE(what_was_shown_or_looked_at_never_pushes_out_what_was_put_in_the_cart)
{
  auto events = views(600);
  events.push_back(an_event(EventType::cart_add, "cart", kNoon, "wanted"));
  for (std::size_t i = 0; i < 200; ++i) {
    events.push_back(an_event(EventType::impression, named("s", i), kNoon + kDay, ""));
    events.back().items = {{ItemId("shown"), 0, {}}};
  }
  const Profile profile = profile_of(events);
  BOOST_TEST(cart(profile).at(0).item.text == "wanted");
  BOOST_TEST(profile.recent[kShown].size() == 64u);
  BOOST_TEST(profile.recent[kOthers].size() == 256u);
  BOOST_TEST(profile.recent[kOrders].size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_event_of_just_thirty_days_before_the_newest_of_its_list_is_recent_and_one_older_is_folded)
{
  const Profile profile =
      profile_of({an_event(EventType::view, "older", kNoon - 1), an_event(EventType::view, "just", kNoon),
                  an_event(EventType::view, "newest", kNoon + 30 * kDay), an_event(EventType::cart_add, "cart", kNoon - 1)});
  BOOST_TEST(profile.recent[kOthers].size() == 2u);
  BOOST_TEST((profile.floors[kOthers] == Place{{kNoon - 1}, EventId("older")}));
  BOOST_TEST(!profile.floors[kOrders]);
}

BOOST_AUTO_TEST_CASE(an_event_seen_before_is_repeated_in_the_batch_in_recent_and_by_its_hash_when_folded)
{
  const auto events = views(400);
  Profile profile = a_profile();
  const auto outcomes = put_in(profile, {events[0], events[0]});
  BOOST_TEST(outcomes[0] == Outcome::accepted);
  BOOST_TEST(outcomes[1] == Outcome::repeated);
  put_in(profile, events);
  const Profile once = profile;
  for (const Outcome outcome : put_in(profile, events)) BOOST_TEST(outcome == Outcome::repeated);
  for (const auto& event : events) BOOST_TEST((put_in(profile, event) == Outcome::repeated));
  BOOST_TEST((profile == once));
}

BOOST_AUTO_TEST_CASE(a_repeat_older_than_the_hashes_is_late_and_never_counted_twice)
{
  const auto events = views(256 + 256 + 10);
  Profile profile = profile_of(events);
  const Profile once = profile;
  const auto outcomes = put_in(profile, events);
  BOOST_TEST(std::count(outcomes.begin(), outcomes.end(), Outcome::late) == 10);
  BOOST_TEST(std::count(outcomes.begin(), outcomes.end(), Outcome::repeated) == 512);
  BOOST_TEST((profile == once));
}

BOOST_AUTO_TEST_CASE(of_two_events_with_one_id_the_smaller_time_then_bytes_stays_whatever_its_list)
{
  Profile profile = profile_of({an_event(EventType::view, "e", kNoon, "b")});
  BOOST_TEST((put_in(profile, an_event(EventType::view, "e", kNoon + 1, "a")) == Outcome::repeated));
  BOOST_TEST((profile == profile_of({an_event(EventType::view, "e", kNoon, "b")})));
  BOOST_TEST((put_in(profile, an_event(EventType::view, "e", kNoon, "a")) == Outcome::repeated));
  BOOST_TEST((profile == profile_of({an_event(EventType::view, "e", kNoon, "a")})));
  BOOST_TEST((put_in(profile, an_event(EventType::cart_add, "e", kNoon - 1, "c")) == Outcome::repeated));
  BOOST_TEST((profile == profile_of({an_event(EventType::cart_add, "e", kNoon - 1, "c")})));
  BOOST_TEST(profile.version() == 1u);
}

BOOST_AUTO_TEST_CASE(a_smaller_event_below_the_floor_does_not_take_the_place_of_a_recent_one)
{
  Profile profile = profile_of(views(300));
  const Profile as_it_was = profile;
  BOOST_TEST((put_in(profile, an_event(EventType::view, "v299", kNoon - kDay)) == Outcome::repeated));
  BOOST_TEST((profile == as_it_was));
}

BOOST_AUTO_TEST_CASE(a_cart_adds_takes_away_and_is_emptied_of_what_was_bought)
{
  const auto add = [](const char* id, std::int64_t minute, const char* item) {
    return an_event(EventType::cart_add, id, kNoon + minute * kMinute, item);
  };
  const auto remove = [](const char* id, std::int64_t minute, const char* item) {
    return an_event(EventType::cart_remove, id, kNoon + minute * kMinute, item);
  };
  BOOST_TEST(cart_of({add("1", 1, "a"), quantified(add("2", 2, "a"), 2), add("3", 3, "b")}) == (Lines{"a*3", "b*1"}));
  BOOST_TEST(cart_of({add("1", 1, "a"), add("2", 2, "b"), add("3", 3, "a")}) == (Lines{"b*1", "a*2"}));
  BOOST_TEST(cart_of({quantified(add("1", 1, "a"), 5), quantified(remove("2", 2, "a"), 2)}) == (Lines{"a*3"}));
  BOOST_TEST(cart_of({quantified(add("1", 1, "a"), 5), remove("2", 2, "a")}) == Lines{});
  BOOST_TEST(cart_of({add("1", 1, "a"), quantified(remove("2", 2, "a"), 7), add("3", 3, "a")}) == (Lines{"a*1"}));
  BOOST_TEST(cart_of({remove("1", 1, "a"), add("2", 2, "a")}) == (Lines{"a*1"}));
  BOOST_TEST(cart_of({add("1", 1, "a"), add("2", 2, "b"), a_purchase("3", kNoon + kHour, {a_line("a", 1, "1")})}) ==
             (Lines{"b*1"}));
  BOOST_TEST(cart_of({a_purchase("3", kNoon, {a_line("a", 1, "1")}), add("1", 1, "a")}) == (Lines{"a*1"}));
}

BOOST_AUTO_TEST_CASE(a_cart_line_has_price_currency_and_time_of_its_newest_add)
{
  Event first = an_event(EventType::cart_add, "1", kNoon, "a");
  first.price = parse_money("5");
  first.currency = *parse_currency("USD");
  Event second = an_event(EventType::cart_add, "2", kNoon + 1, "a");
  second.price = parse_money("4");
  second.currency = *parse_currency("EUR");
  const auto lines = cart(profile_of({second, first}));
  BOOST_TEST(lines.size() == 1u);
  BOOST_TEST(to_string(*lines[0].price) == "4");
  BOOST_TEST(lines[0].currency.text() == "EUR");
  BOOST_TEST(lines[0].time == Timestamp{kNoon + 1});
}

BOOST_AUTO_TEST_CASE(the_last_purchase_has_the_lines_of_all_events_of_its_order)
{
  const Profile profile =
      profile_of({a_purchase("1", kNoon, {a_line("a", 1, "1")}, "o1"), a_purchase("2", kNoon + 1, {a_line("b", 2, "2")}, "o2"),
                  a_purchase("3", kNoon + 2, {a_line("c", 3, "3")}, "o1"), an_event(EventType::view, "4", kNoon + 3)});
  const auto order = last_purchase(profile);
  BOOST_TEST(order->order.text == "o1");
  BOOST_TEST(*order->time == Timestamp{kNoon + 2});
  BOOST_TEST(order->items.size() == 2u);
  BOOST_TEST(order->items[0].item.text == "a");
  BOOST_TEST(order->items[1].item.text == "c");
  BOOST_TEST(!last_purchase(profile_of(views(3))));
}

BOOST_AUTO_TEST_CASE(purchases_without_an_order_id_are_orders_of_their_own)
{
  Event one_line = an_event(EventType::purchase, "2", kNoon + 1, "b");
  one_line.price = parse_money("7");
  const auto order = last_purchase(profile_of({a_purchase("1", kNoon, {a_line("a", 1, "1")}), one_line}));
  BOOST_TEST(order->items.size() == 1u);
  BOOST_TEST((order->items[0] == a_line("b", 1, "7")));
  BOOST_TEST(order->item.empty());
}

BOOST_AUTO_TEST_CASE(the_last_purchase_and_that_of_an_item_are_known_after_they_are_folded)
{
  std::vector<Event> events{a_purchase("p1", kNoon, {a_line("a", 1, "1"), a_line("b", 1, "1")}),
                            a_purchase("p2", kNoon + 1, {a_line("a", 1, "1")})};
  for (std::size_t i = 0; i < 256; ++i) events.push_back(an_event(EventType::cart_add, named("c", i), kNoon + kHour));
  Profile profile = profile_of(events);
  BOOST_TEST(last_purchase(profile)->id.text == "p2");
  BOOST_TEST((last_purchase_of(profile, ItemId("a")) == Timestamp{kNoon + 1}));
  BOOST_TEST((last_purchase_of(profile, ItemId("b")) == Timestamp{kNoon}));
  BOOST_TEST(!last_purchase_of(profile, ItemId("c")));
  put_in(profile, a_purchase("p3", kNoon + kDay, {a_line("b", 1, "1")}));
  BOOST_TEST((last_purchase_of(profile, ItemId("b")) == Timestamp{kNoon + kDay}));
  BOOST_TEST(to_string(spend(profile).at(0).second) == "4");
}

BOOST_AUTO_TEST_CASE(a_window_is_open_at_its_old_end_and_closed_at_its_new_one)
{
  const Profile profile =
      profile_of({an_event(EventType::view, "1", kNoon - kHour), an_event(EventType::view, "2", kNoon - kHour + 1),
                  an_event(EventType::click, "3", kNoon), an_event(EventType::click, "4", kNoon + 1)});
  const TypeCounts hour = window_counts(profile, {kNoon}, std::chrono::hours(1));
  BOOST_TEST(count_in(hour, "view") == 1u);
  BOOST_TEST(count_in(hour, "click") == 1u);
}

BOOST_AUTO_TEST_CASE(beyond_recent_a_window_counts_the_tiles_that_begin_in_it)
{
  auto events = views(256);
  for (auto& event : events) event.time = Timestamp{kNoon + 5 * kHour};
  for (std::size_t i = 0; i < 10; ++i) events.push_back(an_event(EventType::click, named("c", i), kNoon + 30 * kMinute));
  const Profile profile = profile_of(events);
  BOOST_TEST(profile.recent[kOthers].size() == 256u);
  const auto clicks = [&profile](std::int64_t length) {
    return count_in(window_counts(profile, {kNoon + 6 * kHour}, Milliseconds(length)), "click");
  };
  BOOST_TEST(clicks(6 * kHour) == 0u);
  BOOST_TEST(clicks(6 * kHour + 1) == 10u);
}

BOOST_AUTO_TEST_CASE(counts_of_items_name_what_each_event_names)
{
  const auto all = item_counts(profile_of({a_purchase("p", kNoon, {a_line("a", 3, "1"), a_line("b", 1, "1"), a_line("a", 1, "1")}),
                                           an_event(EventType::view, "v", kNoon, "a")}));
  BOOST_TEST(all.size() == 2u);
  BOOST_TEST(all[0].first == "a");
  BOOST_TEST(count_in(all[0].second, "purchase") == 1u);
  BOOST_TEST(count_in(all[0].second, "view") == 1u);
  BOOST_TEST(count_in(all[1].second, "purchase") == 1u);
}

BOOST_AUTO_TEST_CASE(a_kept_event_gives_back_all_that_is_kept_and_nothing_else)
{
  Event event = a_purchase("p", -5, {a_line("a", 2, "0"), {ItemId("b"), 0, {}}}, "o");
  event.session = SessionId("s");
  event.slot = Slot("home");
  event.recommendation = RecommendationId("r");
  event.category = "shoes";
  BOOST_TEST((KeptEvent::of(event).event(CustomerId("c1")) == event));
  BOOST_TEST((KeptEvent::of(event).type() == EventType::purchase));
  BOOST_TEST((KeptEvent::of(event).place() == Place::of(event)));

  Event search = an_event(EventType::search, "q", kNoon, "");
  Event with_query = search;
  with_query.query = "boots";
  with_query.properties = "{}";
  BOOST_TEST((KeptEvent::of(with_query) == KeptEvent::of(search)));
  Event at_zero = an_event(EventType::custom, "x", 0);
  at_zero.custom_type = "x.checkout";
  BOOST_TEST((KeptEvent::of(at_zero).event(CustomerId("c1")) == at_zero));
  BOOST_TEST(KeptEvent::of(at_zero).view().type_name() == "x.checkout");
}

BOOST_AUTO_TEST_CASE(nothing_is_known_of_an_empty_profile)
{
  Profile profile = a_profile();
  BOOST_TEST(profile.empty());
  BOOST_TEST(!first_time(profile));
  BOOST_TEST(!last_time(profile));
  BOOST_TEST(cart(profile).empty());
  BOOST_TEST(counts(profile).empty());
  put_in(profile, std::vector<Event>{});
  BOOST_TEST(profile.empty());
  put_in(profile, an_event(EventType::view, "v", kNoon));
  BOOST_TEST(!profile.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
