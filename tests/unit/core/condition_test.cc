#include "core/condition.h"

#include "support/rules.h"

using namespace attune;
using namespace attune::testing;

namespace {

// Whether a boost with this condition on the customer counts.
bool holds_for(const Asked& asked, std::string_view condition, std::string_view head = "")
{
  const Rules rules = rules_of(std::string(head) + "\n[[boost]]\nadd = 1\nwhen = " + std::string(condition));
  AppliedRules applied(rules, asked.occasion());
  return applied.adjusted(0, ItemId("any"), nullptr) == 1;
}

bool holds_for_item(const Asked& asked, std::string_view item, std::string_view condition)
{
  const Rules rules = rules_of("[[boost]]\nadd = 1\nitem = " + std::string(condition));
  AppliedRules applied(rules, asked.occasion());
  const ItemId id(item);
  return applied.adjusted(0, id, asked.catalog.find(id)) == 1;
}

Asked a_buyer()
{
  Asked asked;
  asked.catalog =
      catalog_of({R"({"item":"phone","name":"Aurora 5","categories":["phones","new"],"tags":["brand:aurora"],"price":"549.00",)"
                  R"("currency":"EUR","stock":3,"expires":"2023-11-16T12:00:00Z","accessories":["case","glass"]})",
                  R"({"item":"case","categories":["cases"],"accessories":["strap"]})", R"({"item":"tea"})"});
  Event added = an_event(EventType::cart_add, "1", kNoon - kHour, "phone");
  added.quantity = 2;
  added.price = parse_money("549");
  added.currency = *parse_currency("EUR");
  put_in(asked.profile,
         {added, a_purchase("2", kNoon - 3 * kDay, {a_line("case", 2, "19.90")}),
          an_event(EventType::view, "3", kNoon - 10 * kDay, "tea"), an_event(EventType::view, "4", kNoon - kMinute, "tea")});
  return asked;
}

} // namespace

BOOST_AUTO_TEST_SUITE(conditions)

BOOST_AUTO_TEST_CASE(spend_is_compared_in_its_own_currency_to_the_millionth)
{
  const Asked asked = a_buyer();
  BOOST_TEST(holds_for(asked, R"({ field = "spend", currency = "EUR", at_least = 39.8 })"));
  BOOST_TEST(holds_for(asked, R"({ field = "spend", currency = "EUR", is = "39.80" })"));
  BOOST_TEST(!holds_for(asked, R"({ field = "spend", currency = "EUR", over = 39.8 })"));
  BOOST_TEST(holds_for(asked, R"({ field = "spend", currency = "EUR", over = 39.799999 })"));
  BOOST_TEST(!holds_for(asked, R"({ field = "spend", currency = "EUR", under = "39.8" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "spend", currency = "USD", at_most = 0 })"));
}

BOOST_AUTO_TEST_CASE(counts_are_of_a_type_over_all_time_or_a_window)
{
  const Asked asked = a_buyer();
  BOOST_TEST(holds_for(asked, R"({ field = "count", type = "view", is = 2 })"));
  BOOST_TEST(holds_for(asked, R"({ field = "count", type = "view", within = "7d", is = 1 })"));
  BOOST_TEST(holds_for(asked, R"({ field = "count", type = "view", within = "11d", is = 2 })"));
  BOOST_TEST(holds_for(asked, R"({ field = "count", type = "x.quiz", is = 0 })"));
  BOOST_TEST(holds_for(asked, R"({ field = "events", is = 4 })"));
}

BOOST_AUTO_TEST_CASE(ages_are_told_from_now_and_absent_for_what_never_was)
{
  Asked asked = a_buyer();
  BOOST_TEST(holds_for(asked, R"({ field = "first_seen", is = "10d" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "last_seen", under = "61s" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "since_purchase", is = "3d" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "since_purchase", item = "case", is = "3d" })"));
  BOOST_TEST(!holds_for(asked, R"({ field = "since_purchase", item = "phone", at_most = "3650d" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "since_purchase", item = "phone", exists = false })"));
  asked.known = false;
  BOOST_TEST(!holds_for(asked, R"({ field = "first_seen", at_least = "1s" })"));
  BOOST_TEST(holds_for(asked, R"({ not = { field = "first_seen", at_least = "1s" } })"));
  BOOST_TEST(holds_for(asked, R"({ field = "count", type = "view", is = 0 })"));
}

