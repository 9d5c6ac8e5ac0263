#include "core/complements.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

using namespace attune;

namespace {

using Basket = std::vector<ItemNumber>;

void add(Complements& complements, const Basket& basket)
{
  for (std::size_t i = 0; i < basket.size(); ++i) complements.add(std::span(basket).first(i), basket[i]);
}

void subtract(Complements& complements, const Basket& basket)
{
  for (auto i = basket.size(); i-- > 0;) complements.subtract(std::span(basket).first(i), basket[i]);
}

using Raw = std::map<std::pair<ItemNumber, ItemNumber>, std::pair<std::uint32_t, std::uint32_t>>;
Raw raw_of(const Complements& complements)
{
  Raw raw;
  for (ItemNumber item = 0; item < complements.items(); ++item) {
    const auto& row = complements.of(item);
    for (std::size_t i = 0; i < row.size(); ++i) raw[{item, row.items[i]}] = {row.counts[i].together, row.counts[i].mass};
  }
  return raw;
}

Basket some_basket(std::mt19937& random, std::uint32_t items)
{
  Basket basket;
  for (auto length = random() % 8; length-- > 0;)
    if (const ItemNumber item = random() % items; std::find(basket.begin(), basket.end(), item) == basket.end())
      basket.push_back(item);
  return basket;
}

std::map<ItemNumber, float> scores(const Complements& complements, const Basket& basket, bool ordered = true)
{
  Candidates candidates;
  candidates.begin(complements.items());
  complements.score(basket, ordered, 0, candidates);
  std::map<ItemNumber, float> out;
  for (const auto& row : candidates.rows()) out[row.item] = row.columns[0];
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(complements)

BOOST_AUTO_TEST_CASE(counts_are_those_of_the_baskets_that_are_there)
{
  BOOST_TEST(rc::check([] {
    std::mt19937 random(*rc::gen::arbitrary<unsigned>());
    Complements complements;
    complements.grow(20);
    std::vector<Basket> there;
    for (int i = *rc::gen::inRange(0, 60); i-- > 0;) {
      if (!there.empty() && random() % 3 == 0) {
        const auto gone = there.begin() + static_cast<std::ptrdiff_t>(random() % there.size());
        subtract(complements, *gone);
        there.erase(gone);
      } else {
        add(complements, there.emplace_back(some_basket(random, 20)));
      }
    }
    Complements anew;
    anew.grow(20);
    std::shuffle(there.begin(), there.end(), random);
    for (const auto& basket : there) add(anew, basket);
    RC_ASSERT(raw_of(complements) == raw_of(anew));
    RC_ASSERT(complements.pairs() == raw_of(anew).size());
    RC_ASSERT(complements.total() == anew.total());
    for (ItemNumber item = 0; item < 20; ++item) RC_ASSERT(complements.of(item).baskets == anew.of(item).baskets);
  }));
}

BOOST_AUTO_TEST_CASE(a_long_order_says_no_more_of_an_item_than_a_short_one)
{
  Complements complements;
  complements.grow(2'000);
  Basket order(1'500);
  for (ItemNumber i = 0; i < order.size(); ++i) order[i] = i;
  add(complements, order);
  std::uint64_t mass = 0;
  // What joins last spreads a mass of 1, and nobody came after it.
  for (const auto& counts : complements.of(1'499).counts) mass += counts.mass;
  BOOST_TEST(std::abs(static_cast<double>(mass) / kMassUnit - 1) < 0.001);
  BOOST_TEST(complements.of(1'499).size() == kBasketLooked);
}

BOOST_AUTO_TEST_CASE(an_item_keeps_a_bounded_number_of_partners)
{
  Complements complements;
  complements.grow(5'001);
  for (int i = 0; i < 5; ++i) add(complements, {0, 1});
  for (ItemNumber partner = 2; partner <= 5'000; ++partner) add(complements, {0, partner});
  const auto& row = complements.of(0);
  BOOST_TEST(row.size() <= kMaxComplements);
  BOOST_TEST(std::count(row.items.begin(), row.items.end(), 1) == 1);
  BOOST_TEST(complements.pairs() == raw_of(complements).size());
}

BOOST_AUTO_TEST_CASE(what_is_bought_with_the_basket_scores_above_what_is_bought_with_everything)
{
  constexpr ItemNumber kPhone = 0, kCase = 1, kBag = 2;
  Complements complements;
  complements.grow(200);
  for (int i = 0; i < 40; ++i) add(complements, {kPhone, kCase});
  for (ItemNumber i = 3; i < 200; ++i) add(complements, {i, kBag});
  for (int i = 0; i < 8; ++i) add(complements, {kPhone, kBag});
  const auto found = scores(complements, {kPhone});
  BOOST_TEST(found.at(kCase) > found.at(kBag));
}

BOOST_AUTO_TEST_CASE(the_newest_of_an_ordered_basket_speaks_loudest)
{
  Complements complements;
  complements.grow(10);
  for (int i = 0; i < 20; ++i) {
    add(complements, {0, 1});
    add(complements, {2, 3});
  }
  const auto ordered = scores(complements, {0, 2});
  BOOST_TEST(ordered.at(3) > ordered.at(1));
  const auto hidden = scores(complements, {0, 2}, false);
  BOOST_TEST(hidden.at(3) == hidden.at(1));
  BOOST_TEST(scores(complements, {9}).empty());
}

BOOST_AUTO_TEST_SUITE_END()
