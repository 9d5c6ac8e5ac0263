#include "core/item_filter.h"

#include "support/rules.h"

using namespace attune;
using namespace attune::testing;

namespace {

const Rules kDefaults;

Event shown_items(std::string id, std::int64_t ms, std::initializer_list<const char*> items)
{
  Event event = an_event(EventType::impression, std::move(id), ms, "");
  for (const auto* item : items) event.items.push_back({ItemId(item), 0, std::nullopt});
  return event;
}

} // namespace

BOOST_AUTO_TEST_SUITE(item_filters)

BOOST_AUTO_TEST_CASE(without_a_file_the_catalog_the_cart_and_the_item_just_seen_filter)
{
  Asked asked;
  asked.catalog =
      catalog_of({R"({"item":"a"})", R"({"item":"gone","stock":0})", R"({"item":"old","expires":"2023-11-12T12:00:00Z"})",
                  R"({"item":"few","stock":1,"expires":"2023-11-15T12:00:00.001Z"})"});
  asked.seen = {ItemId("few"), ItemId("a")};
  put_in(asked.profile, {an_event(EventType::cart_add, "1", kNoon, "few")});
  BOOST_TEST(refusal_of(kDefaults, asked, "unheard of") == "unlisted: not in the catalog");
  BOOST_TEST(refusal_of(kDefaults, asked, "gone") == "stock: out of stock since the catalog says 0");
  BOOST_TEST(refusal_of(kDefaults, asked, "old") == "expired: expired 3 days ago");
  BOOST_TEST(refusal_of(kDefaults, asked, "few") == "in_cart: in the cart already");
  BOOST_TEST(refusal_of(kDefaults, asked, "a") == "just_seen: the item just seen");
}

BOOST_AUTO_TEST_CASE(without_a_file_what_was_bought_looked_at_and_shown_may_be_shown)
{
  Asked asked;
  asked.seen = {ItemId("b"), ItemId("a")};
  put_in(asked.profile, {a_purchase("1", kNoon - 1, {a_line("c", 1, "1")}), an_event(EventType::view, "2", kNoon, "b"),
                         shown_items("3", kNoon, {"d"})});
  for (const char* item : {"b", "c", "d", "unheard of"}) BOOST_TEST(refusal_of(kDefaults, asked, item) == "", item);
  BOOST_TEST(AppliedRules(kDefaults, asked.occasion()).reminds());
}

BOOST_AUTO_TEST_CASE(an_item_marked_deleted_is_refused_even_by_an_otherwise_empty_catalog)
{
  Asked asked;
  CatalogItem deleted;
  deleted.deleted = true;
  AppliedRules applied(kDefaults, asked.occasion());
  BOOST_TEST((applied.refuses(ItemId("a"), &deleted)->filter == Filter::unlisted));
  BOOST_TEST(!applied.refuses(ItemId("a"), nullptr).has_value());
}

BOOST_AUTO_TEST_CASE(every_filter_of_the_catalog_can_be_turned_off)
{
  Asked asked;
  asked.catalog = catalog_of({R"({"item":"gone","stock":0,"expires":"2023-11-15T11:00:00Z"})"});
  asked.seen = {ItemId("gone")};
  put_in(asked.profile, {an_event(EventType::cart_add, "1", kNoon, "gone")});
  const Rules rules = rules_of(
      "[default.filter]\nstock = false\nexpired = false\nunlisted = false\nin_cart = false\njust_seen = false\n"
      "[slot.strict.filter]\nexpired = true\n[slot.cart.filter]\nin_cart = true");
  BOOST_TEST(refusal_of(rules, asked, "gone") == "");
  BOOST_TEST(refusal_of(rules, asked, "unheard of") == "");
  asked.slot = Slot("strict");
  BOOST_TEST(refusal_of(rules, asked, "gone") == "expired: expired 1 hour ago");
  asked.slot = Slot("cart");
  BOOST_TEST(refusal_of(rules, asked, "gone") == "in_cart: in the cart already");
}

BOOST_AUTO_TEST_CASE(what_was_bought_is_out_until_the_time_is_over)
{
  Asked asked;
  put_in(asked.profile, {a_purchase("1", kNoon - 3 * kDay, {a_line("a", 1, "1"), a_line("b", 1, "1")}),
                         a_purchase("2", kNoon - 30 * kDay, {a_line("c", 1, "1")})});
  const Rules rules = rules_of("[default.filter]\npurchased_within = \"30d\"\n[slot.again.filter]\npurchased_within = false");
  BOOST_TEST(refusal_of(rules, asked, "a") == "purchased_within: bought 3 days ago, and purchased_within is 30 days");
  BOOST_TEST(refusal_of(rules, asked, "b") != "");
  BOOST_TEST(refusal_of(rules, asked, "c") == "");
  asked.slot = Slot("again");
  BOOST_TEST(refusal_of(rules, asked, "a") == "");
}

BOOST_AUTO_TEST_CASE(a_purchase_that_was_folded_into_the_summary_still_counts)
{
  Asked asked;
  std::vector<Event> events{a_purchase("old", kNoon - 5 * kDay, {a_line("a", 1, "1")})};
  for (std::size_t i = 0; i < 300; ++i) events.push_back(an_event(EventType::cart_add, named("e", i), kNoon - kDay, named("i", i)));
  put_in(asked.profile, events);
  BOOST_TEST(asked.profile.summary.last_purchases.size() == 1u);
  const Rules rules = rules_of("[default.filter]\npurchased_within = \"6d\"");
  BOOST_TEST(refusal_of(rules, asked, "a") == "purchased_within: bought 5 days ago, and purchased_within is 6 days");
}

