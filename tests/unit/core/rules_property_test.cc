// Whatever the rules, the candidates and the customer: what a list never does.

#include <rapidcheck.h>

#include <map>
#include <set>

#include "core/category_cap.h"
#include "core/rule_book.h"
#include "support/rules.h"

namespace attune {
namespace {

using namespace testing;

// Everything a case needs is drawn from one seed, so that a counterexample is one number.
template <class Case>
void holds_for_seeds(const std::string& what, const Case& one_case)
{
  BOOST_TEST(rc::check(what, [&one_case] {
    Random random(*rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>())));
    one_case(random);
  }));
}

std::string quoted(const std::string& text)
{
  return '"' + text + '"';
}

std::string random_item(Random& random)
{
  return named("i", below(random, 40));
}

Catalog random_catalog(Random& random)
{
  Catalog catalog;
  for (std::size_t i = 0; i < 40; ++i) {
    if (below(random, 10) == 0) continue;
    CatalogItem item;
    item.item = ItemId(named("i", i));
    for (std::size_t k = below(random, 3); k > 0; --k) item.categories.push_back(named("c", below(random, 5)));
    for (std::size_t k = below(random, 3); k > 0; --k) item.tags.push_back(named("t", below(random, 4)));
    if (below(random, 6) == 0) item.stock = 0;
    catalog.put(std::move(item));
  }
  return catalog;
}

std::string random_when(Random& random)
{
  constexpr const char* kConditions[] = {"{ field = \"events\", over = 20 }", "{ field = \"cart.lines\", at_least = 1 }",
                                         "{ field = \"count\", type = \"view\", within = \"7d\", under = 5 }",
                                         "{ not = { field = \"top_category\", is = \"c1\" } }",
                                         "{ any = [{ field = \"cart.item\", is = \"i3\" }, { field = \"slot\", is = \"home\" }] }"};
  return below(random, 3) == 0 ? std::string("when = ") + kConditions[below(random, std::size(kConditions))] + '\n' : "";
}

// Pins and exclude lists draw from different items, since a file in which they meet is none.
std::string random_rules(Random& random)
{
  std::string toml = "[default]\nlambda = " + std::string(below(random, 2) == 0 ? "1" : "0.4") + "\nexclude = [";
  for (std::size_t i = 0; i < 5; ++i) toml += quoted(named("i", 30 + below(random, 10))) + ", ";
  toml += "]\nhide = { field = \"item.tag\", is = \"t0\" }\n[default.filter]\nseen = { times = 2, within = \"30d\" }\n";
  if (below(random, 2) == 0) toml += "shown = { times = 3, within = \"10d\" }\npurchased_within = \"20d\"\n";
  std::set<std::size_t> places;
  std::set<std::string> pinned;
  for (std::size_t i = below(random, 5); i > 0; --i) {
    const std::size_t place = 1 + below(random, 12);
    const std::string item = named("i", below(random, 30));
    if (!places.insert(place).second || !pinned.insert(item).second) continue;
    toml += "[[pin]]\nitem = " + quoted(item) + "\nplace = " + std::to_string(place) + '\n' + random_when(random);
  }
  for (std::size_t i = below(random, 4); i > 0; --i)
    toml += "[[cap]]\n" + (below(random, 2) == 0 ? "category = " + quoted(named("c", below(random, 5))) + '\n' : "") +
            "most = " + std::to_string(below(random, 4)) + '\n' + random_when(random);
  for (std::size_t i = below(random, 3); i > 0; --i) {
    const std::size_t place = 1 + below(random, 12);
    if (!places.insert(place).second) continue;
    toml += "[[offer]]\nname = " + quoted(named("o", i)) + "\nitem = [" + quoted(named("i", below(random, 15))) + ", " +
            quoted(named("i", 15 + below(random, 15))) + "]\nplace = " + std::to_string(place) + '\n' + random_when(random);
  }
  for (std::size_t i = below(random, 4); i > 0; --i)
    toml += (below(random, 2) == 0 ? "[[boost]]\nfactor = 1.7\n" : "[[bury]]\nfactor = 0.3\n") + random_when(random) +
            (below(random, 2) == 0 ? "item = { field = \"item.category\", is = \"c2\" }\n" : "");
  return toml;
}

