#include "core/offer.h"

#include "support/rules.h"

using namespace attune;
using namespace attune::testing;

namespace {

const std::string kOffer = "[[offer]]\nname = \"strap\"\nitem = \"o\"\nplace = 2\n";

Event shown_item(std::string id, std::int64_t ms, std::string item)
{
  Event event = an_event(EventType::impression, std::move(id), ms, "");
  event.items = {{ItemId("x"), 0, std::nullopt}, {ItemId(std::move(item)), 0, std::nullopt}};
  return event;
}

std::string why_not(std::string_view toml, const Asked& asked, const OfferLedger* ledger = nullptr)
{
  const Rules rules = rules_of(toml);
  AppliedRules applied(rules, asked.occasion(), ledger);
  const auto arrangement = applied.arrange({}, 4, true);
  return arrangement.not_placed.empty() ? "" : arrangement.not_placed.front().reason;
}

} // namespace

BOOST_AUTO_TEST_SUITE(offers)

BOOST_AUTO_TEST_CASE(an_offer_stands_at_its_place_and_is_named_so_that_it_can_be_counted)
{
  const Asked asked;
  const Rules rules = rules_of(kOffer);
  BOOST_TEST(shown_of(rules, asked, {"a", "b", "o"}) == "a o b");
  BOOST_TEST((rules.offers() == std::vector<std::string_view>{"strap"}));
  const auto arrangement = AppliedRules(rules, asked.occasion()).arrange({}, 4);
  BOOST_TEST_REQUIRE(arrangement.items.size() == 1u);
  BOOST_TEST(arrangement.items[0].offer->rule.name == "strap");
  BOOST_TEST(arrangement.items[0].sentence() == "put here by the offer `strap`");
}

BOOST_AUTO_TEST_CASE(of_a_set_the_item_ranked_best_is_shown_else_the_first_that_may_be)
{
  Asked asked;
  const Rules rules = rules_of("[[offer]]\nname = \"set\"\nitem = [\"o1\", \"o2\", \"o3\"]");
  BOOST_TEST(shown_of(rules, asked, {"a", "o3", "o2"}) == "o3 a o2");
  BOOST_TEST(shown_of(rules, asked, {"a"}) == "o1 a");
  put_in(asked.profile, {an_event(EventType::cart_add, "1", kNoon, "o1")});
  BOOST_TEST(shown_of(rules, asked, {"a"}) == "o2 a");
}

BOOST_AUTO_TEST_CASE(an_offer_ends_with_its_budget)
{
  const Asked asked;
  const std::string offer = kOffer + "budget = { impressions = 10, redemptions = 2 }";
  OfferLedger ledger{{"another", {100, 100}}, {"strap", {9, 1}}};
  BOOST_TEST(why_not(offer, asked) == "");
  BOOST_TEST(why_not(offer, asked, &ledger) == "");
  ledger["strap"] = {10, 1};
  BOOST_TEST(why_not(offer, asked, &ledger) == "its budget of 10 impressions is used up");
  ledger["strap"] = {9, 2};
  BOOST_TEST(why_not(offer, asked, &ledger) == "its budget of 2 redemptions is used up");
  BOOST_TEST(why_not(kOffer + "budget = { impressions = 0 }", asked) == "its budget of 0 impressions is used up");
}

BOOST_AUTO_TEST_CASE(a_customer_sees_an_offer_as_often_as_its_caps_allow)
{
  Asked asked;
  put_in(asked.profile, {shown_item("1", kNoon - 2 * kDay, "o"), shown_item("2", kNoon - kHour, "o"), shown_item("3", kNoon, "p")});
  BOOST_TEST(why_not(kOffer + "per_customer = 3", asked) == "");
  BOOST_TEST(why_not(kOffer + "per_customer = 2", asked) == "this customer has seen it 2 times, and per_customer is 2");
  BOOST_TEST(why_not(kOffer + "per_day = 2", asked) == "");
  BOOST_TEST(why_not(kOffer + "per_day = 1", asked) == "this customer has seen it once within a day, and per_day is 1");
  asked.now = {kNoon + 23 * kHour};
  BOOST_TEST(why_not(kOffer + "per_day = 1", asked) == "");
}

