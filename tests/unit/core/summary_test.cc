#include "core/summary.h"

#include <boost/test/unit_test.hpp>

#include "support/profile_builders.h"

namespace attune {
namespace {

using namespace testing;

Summary summary_of(const std::vector<Event>& events, std::int64_t newest)
{
  std::vector<KeptEvent> kept;
  for (const auto& event : events) kept.push_back(KeptEvent::of(event));
  Summary summary;
  fold(summary, kept, Timestamp{newest});
  return summary;
}

Event a_custom(std::string id, std::int64_t ms, std::string type)
{
  Event event = an_event(EventType::custom, std::move(id), ms);
  event.custom_type = std::move(type);
  return event;
}

} // namespace

BOOST_AUTO_TEST_SUITE(summary)

BOOST_AUTO_TEST_CASE(a_day_is_in_hours_until_it_is_nine_days_old_and_in_days_until_it_is_thirty_six)
{
  const Timestamp newest{kNoon};
  const std::int64_t midnight = kNoon - 12 * kHour;
  BOOST_TEST((granularity_at({midnight - 8 * kDay}, newest) == Granularity::hour));
  BOOST_TEST((granularity_at({midnight - 8 * kDay - 1}, newest) == Granularity::day));
  BOOST_TEST((granularity_at({midnight - 35 * kDay}, newest) == Granularity::day));
  BOOST_TEST((granularity_at({midnight - 35 * kDay - 1}, newest) == Granularity::month));
}

BOOST_AUTO_TEST_CASE(tiles_begin_at_whole_hours_days_and_months_also_before_1970)
{
  BOOST_TEST(tile_start(Granularity::hour, {kNoon + 1}) == Timestamp{kNoon});
  BOOST_TEST(tile_start(Granularity::day, {kNoon}) == Timestamp{kNoon - 12 * kHour});
  BOOST_TEST(tile_start(Granularity::month, {kNoon}) == Timestamp{kNoon - 12 * kHour - 14 * kDay});
  BOOST_TEST(tile_start(Granularity::hour, {-1}) == Timestamp{-kHour});
  BOOST_TEST(tile_start(Granularity::day, {-1}) == Timestamp{-kDay});
  BOOST_TEST(tile_start(Granularity::month, {-1}) == Timestamp{-31 * kDay});
  BOOST_TEST(tile_start(Granularity::month, {-31 * kDay}) == Timestamp{-31 * kDay});
  BOOST_TEST(tile_start(Granularity::month, kMinTime) == kMinTime);
  const Timestamp february{1'706'745'600'000}; // 2024-02-01
  BOOST_TEST(tile_end(Granularity::month, february) == Timestamp{february.ms + 29 * kDay});
  BOOST_TEST(tile_end(Granularity::day, february) == Timestamp{february.ms + kDay});
}

BOOST_AUTO_TEST_CASE(rolling_up_in_steps_gives_what_folding_late_gives)
{
  StreamKnobs knobs;
  knobs.events = 800;
  knobs.days = 60;
  knobs.odd = true;
  const auto events = a_stream(7, knobs);
  const std::int64_t newest = knobs.from + 61 * kDay;
  Summary in_steps = summary_of(events, newest);
  for (int day = 0; day <= 80; ++day) roll_up(in_steps, {newest + day * kDay});
  BOOST_TEST((in_steps == summary_of(events, newest + 80 * kDay)));
  BOOST_TEST(in_steps.tiles.size() < 400u);
}

BOOST_AUTO_TEST_CASE(adding_summaries_of_parts_gives_the_summary_of_all)
{
  StreamKnobs knobs;
  knobs.events = 6000;
  knobs.items = 6000; // more than last purchases and tiles keep
  const auto events = a_stream(8, knobs);
  const Timestamp newest{knobs.from + 100 * kDay};
  const std::vector<Event> first(events.begin(), events.begin() + 1000);
  const std::vector<Event> second(events.begin() + 1000, events.begin() + 1500);
  const std::vector<Event> third(events.begin() + 1500, events.end());
  Summary sum = summary_of(third, newest.ms - 30 * kDay);
  add(sum, summary_of(first, newest.ms - 60 * kDay), newest);
  add(sum, summary_of(second, newest.ms), newest);
  const Summary all = summary_of(events, newest.ms);
  BOOST_TEST((sum == all));
  BOOST_TEST(all.last_purchases.size() == kLastPurchases);
  BOOST_TEST(all.folded.size() == kFoldedHashes);
}

BOOST_AUTO_TEST_CASE(names_beyond_the_bound_are_counted_under_other_and_none_is_lost)
{
  std::vector<Event> events;
  for (std::size_t i = 0; i < 100; ++i) {
    events.push_back(an_event(EventType::view, named("v", i), kNoon, named("item", i)));
    events.back().category = named("category", i);
    events.push_back(a_custom(named("x", i), kNoon, named("x.type", i)));
  }
  const Summary summary = summary_of(events, kNoon);
  const Tile tile = summary.tiles.at(0).tile();
  BOOST_TEST(summary.tiles.size() == 1u);
  BOOST_TEST(tile.items.size() == kTileItems);
  BOOST_TEST(tile.categories.size() == kTileCategories);
  std::uint64_t views = count_in(tile.other_items, "view");
  for (const auto& [item, item_counts] : tile.items) views += count_in(item_counts, "view");
  BOOST_TEST(views == 100u);
  BOOST_TEST(count_in(tile.other_categories, "view") == 100u - kTileCategories);
  BOOST_TEST(tile.counts.size() == 1 + 1 + kTileCustomTypes);
  BOOST_TEST(count_in(tile.counts, kOtherCustomTypes) == 100u - kTileCustomTypes);
  BOOST_TEST(sum_of(tile.counts) == 200u);
}

BOOST_AUTO_TEST_CASE(an_event_with_more_items_than_a_tile_keeps_counts_as_its_items_one_by_one)
{
  Event shown = an_event(EventType::impression, "s", kNoon, "");
  std::vector<Event> one_by_one;
  for (std::size_t i = 0; i < 200; ++i) {
    shown.items.push_back({ItemId(named("item", i)), 0, {}});
    Event event = an_event(EventType::impression, named("s", i), kNoon, "");
    event.items = {shown.items.back()};
    one_by_one.push_back(std::move(event));
  }
  const Tile together = summary_of({shown}, kNoon).tiles.at(0).tile();
  const Tile apart = summary_of(one_by_one, kNoon).tiles.at(0).tile();
  BOOST_TEST((together.items == apart.items));
  BOOST_TEST((together.other_items == apart.other_items));
}

BOOST_AUTO_TEST_CASE(spend_is_purchases_less_refunds_and_an_item_named_twice_by_an_order_is_counted_once)
{
  Event refund = a_purchase("r", kNoon, {a_line("a", 1, "30")});
  refund.type = EventType::refund;
  Event one_line = an_event(EventType::purchase, "one", kNoon, "a");
  one_line.price = parse_money("0.000001");
  one_line.currency = *parse_currency("USD");
  Event free_of_price = an_event(EventType::purchase, "free", kNoon, "a");
  free_of_price.currency = *parse_currency("CHF");
  const Summary summary = summary_of(
      {a_purchase("p", kNoon, {a_line("a", 2, "9.99"), a_line("a", 1, "0.02")}), refund, one_line, free_of_price}, kNoon);
  const Tile tile = summary.tiles.at(0).tile();
  BOOST_TEST(tile.spend.size() == 2u);
  BOOST_TEST(to_string(tile.spend[0].second) == "-10");
  BOOST_TEST(to_string(tile.spend[1].second) == "0.000001");
  BOOST_TEST(count_in(tile.items.at(0).second, "purchase") == 3u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