struct Case {
  std::string toml;
  Rules rules;
  Asked asked;
  std::vector<std::string> names; // by falling score, those refused left out
  std::size_t n = 0;
};

Case random_case(Random& random)
{
  Case drawn;
  drawn.toml = random_rules(random);
  drawn.rules = rules_of(drawn.toml);
  drawn.asked.catalog = random_catalog(random);
  put_in(drawn.asked.profile, a_stream(random(), {.events = below(random, 60), .days = 40, .items = 40}));
  drawn.asked.now = {kNoon + static_cast<std::int64_t>(below(random, 50)) * kDay};
  if (below(random, 2) == 0) drawn.asked.seen = {ItemId(random_item(random))};
  AppliedRules applied(drawn.rules, drawn.asked.occasion());
  std::set<std::string> drawn_already;
  for (std::size_t i = below(random, 60); i > 0; --i) {
    const std::string name = random_item(random);
    const ItemId item(name);
    if (!applied.refuses(item, drawn.asked.catalog.find(item)) && drawn_already.insert(name).second) drawn.names.push_back(name);
  }
  drawn.n = 1 + below(random, 12);
  return drawn;
}

// Scores with ties among them.
RankedItems candidates_of(const Case& drawn)
{
  RankedItems candidates(drawn.asked.catalog, drawn.names);
  for (auto& ranked : candidates.ranked) ranked.score = std::floor(ranked.score / 3);
  return candidates;
}

} // namespace

BOOST_AUTO_TEST_SUITE(rules_properties)

BOOST_AUTO_TEST_CASE(no_list_shows_what_is_refused_or_an_item_twice_or_more_than_n)
{
  holds_for_seeds("nothing refused, nothing twice, at most n", [](Random& random) {
    const Case drawn = random_case(random);
    const auto candidates = candidates_of(drawn);
    AppliedRules applied(drawn.rules, drawn.asked.occasion());
    const auto arrangement = applied.arrange(candidates.ranked, drawn.n);
    RC_ASSERT(arrangement.items.size() <= drawn.n);
    std::set<ItemId> shown;
    AppliedRules again(drawn.rules, drawn.asked.occasion());
    for (const auto& item : arrangement.items) {
      RC_ASSERT(shown.insert(*item.item).second);
      RC_ASSERT(!again.refuses(*item.item, drawn.asked.catalog.find(*item.item)));
      RC_ASSERT(item.known == drawn.asked.catalog.find(*item.item));
    }
  });
}

BOOST_AUTO_TEST_CASE(no_list_exceeds_a_category_cap)
{
  holds_for_seeds("caps are kept", [](Random& random) {
    const Case drawn = random_case(random);
    const auto candidates = candidates_of(drawn);
    AppliedRules applied(drawn.rules, drawn.asked.occasion());
    const auto arrangement = applied.arrange(candidates.ranked, drawn.n);
    std::map<std::string, std::size_t> counts;
    for (const auto& item : arrangement.items)
      if (item.known) {
        const std::set<std::string> its(item.known->categories.begin(), item.known->categories.end());
        for (const auto& category : its) ++counts[category];
      }
    for (const auto& cap : drawn.rules.book().caps) {
      if (!in_force(cap.rule, applied.asker(), false)) continue;
      for (const auto& [category, count] : counts)
        if (cap.category.empty() || cap.category == category) RC_ASSERT(count <= cap.most);
    }
  });
}