BOOST_AUTO_TEST_CASE(any_item_of_the_set_counts_towards_the_caps)
{
  Asked asked;
  put_in(asked.profile, {shown_item("1", kNoon, "o1"), shown_item("2", kNoon, "o2")});
  BOOST_TEST(why_not("[[offer]]\nname = \"set\"\nitem = [\"o1\", \"o2\"]\nper_customer = 2", asked) != "");
}

BOOST_AUTO_TEST_CASE(an_offer_is_for_those_whom_its_conditions_choose)
{
  Asked asked;
  asked.catalog = catalog_of({R"({"item":"o"})", R"({"item":"phone","categories":["phones"]})"});
  const std::string offer = "[segment.new]\nfield = \"count\"\ntype = \"purchase\"\nis = 0\n" + kOffer +
                            "when = [{ field = \"segment\", is = \"new\" }, { field = \"cart.category\", is = \"phones\" }]";
  BOOST_TEST(why_not(offer, asked) == "its dates or its conditions do not hold");
  put_in(asked.profile, {an_event(EventType::cart_add, "1", kNoon, "phone")});
  BOOST_TEST(why_not(offer, asked) == "");
  put_in(asked.profile, {a_purchase("2", kNoon, {a_line("x", 1, "1")})});
  BOOST_TEST(why_not(offer, asked) != "");
}

BOOST_AUTO_TEST_CASE(an_offer_has_a_holdout_of_its_own)
{
  const Rules rules = rules_of(kOffer + "holdout = 0.5\n[[offer]]\nname = \"other\"\nitem = \"p\"\nplace = 1\nholdout = 0.5");
  std::size_t both = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i < 4000; ++i) {
    Asked asked;
    asked.profile.customer = CustomerId(named("c", i));
    const auto shown = names_of(AppliedRules(rules, asked.occasion()).arrange({}, 4));
    both += shown == "p o" ? 1 : 0;
    first += shown.find('o') != std::string::npos ? 1 : 0;
  }
  BOOST_TEST(first > 1800u);
  BOOST_TEST(first < 2200u);
  BOOST_TEST(both > 800u);
  BOOST_TEST(both < 1200u);
}

BOOST_AUTO_TEST_CASE(the_second_offer_of_a_place_shows_when_the_first_does_not)
{
  const Asked asked;
  const Rules rules = rules_of(kOffer + "budget = { impressions = 1 }\n[[offer]]\nname = \"next\"\nitem = \"p\"\nplace = 2");
  BOOST_TEST(shown_of(rules, asked, {"a", "b"}) == "a o b");
  const OfferLedger ledger{{"strap", {1, 0}}};
  BOOST_TEST(shown_of(rules, asked, {"a", "b"}, 10, &ledger) == "a p b");
}

BOOST_AUTO_TEST_CASE(impressions_in_its_slots_and_orders_of_its_items_use_a_budget_up)
{
  const Rules rules = rules_of(kOffer + "slot = \"home\"");
  OfferLedger ledger;
  const auto note = [&](Event event, std::string_view slot = {}) {
    event.slot = Slot(slot);
    rules.note_uses(event, ledger);
  };
  note(shown_item("i1", 1, "o"), "home");
  note(shown_item("i2", 2, "o"));
  note(shown_item("i3", 3, "o"), "cart");
  note(shown_item("i4", 4, "a"), "home");
  note(an_event(EventType::view, "v", 5, "o"));
  note(an_event(EventType::purchase, "p", 6, "o"));
  BOOST_TEST((ledger == OfferLedger{{"strap", {2, 1}}}));
}

BOOST_AUTO_TEST_SUITE_END()
