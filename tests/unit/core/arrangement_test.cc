#include "core/arrangement.h"

#include "support/rules.h"

using namespace attune;
using namespace attune::testing;

namespace {

Asked a_shop()
{
  Asked asked;
  asked.catalog =
      catalog_of({R"({"item":"p1","categories":["phones"]})", R"({"item":"p2","categories":["phones"]})",
                  R"({"item":"p3","categories":["phones"]})", R"({"item":"c1","categories":["cases"],"tags":["brand:a"]})",
                  R"({"item":"c2","categories":["cases"],"tags":["brand:a"]})", R"({"item":"t1","categories":["tea"]})",
                  R"({"item":"out","categories":["tea"],"stock":0})"});
  return asked;
}

const std::vector<std::string> kAll{"p1", "p2", "p3", "c1", "c2", "t1"};

std::string reason_of(const Arrangement& arrangement, std::string_view rule)
{
  for (const auto& missing : arrangement.not_placed)
    if (missing.rule->name == rule) return missing.reason;
  return "";
}

} // namespace

BOOST_AUTO_TEST_SUITE(arrangements)

BOOST_AUTO_TEST_CASE(without_rules_the_list_is_the_ranked_one_and_equal_scores_keep_their_order)
{
  const Asked asked = a_shop();
  const Rules rules;
  BOOST_TEST(shown_of(rules, asked, kAll, 4) == "p1 p2 p3 c1");
  const RankedItems equal(asked.catalog, {"t1", "c2", "p3", "c1"}, 0);
  BOOST_TEST(names_of(AppliedRules(rules, asked.occasion()).arrange(equal.ranked, 3)) == "t1 c2 p3");
  const Rules diverse = rules_of("[default]\nlambda = 0.5");
  BOOST_TEST(names_of(AppliedRules(diverse, asked.occasion()).arrange(equal.ranked, 3)) == "t1 c2 p3");
}

BOOST_AUTO_TEST_CASE(a_pin_stands_at_its_place_whatever_its_score)
{
  const Asked asked = a_shop();
  const Rules rules = rules_of("[[pin]]\nname = \"spring\"\nitem = \"t1\"\nplace = 2\nsay = \"our pick\"");
  BOOST_TEST(shown_of(rules, asked, kAll, 4) == "p1 t1 p2 p3");
  AppliedRules applied(rules, asked.occasion());
  const RankedItems candidates(asked.catalog, {"p1", "p2"});
  const auto arrangement = applied.arrange(candidates.ranked, 4);
  BOOST_TEST(names_of(arrangement) == "p1 t1 p2");
  BOOST_TEST(arrangement.items[1].rule->name == "spring");
  BOOST_TEST(arrangement.items[1].sentence() == "our pick");
  BOOST_TEST(arrangement.items[0].sentence() == "");
  BOOST_TEST(arrangement.items[1].score == 0);
  BOOST_TEST(!arrangement.items[1].ranked.has_value());
  BOOST_TEST((arrangement.items[2].ranked == 1u));
  BOOST_TEST(arrangement.items[2].rule == nullptr);
}

BOOST_AUTO_TEST_CASE(a_pin_behind_the_end_of_a_short_list_moves_up)
{
  const Asked asked = a_shop();
  BOOST_TEST(shown_of(rules_of("[[pin]]\nitem = \"t1\"\nplace = 9"), asked, {"p1", "p2"}) == "p1 p2 t1");
  BOOST_TEST(shown_of(rules_of("[[pin]]\nitem = \"t1\"\nplace = 9"), asked, kAll, 3) == "p1 p2 p3");
}

BOOST_AUTO_TEST_CASE(a_pin_of_what_a_filter_refuses_is_not_shown_and_says_why)
{
  Asked asked = a_shop();
  put_in(asked.profile, {an_event(EventType::cart_add, "1", kNoon, "c1")});
  const Rules rules = rules_of(
      "[[pin]]\nname = \"out\"\nitem = \"out\"\nplace = 1\n[[pin]]\nname = \"cart\"\nitem = \"c1\"\nplace = 2\n"
      "[[pin]]\nname = \"gone\"\nitem = \"unheard of\"\nplace = 3\n[[pin]]\nname = \"far\"\nitem = \"t1\"\nplace = 7\n"
      "[[pin]]\nname = \"vip\"\nitem = \"c2\"\nplace = 4\nwhen = { field = \"events\", over = 9 }");
  BOOST_TEST(shown_of(rules, asked, kAll, 2) == "p1 p2");
  AppliedRules applied(rules, asked.occasion());
  const auto arrangement = applied.arrange({}, 4, true);
  BOOST_TEST(reason_of(arrangement, "out") == "`out`: out of stock since the catalog says 0");
  BOOST_TEST(reason_of(arrangement, "cart") == "`c1`: in the cart already");
  BOOST_TEST(reason_of(arrangement, "gone") == "`unheard of`: not in the catalog");
  BOOST_TEST(reason_of(arrangement, "far") == "place 7 is beyond the end of the list");
  BOOST_TEST(reason_of(arrangement, "vip") == "its dates or its conditions do not hold");
}