BOOST_AUTO_TEST_CASE(a_pin_in_force_is_at_its_place_or_there_is_a_reason)
{
  holds_for_seeds("pins are kept", [](Random& random) {
    const Case drawn = random_case(random);
    const auto candidates = candidates_of(drawn);
    AppliedRules applied(drawn.rules, drawn.asked.occasion());
    const auto arrangement = applied.arrange(candidates.ranked, drawn.n, true);
    for (const auto& pin : drawn.rules.book().pins) {
      const auto told = std::count_if(arrangement.not_placed.begin(), arrangement.not_placed.end(),
                                      [&pin](const auto& missing) { return missing.rule == &pin.rule && !missing.reason.empty(); });
      const auto at = std::find_if(arrangement.items.begin(), arrangement.items.end(),
                                   [&pin](const auto& item) { return item.rule == &pin.rule; });
      RC_ASSERT((told == 1) == (at == arrangement.items.end()));
      if (at == arrangement.items.end()) continue;
      const auto place = static_cast<std::size_t>(at - arrangement.items.begin()) + 1;
      RC_ASSERT(place <= pin.place);
      RC_ASSERT((place == pin.place || arrangement.items.size() < drawn.n));
    }
  });
}

BOOST_AUTO_TEST_CASE(a_list_is_no_shorter_than_the_candidates_and_the_caps_make_it)
{
  holds_for_seeds("nothing is left out without a reason", [](Random& random) {
    const Case drawn = random_case(random);
    const auto candidates = candidates_of(drawn);
    AppliedRules applied(drawn.rules, drawn.asked.occasion());
    const auto arrangement = applied.arrange(candidates.ranked, drawn.n, true);
    std::set<std::size_t> explained;
    for (const auto& left : arrangement.left_out) explained.insert(left.ranked);
    for (const auto& item : arrangement.items)
      if (item.ranked) explained.insert(*item.ranked);
    RC_ASSERT((arrangement.items.size() == drawn.n || explained.size() == candidates.ranked.size()));
  });
}

BOOST_AUTO_TEST_CASE(the_same_question_has_the_same_list)
{
  holds_for_seeds("deterministic, with or without reasons", [](Random& random) {
    const Case drawn = random_case(random);
    const auto candidates = candidates_of(drawn);
    const Rules again = rules_of(drawn.toml);
    const auto first = AppliedRules(drawn.rules, drawn.asked.occasion()).arrange(candidates.ranked, drawn.n, true);
    const auto second = AppliedRules(again, drawn.asked.occasion()).arrange(candidates.ranked, drawn.n);
    RC_ASSERT(names_of(first) == names_of(second));
  });
}

BOOST_AUTO_TEST_CASE(items_that_have_no_rule_keep_their_order_where_diversity_is_off)
{
  holds_for_seeds("the order of the ranked", [](Random& random) {
    const Case drawn = random_case(random);
    if (drawn.rules.book().other_slots.lambda < 1) return;
    const auto candidates = candidates_of(drawn);
    const auto arrangement = AppliedRules(drawn.rules, drawn.asked.occasion()).arrange(candidates.ranked, drawn.n);
    std::optional<std::size_t> before;
    for (const auto& item : arrangement.items) {
      if (item.rule) continue;
      RC_ASSERT((!before || *before < *item.ranked));
      before = item.ranked;
    }
  });
}

BOOST_AUTO_TEST_CASE(adjustments_and_the_score_before_add_up_to_the_score)
{
  holds_for_seeds("contributions sum exactly", [](Random& random) {
    const Case drawn = random_case(random);
    AppliedRules applied(drawn.rules, drawn.asked.occasion());
    const ItemId item(random_item(random));
    double sum = (static_cast<double>(below(random, 2'000'001)) - 1e6) / 7;
    std::vector<Adjustment> adjustments;
    const double score = applied.adjusted(sum, item, drawn.asked.catalog.find(item), &adjustments);
    for (const auto& adjustment : adjustments) sum += adjustment.added;
    RC_ASSERT(sum == score);
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
