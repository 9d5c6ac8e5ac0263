#include "core/affinity.h"

#include <boost/test/unit_test.hpp>

#include "support/profile_builders.h"

namespace attune {
namespace {

using namespace testing;

using Weights = std::vector<std::pair<std::string, double>>;

Event in_category(Event event, std::string category)
{
  event.category = std::move(category);
  return event;
}

Catalog a_catalog()
{
  Catalog catalog;
  CatalogItem item;
  item.item = ItemId("boot");
  item.categories = {"shoes", "winter"};
  catalog.put(item);
  item.item = ItemId("bare");
  item.categories = {};
  catalog.put(item);
  return catalog;
}

} // namespace

BOOST_AUTO_TEST_SUITE(affinity_of_profiles)

BOOST_AUTO_TEST_CASE(types_weigh_by_what_they_cost_a_customer)
{
  const Profile profile =
      profile_of({in_category(an_event(EventType::view, "1", kNoon), "a"), in_category(an_event(EventType::click, "2", kNoon), "a"),
                  in_category(an_event(EventType::cart_add, "3", kNoon), "b"),
                  in_category(a_purchase("4", kNoon, {a_line("x", 1, "1"), a_line("y", 1, "1")}), "c"),
                  in_category(an_event(EventType::search, "5", kNoon, ""), "d"),
                  in_category(an_event(EventType::cart_remove, "6", kNoon), "d")});
  BOOST_TEST((affinity(profile, {}, {kNoon}) == Weights{{"c", 5}, {"b", 3}, {"a", 2}}));
}

BOOST_AUTO_TEST_CASE(a_weight_is_halved_every_half_life_and_what_comes_after_now_is_left_out)
{
  const Profile profile = profile_of({in_category(an_event(EventType::view, "1", kNoon), "a"),
                                      in_category(an_event(EventType::view, "2", kNoon + 28 * kDay), "b")});
  BOOST_TEST((affinity(profile, {}, {kNoon + 14 * kDay}) == Weights{{"a", 0.5}}));
  BOOST_TEST((affinity(profile, {}, {kNoon + 28 * kDay}) == Weights{{"b", 1}, {"a", 0.25}}));
  BOOST_TEST((affinity(profile, {}, {kNoon + 3 * 3650 * kDay}) == Weights{}));
}

BOOST_AUTO_TEST_CASE(the_catalogs_categories_come_before_what_the_event_said)
{
  const Profile profile = profile_of({in_category(an_event(EventType::view, "1", kNoon, "boot"), "said"),
                                      in_category(an_event(EventType::view, "2", kNoon, "bare"), "said"),
                                      in_category(an_event(EventType::view, "3", kNoon, "unknown"), "said")});
  BOOST_TEST((affinity(profile, a_catalog(), {kNoon}) == Weights{{"said", 2}, {"shoes", 1}, {"winter", 1}}));
}

BOOST_AUTO_TEST_CASE(a_tile_counts_from_its_middle_by_the_catalog_where_it_can)
{
  std::vector<Event> events;
  for (std::size_t i = 0; i < 4; ++i)
    events.push_back(in_category(an_event(EventType::view, named("old", i), kNoon + 1, i < 3 ? "boot" : "unknown"), "said"));
  for (std::size_t i = 0; i < 256; ++i) events.push_back(an_event(EventType::search, named("s", i), kNoon + kDay, ""));
  const Profile profile = profile_of(events);
  BOOST_TEST(profile.summary.tiles.size() == 1u);
  const Timestamp half_life_later{kNoon + 30 * kMinute + 14 * kDay};
  BOOST_TEST((affinity(profile, a_catalog(), half_life_later) == Weights{{"shoes", 1.5}, {"winter", 1.5}, {"said", 0.5}}));
  BOOST_TEST((affinity(profile, {}, half_life_later) == Weights{{"said", 2}}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