BOOST_AUTO_TEST_CASE(the_cart_is_asked_for_its_size_its_value_and_what_is_in_it)
{
  const Asked asked = a_buyer();
  BOOST_TEST(holds_for(asked, R"({ field = "cart.lines", is = 1 })"));
  BOOST_TEST(holds_for(asked, R"({ field = "cart.quantity", is = 2 })"));
  BOOST_TEST(holds_for(asked, R"({ field = "cart.value", currency = "EUR", is = 1098 })"));
  BOOST_TEST(holds_for(asked, R"({ field = "cart.value", currency = "USD", is = 0 })"));
  BOOST_TEST(holds_for(asked, R"({ field = "cart.item", is = ["tea", "phone"] })"));
  BOOST_TEST(holds_for(asked, R"({ field = "cart.category", is = "phones" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "cart.category", is_not = "cases" })"));
  BOOST_TEST(!holds_for(asked, R"({ field = "cart.category", is_not = ["cases", "new"] })"));
  BOOST_TEST(holds_for(asked, R"({ field = "cart.tag", starts_with = "brand:" })"));
}

BOOST_AUTO_TEST_CASE(affinity_is_asked_by_category_and_the_strongest_has_a_field_of_its_own)
{
  const Asked asked = a_buyer();
  BOOST_TEST(holds_for(asked, R"({ field = "top_category", is = "cases" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "affinity", category = "phones", over = 2.9, at_most = 3 })"));
  BOOST_TEST(holds_for(asked, R"({ field = "affinity", category = "lamps", is = 0 })"));
}

BOOST_AUTO_TEST_CASE(consent_is_granted_refused_or_unknown)
{
  Asked asked;
  BOOST_TEST(holds_for(asked, R"({ field = "consent", is = "unknown" })"));
  consent(asked.profile, a_consent("1", kNoon, true));
  BOOST_TEST(holds_for(asked, R"({ field = "consent", is = "granted" })"));
  consent(asked.profile, a_consent("2", kNoon + 1, false));
  BOOST_TEST(holds_for(asked, R"({ field = "consent", is = "refused" })"));
}

BOOST_AUTO_TEST_CASE(the_request_gives_slot_page_customer_time_of_day_and_weekday)
{
  Asked asked = a_buyer(); // a Wednesday, 12:00 UTC
  asked.page = ItemId("phone");
  BOOST_TEST(holds_for(asked, R"({ field = "slot", is = "home" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "customer", starts_with = "c" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "page.item", is = "phone" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "page.category", is = "new" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "page.tag", contains = "aurora" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "time", at_least = "12:00", under = "12:01" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "weekday", is = ["wed", "sun"] })"));
  BOOST_TEST(!holds_for(asked, R"({ field = "weekday", is = "thu" })"));
}

BOOST_AUTO_TEST_CASE(weekdays_and_times_are_right_before_1970_too)
{
  Asked asked;
  asked.now = {-1}; // Wednesday, 1969-12-31T23:59:59.999Z
  BOOST_TEST(holds_for(asked, R"({ field = "weekday", is = "wed" })"));
  BOOST_TEST(holds_for(asked, R"({ field = "time", over = "23:59" })"));
  asked.now = {0};
  BOOST_TEST(holds_for(asked, R"({ field = "weekday", is = "thu" })"));
}

BOOST_AUTO_TEST_CASE(a_time_of_day_may_go_over_midnight)
{
  Asked asked;
  const auto night = R"({ field = "time", at_least = "22:00", under = "06:00" })";
  BOOST_TEST(!holds_for(asked, night));
  asked.now = {kNoon + 10 * kHour};
  BOOST_TEST(holds_for(asked, night));
  asked.now = {kNoon + 18 * kHour - 1};
  BOOST_TEST(holds_for(asked, night));
  asked.now = {kNoon + 18 * kHour};
  BOOST_TEST(!holds_for(asked, night));
}