BOOST_AUTO_TEST_CASE(an_item_looked_at_often_enough_is_out_for_as_long_as_the_looks_are_new)
{
  Asked asked;
  put_in(asked.profile, {an_event(EventType::view, "1", kNoon - kDay, "a"), an_event(EventType::click, "2", kNoon, "a"),
                         an_event(EventType::view, "3", kNoon - 7 * kDay, "b"), an_event(EventType::view, "4", kNoon, "b"),
                         an_event(EventType::search, "5", kNoon, "")});
  const Rules rules = rules_of("[default.filter]\nseen = { times = 2, within = \"7d\" }");
  BOOST_TEST(refusal_of(rules, asked, "a") == "seen: looked at 2 times within 7 days, which is as often as `seen` allows");
  BOOST_TEST(refusal_of(rules, asked, "b") == "");
}

BOOST_AUTO_TEST_CASE(the_frequency_cap_counts_impressions_of_the_item)
{
  Asked asked;
  put_in(asked.profile, {shown_items("1", kNoon - kHour, {"a", "b", "b"}), shown_items("2", kNoon - kMinute, {"a", "c"}),
                         shown_items("3", kNoon - kDay, {"b"})});
  const Rules rules = rules_of("[default.filter]\nshown = { times = 2, within = \"1d\" }");
  BOOST_TEST(refusal_of(rules, asked, "a") == "shown: shown 2 times within 1 day, which is as often as `shown` allows");
  BOOST_TEST(refusal_of(rules, asked, "b") == "");
  BOOST_TEST(refusal_of(rules, asked, "c") == "");
}

BOOST_AUTO_TEST_CASE(what_happens_after_now_does_not_count)
{
  Asked asked;
  put_in(asked.profile, {an_event(EventType::view, "1", kNoon + 1, "a"), shown_items("2", kNoon + 1, {"a"})});
  const Rules rules = rules_of("[default.filter]\nseen = { times = 1, within = \"7d\" }\nshown = { times = 1, within = \"1d\" }");
  BOOST_TEST(refusal_of(rules, asked, "a") == "");
}

BOOST_AUTO_TEST_CASE(a_slot_that_does_not_remind_shows_nothing_that_was_looked_at)
{
  Asked asked;
  asked.slot = Slot("discover");
  asked.seen = {ItemId("session"), ItemId("last")};
  put_in(asked.profile, {an_event(EventType::view, "1", kNoon - 20 * kDay, "once")});
  const Rules rules = rules_of("[slot.discover]\nremind = false");
  BOOST_TEST(!AppliedRules(rules, asked.occasion()).reminds());
  BOOST_TEST(refusal_of(rules, asked, "once") == "reminder: looked at before, and this slot does not remind");
  BOOST_TEST(refusal_of(rules, asked, "session") == "reminder: looked at before, and this slot does not remind");
  asked.slot = Slot("home");
  BOOST_TEST(refusal_of(rules, asked, "once") == "");
}

BOOST_AUTO_TEST_CASE(exclude_lists_and_hide_conditions_of_default_and_slot_add_up)
{
  Asked asked;
  asked.catalog = catalog_of(
      {R"({"item":"a"})", R"({"item":"b"})", R"({"item":"c","tags":["adult"]})", R"({"item":"d","categories":["spare"]})"});
  const Rules rules = rules_of(
      "[default]\nexclude = [\"a\"]\nhide = { field = \"item.tag\", is = \"adult\" }\n"
      "[slot.home]\nexclude = [\"b\"]\nhide = { field = \"item.category\", is = \"spare\" }");
  BOOST_TEST(refusal_of(rules, asked, "a") == "excluded: on an exclude list of the rules");
  BOOST_TEST(refusal_of(rules, asked, "b") != "");
  BOOST_TEST(refusal_of(rules, asked, "c") == "hidden: hidden by a condition of the rules");
  BOOST_TEST(refusal_of(rules, asked, "d") != "");
  asked.slot = Slot("product");
  BOOST_TEST(refusal_of(rules, asked, "a") != "");
  BOOST_TEST(refusal_of(rules, asked, "b") == "");
  BOOST_TEST(refusal_of(rules, asked, "c") != "");
  BOOST_TEST(refusal_of(rules, asked, "d") == "");
}

BOOST_AUTO_TEST_CASE(lengths_are_told_in_the_largest_unit_that_loses_little)
{
  const auto words = [](std::int64_t ms) { return length_in_words(Milliseconds(ms)); };
  BOOST_TEST(words(0) == "less than a second");
  BOOST_TEST(words(1000) == "1 second");
  BOOST_TEST(words(90 * 1000) == "90 seconds");
  BOOST_TEST(words(25 * kHour) == "1 day");
  BOOST_TEST(words(36 * kHour) == "36 hours");
  BOOST_TEST(words(30 * kDay) == "30 days");
}

BOOST_AUTO_TEST_SUITE_END()