BOOST_AUTO_TEST_CASE(of_two_pins_at_one_place_the_first_that_holds_shows)
{
  Asked asked = a_shop();
  const Rules rules = rules_of(
      "[[pin]]\nname = \"vip\"\nitem = \"c2\"\nplace = 1\nwhen = { field = \"events\", over = 0 }\n"
      "[[pin]]\nname = \"all\"\nitem = \"t1\"\nplace = 1");
  BOOST_TEST(shown_of(rules, asked, {"p1"}) == "t1 p1");
  put_in(asked.profile, {an_event(EventType::search, "1", kNoon, "")});
  BOOST_TEST(shown_of(rules, asked, {"p1"}) == "c2 p1");
  BOOST_TEST(reason_of(AppliedRules(rules, asked.occasion()).arrange({}, 4, true), "all") == "place 1 is taken by `vip`");
}

BOOST_AUTO_TEST_CASE(a_category_cap_lets_the_next_of_another_category_up_and_says_what_it_left_out)
{
  const Asked asked = a_shop();
  const Rules rules = rules_of("[[cap]]\ncategory = \"phones\"\nmost = 1\n[[cap]]\ntag = \"brand:a\"\nmost = 1");
  BOOST_TEST(shown_of(rules, asked, kAll) == "p1 c1 t1");
  AppliedRules applied(rules, asked.occasion());
  const RankedItems candidates(asked.catalog, kAll);
  const auto arrangement = applied.arrange(candidates.ranked, 3, true);
  BOOST_TEST(arrangement.left_out.size() == 3u);
  BOOST_TEST(arrangement.left_out[0].ranked == 1u);
  BOOST_TEST(arrangement.left_out[0].refusal.sentence() == "the list shows 1 of `phones` already, the most it may");
}

BOOST_AUTO_TEST_CASE(a_cap_without_a_category_is_for_each_and_the_strictest_counts)
{
  const Asked asked = a_shop();
  const Rules rules = rules_of("[[cap]]\nmost = 2\n[[cap]]\nmost = 1\nslot = \"cart\"\n[[cap]]\nmost = 3");
  BOOST_TEST(shown_of(rules, asked, kAll) == "p1 p2 c1 c2 t1");
  Asked in_cart = a_shop();
  in_cart.slot = Slot("cart");
  BOOST_TEST(shown_of(rules, in_cart, kAll) == "p1 c1 t1");
}

BOOST_AUTO_TEST_CASE(caps_hold_for_pins_too)
{
  const Asked asked = a_shop();
  const Rules rules = rules_of(
      "[[cap]]\ncategory = \"phones\"\nmost = 1\n[[pin]]\nitem = \"p3\"\nplace = 3\n"
      "[[pin]]\nname = \"second\"\nitem = \"p2\"\nplace = 1");
  BOOST_TEST(shown_of(rules, asked, kAll) == "c1 c2 p3 t1");
  BOOST_TEST(reason_of(AppliedRules(rules, asked.occasion()).arrange({}, 4, true), "second") ==
             "`p2`: the list shows 1 of `phones` already, the most it may");
}

BOOST_AUTO_TEST_CASE(marginal_relevance_trades_score_for_difference)
{
  // Scores 6 to 1; relevance 1, .8, .6, .4, .2, 0. With lambda .6 and p1 placed: p2 .48 − .4, c1 .24, t1 0; then of cases c2 .12 − .4,
  // of phones p2 .08, t1 0.
  const Asked asked = a_shop();
  BOOST_TEST(shown_of(rules_of("[default]\nlambda = 0.6"), asked, kAll) == "p1 c1 p2 t1 p3 c2");
  BOOST_TEST(shown_of(rules_of("[default]\nlambda = 1"), asked, kAll) == "p1 p2 p3 c1 c2 t1");
  BOOST_TEST(shown_of(rules_of("[default]\nlambda = 0"), asked, kAll, 3) == "p1 c1 t1");
}

BOOST_AUTO_TEST_CASE(a_pin_at_any_place_counts_for_diversity)
{
  const Asked asked = a_shop();
  BOOST_TEST(shown_of(rules_of("[default]\nlambda = 0.7\n[[pin]]\nitem = \"p3\"\nplace = 3"), asked, kAll, 3) == "p1 c1 p3");
  BOOST_TEST(shown_of(rules_of("[default]\nlambda = 0.3\n[[pin]]\nitem = \"p3\"\nplace = 3"), asked, kAll, 3) == "c1 t1 p3");
}

BOOST_AUTO_TEST_CASE(items_that_the_catalog_does_not_know_resemble_nothing)
{
  Asked asked;
  BOOST_TEST(shown_of(rules_of("[default]\nlambda = 0.1\n[[cap]]\nmost = 1"), asked, {"a", "b", "c"}) == "a b c");
}

BOOST_AUTO_TEST_SUITE_END()