BOOST_AUTO_TEST_CASE(an_item_is_asked_for_what_the_catalog_says_of_it)
{
  const Asked asked = a_buyer();
  BOOST_TEST(holds_for_item(asked, "phone", R"({ field = "item", is = ["phone", "tea"] })"));
  BOOST_TEST(holds_for_item(asked, "phone", R"({ field = "item.name", contains = "Aurora" })"));
  BOOST_TEST(holds_for_item(asked, "phone", R"({ field = "item.category", is = "phones" })"));
  BOOST_TEST(holds_for_item(asked, "phone", R"({ field = "item.tag", is = "brand:aurora" })"));
  BOOST_TEST(holds_for_item(asked, "phone", R"({ field = "item.price", currency = "EUR", at_least = 549, under = 550 })"));
  BOOST_TEST(!holds_for_item(asked, "phone", R"({ field = "item.price", currency = "USD", at_least = 0 })"));
  BOOST_TEST(!holds_for_item(asked, "tea", R"({ field = "item.price", currency = "EUR", under = 1000 })"));
  BOOST_TEST(holds_for_item(asked, "tea", R"({ field = "item.price", currency = "EUR", exists = false })"));
  BOOST_TEST(holds_for_item(asked, "phone", R"({ field = "item.stock", at_most = 3 })"));
  BOOST_TEST(holds_for_item(asked, "phone", R"({ field = "item.expires_in", is = "1d" })"));
  BOOST_TEST(holds_for_item(asked, "phone", R"({ field = "item.listed", is = true })"));
  BOOST_TEST(holds_for_item(asked, "unheard of", R"({ field = "item.listed", is = false })"));
  BOOST_TEST(holds_for_item(asked, "unheard of", R"({ field = "item.category", is_not = "phones" })"));
}

BOOST_AUTO_TEST_CASE(accessories_are_those_of_the_page_of_the_cart_and_of_the_last_purchase)
{
  Asked asked = a_buyer();
  BOOST_TEST(holds_for_item(asked, "glass", R"({ field = "item.accessory_of", is = "cart" })"));
  BOOST_TEST(!holds_for_item(asked, "glass", R"({ field = "item.accessory_of", is = "page" })"));
  BOOST_TEST(!holds_for_item(asked, "strap", R"({ field = "item.accessory_of", is = "cart" })"));
  BOOST_TEST(holds_for_item(asked, "strap", R"({ field = "item.accessory_of", is = ["page", "purchase"] })"));
  BOOST_TEST(holds_for_item(asked, "strap", R"({ field = "item.accessory_of", exists = true })"));
  BOOST_TEST(holds_for_item(asked, "tea", R"({ field = "item.accessory_of", exists = false })"));
  asked.page = ItemId("phone");
  BOOST_TEST(holds_for_item(asked, "glass", R"({ field = "item.accessory_of", is = "page" })"));
}

BOOST_AUTO_TEST_CASE(all_any_not_and_arrays_combine)
{
  const Asked asked = a_buyer();
  const std::string yes = R"({ field = "cart.lines", is = 1 })";
  const std::string no = R"({ field = "cart.lines", is = 2 })";
  BOOST_TEST(holds_for(asked, "[" + yes + ", " + yes + "]"));
  BOOST_TEST(!holds_for(asked, "[" + yes + ", " + no + "]"));
  BOOST_TEST(!holds_for(asked, "{ all = [" + yes + ", " + no + "] }"));
  BOOST_TEST(holds_for(asked, "{ any = [" + no + ", " + yes + "] }"));
  BOOST_TEST(!holds_for(asked, "{ any = [" + no + ", " + no + "] }"));
  BOOST_TEST(holds_for(asked, "{ not = " + no + " }"));
  BOOST_TEST(!holds_for(asked, "{ not = { any = [" + no + ", " + yes + "] } }"));
}

BOOST_AUTO_TEST_CASE(a_segment_may_ask_another_wherever_it_stands)
{
  const Asked asked = a_buyer();
  const std::string segments = R"(
[segment.a]
all = [{ field = "segment", is = "z" }, { field = "segment", is_not = "idle" }]
[segment.idle]
field = "last_seen"
over = "90d"
[segment.z]
field = "spend"
currency = "EUR"
over = 10
)";
  BOOST_TEST(holds_for(asked, R"({ field = "segment", is = "a" })", segments));
  BOOST_TEST(!holds_for(asked, R"({ field = "segment", is = "idle" })", segments));
  BOOST_TEST(holds_for(asked, R"({ field = "segment", is = ["idle", "z"] })", segments));
  const Rules rules = rules_of(segments); // whose names they are
  const auto names = rules.segments_of(asked.profile, asked.catalog, asked.now);
  BOOST_TEST((names == std::vector<std::string_view>{"a", "z"}));
}

BOOST_AUTO_TEST_SUITE_END()
