#include "core/blend.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

#include "core/model_state.h"
#include "core/ranking.h"
#include "support/clicks.h"

using namespace attune;
using namespace attune::testing;

namespace {

// Questions asked of a small shop, their features computed.
struct Shop {
  explicit Shop(unsigned seed) : random(seed)
  {
    for (int i = 0; i < 400; ++i)
      model.learn(click("s" + std::to_string(i / 5), "i" + std::to_string(std::min(random() % 25, random() % 25)), i));
  }
  const Features& ask()
  {
    Question question;
    for (auto i = 1 + random() % 6; i-- > 0;) question.session.push_back(model.number_of("i" + std::to_string(random() % 10)));
    propose(model.state(), question, work);
    return work.features;
  }

  std::mt19937 random;
  Model model{[] {
    ModelOptions options;
    options.rate = 0;
    return options;
  }()};
  Workspace work;
};

double loss(const Blend& blend, const Features& features, std::uint32_t slot, std::size_t clicked)
{
  Blend::Scores scores;
  blend.score(features, slot, scores);
  double sum = 0;
  for (std::size_t c = 0; c < features.count(); ++c) sum += std::exp(static_cast<double>(scores.total[c] - scores.total[clicked]));
  return std::log(sum);
}

void teach(Blend& blend, const Features& features, std::uint32_t slot, std::size_t clicked, float rate = 0.1F)
{
  Blend::Scores scores;
  blend.score(features, slot, scores);
  blend.learn(features, slot, scores, clicked, rate);
}

bool same(const Blend::Weights& a, const Blend::Weights& b)
{
  return a.weight == b.weight && a.steepness == b.steepness;
}

bool same(const Blend& a, const Blend& b)
{
  return a.steps() == b.steps() && std::equal(a.sets().begin(), a.sets().end(), b.sets().begin(), b.sets().end(),
                                              [](const auto& x, const auto& y) { return same(x, y); });
}

constexpr std::size_t kSlotSets = 1 + kBuckets;

Blend taught(unsigned seed, int steps, std::uint32_t slot)
{
  Shop shop(seed);
  Blend blend;
  for (int i = 0; i < steps; ++i) {
    const auto& features = shop.ask();
    teach(blend, features, slot, shop.random() % features.count());
  }
  return blend;
}

} // namespace

BOOST_AUTO_TEST_SUITE(blend)

BOOST_AUTO_TEST_CASE(a_step_lowers_the_loss_of_the_click_it_learned)
{
  BOOST_TEST(rc::check([] {
    Shop shop(*rc::gen::arbitrary<unsigned>());
    Blend blend;
    const auto slot = *rc::gen::inRange<std::uint32_t>(0, 3);
    for (int i = 0; i < 20; ++i) {
      const auto& features = shop.ask();
      RC_ASSERT(features.count() > 1U);
      const auto clicked = shop.random() % features.count();
      const auto before = loss(blend, features, slot, clicked);
      teach(blend, features, slot, clicked, 0.001F);
      // One that is certain already is not made surer.
      RC_ASSERT(before < 1e-3 || loss(blend, features, slot, clicked) < before);
    }
  }));
}

BOOST_AUTO_TEST_CASE(what_is_clicked_every_time_is_soon_expected)
{
  Shop shop(3);
  Blend blend;
  double first = 0;
  double last = 0;
  for (int i = 0; i < 600; ++i) {
    const auto& features = shop.ask();
    // The customers of this shop click the item of the lowest number among the candidates.
    const auto items = features.items();
    const auto clicked = static_cast<std::size_t>(std::min_element(items.begin(), items.end()) - items.begin());
    (i < 100 ? first : last) += i < 100 || i >= 500 ? loss(blend, features, 0, clicked) : 0;
    teach(blend, features, 0, clicked);
  }
  BOOST_TEST(last < first);
}

BOOST_AUTO_TEST_CASE(the_same_lessons_give_the_same_bits)
{
  BOOST_TEST(same(taught(7, 50, 2), taught(7, 50, 2)));
  BOOST_TEST(!same(taught(7, 50, 2), taught(8, 50, 2)));
}

BOOST_AUTO_TEST_CASE(parts_sum_to_the_total)
{
  Shop shop(5);
  const auto blend = taught(6, 30, 1);
  Blend::Scores scores;
  for (int i = 0; i < 20; ++i) {
    const auto& features = shop.ask();
    blend.score(features, 1, scores);
    for (std::size_t c = 0; c < features.count(); ++c) {
      double sum = 0;
      for (std::size_t g = 0; g < kGroups; ++g) sum += static_cast<double>(scores.part(static_cast<Group>(g), c));
      BOOST_TEST_REQUIRE(scores.exact(c) == sum);
      BOOST_TEST_REQUIRE(std::abs(sum - static_cast<double>(scores.total[c])) <= 1e-4 * std::max(1.0, std::abs(sum)));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_slot_learns_for_itself_and_for_all)
{
  const auto blend = taught(4, 20, 3);
  BOOST_TEST(blend.steps() == 20U);
  BOOST_TEST(blend.sets().size() == kSlotSets + 3);
  BOOST_TEST(same(blend.sets()[kSlotSets], Blend::Weights{}));
  BOOST_TEST(!same(blend.sets()[kSlotSets + 2], Blend::Weights{}));
  BOOST_TEST(!same(blend.sets()[0], Blend().sets()[0]));
  // A slot that nobody taught is answered as nowhere in particular.
  Shop shop(4);
  Blend::Scores here;
  Blend::Scores nowhere;
  const auto& features = shop.ask();
  blend.score(features, 30, here);
  blend.score(features, 0, nowhere);
  BOOST_TEST(here.total == nowhere.total, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(merging_averages_by_steps)
{
  auto blend = taught(1, 30, 0);
  const auto mine = blend;
  const auto other = taught(2, 10, 0);
  blend.merge(other, {0});
  BOOST_TEST(blend.steps() == 40U);
  for (std::size_t f = 0; f < kFeatures; ++f) {
    const float expected = mine.sets()[0].weight[f] * 0.75F + other.sets()[0].weight[f] * 0.25F;
    BOOST_TEST(std::abs(blend.sets()[0].weight[f] - expected) <= 1e-6F);
    BOOST_TEST(blend.sets()[0].steepness[f] == mine.sets()[0].steepness[f] + other.sets()[0].steepness[f]);
  }
}

BOOST_AUTO_TEST_CASE(merging_maps_slots_and_takes_as_it_is_what_one_alone_has_learned)
{
  auto blend = taught(1, 30, 1);
  const auto mine = blend;
  const auto other = taught(2, 10, 1);
  blend.merge(other, {0, 2}); // their slot 1 is our 2
  BOOST_TEST(same(blend.sets()[kSlotSets], mine.sets()[kSlotSets]));
  BOOST_TEST(same(blend.sets()[kSlotSets + 1], other.sets()[kSlotSets]));

  auto full = mine;
  full.merge(other, {0, 0}); // there is no room for theirs
  BOOST_TEST(full.sets().size() == mine.sets().size());
  BOOST_TEST(same(full.sets()[kSlotSets], mine.sets()[kSlotSets]));
}

BOOST_AUTO_TEST_CASE(merging_with_one_that_learned_nothing_changes_nothing)
{
  const auto mine = taught(1, 30, 1);
  auto blend = mine;
  blend.merge(Blend(), {0});
  BOOST_TEST(same(blend, mine));
  Blend empty;
  empty.merge(mine, {0, 1});
  BOOST_TEST(same(empty, mine));
}

BOOST_AUTO_TEST_SUITE_END()
