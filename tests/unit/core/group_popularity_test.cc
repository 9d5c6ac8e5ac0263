#include "core/group_popularity.h"

#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <random>

using namespace attune;

namespace {

constexpr std::array<double, kGroupWindows> kHalfLives{100, 5'000};
constexpr std::array<GroupWindow, kGroupWindows> kAll{GroupWindow::fast, GroupWindow::slow};

// One group, decayed click by click.
class Naive {
 public:
  void hit(ItemNumber item)
  {
    for (auto& [each, values] : values_)
      for (std::size_t w = 0; w < kGroupWindows; ++w) values[w] *= std::exp2(-1 / kHalfLives[w]);
    for (auto& value : values_[item]) value += 1;
  }
  [[nodiscard]] double value(GroupWindow window, ItemNumber item) const
  {
    const auto found = values_.find(item);
    return found == values_.end() ? 0 : found->second[static_cast<std::size_t>(window)];
  }
  [[nodiscard]] double total(GroupWindow window) const
  {
    double sum = 0;
    for (const auto& [item, values] : values_) sum += values[static_cast<std::size_t>(window)];
    return sum;
  }
  [[nodiscard]] std::size_t size() const { return values_.size(); }

 private:
  std::map<ItemNumber, std::array<double, kGroupWindows>> values_;
};

bool close(double a, double b)
{
  return std::abs(a - b) <= 1e-8 * std::max({1.0, std::abs(a), std::abs(b)});
}

// Best first, equal ones by number, and as many as there may be.
bool best_are_best(const GroupPopularity& popularity, GroupWindow window, std::uint32_t group, std::size_t items)
{
  std::vector<std::pair<double, ItemNumber>> all;
  const auto& content = popularity.content(group).items;
  for (std::size_t i = 0; i < content.size(); ++i)
    all.emplace_back(-content.counts[i][static_cast<std::size_t>(window)], content.items[i]);
  std::sort(all.begin(), all.end());
  const auto best = popularity.best(window, group);
  if (best.size() != std::min(items, kGroupBest)) return false;
  for (std::size_t i = 0; i < best.size(); ++i)
    if (best[i].item != all[i].second || best[i].value != -all[i].first) return false;
  return true;
}

ItemNumber some_item(std::mt19937& random, std::uint32_t items)
{
  return std::min({random() % items, random() % items, random() % items});
}

} // namespace

BOOST_AUTO_TEST_SUITE(group_popularity)

BOOST_AUTO_TEST_CASE(each_group_decays_by_its_own_clicks_as_a_naive_count_does)
{
  BOOST_TEST(rc::check([] {
    std::mt19937 random(*rc::gen::arbitrary<unsigned>());
    const auto items = *rc::gen::element<std::uint32_t>(1, 40, 300);
    GroupPopularity popularity;
    std::array<Naive, 3> naive;
    for (int i = *rc::gen::inRange(0, 700); i-- > 0;) {
      const std::uint32_t group = random() % 3;
      const auto item = some_item(random, items);
      popularity.hit(group, item);
      naive[group].hit(item);
    }
    for (std::uint32_t group = 0; group < popularity.groups(); ++group)
      for (const auto window : kAll) {
        RC_ASSERT(close(popularity.total(window, group), naive[group].total(window)));
        RC_ASSERT(best_are_best(popularity, window, group, naive[group].size()));
        for (ItemNumber item = 0; item < items; ++item)
          RC_ASSERT(close(popularity.value(window, group, item), naive[group].value(window, item)));
      }
  }));
}

// The scale of the fast window passes its bound.
BOOST_AUTO_TEST_CASE(values_stay_right_over_any_number_of_clicks)
{
  std::mt19937 random(3);
  GroupPopularity popularity;
  Naive naive;
  for (int i = 0; i < 150'000; ++i) {
    const auto item = some_item(random, 150);
    popularity.hit(0, item);
    naive.hit(item);
  }
  for (const auto window : kAll) {
    BOOST_TEST(best_are_best(popularity, window, 0, naive.size()));
    for (ItemNumber item = 0; item < 150; ++item) BOOST_TEST(close(popularity.value(window, 0, item), naive.value(window, item)));
  }
}

BOOST_AUTO_TEST_CASE(a_group_keeps_a_bounded_number_of_items_and_those_of_most_clicks)
{
  std::mt19937 random(4);
  GroupPopularity popularity;
  for (int i = 0; i < 40'000; ++i) popularity.hit(0, i % 3 == 0 ? random() % 20 : 20 + random() % 20'000);
  BOOST_TEST(popularity.content(0).items.size() <= kGroupItems);
  BOOST_TEST(popularity.bytes() < 40'000U);
  for (std::size_t i = 0; i < 20; ++i) BOOST_TEST(popularity.best(GroupWindow::slow, 0)[i].item < 20U);
  for (const auto window : kAll) BOOST_TEST(best_are_best(popularity, window, 0, popularity.content(0).items.size()));
}

BOOST_AUTO_TEST_CASE(what_was_restored_goes_on_as_what_was_kept)
{
  BOOST_TEST(rc::check([] {
    std::mt19937 random(*rc::gen::arbitrary<unsigned>());
    GroupPopularity popularity;
    for (int i = *rc::gen::inRange(0, 400); i-- > 0;) popularity.hit(random() % 3, some_item(random, 200));
    GroupPopularity back;
    for (std::uint32_t group = 0; group < popularity.groups(); ++group) back.restore(popularity.content(group));
    for (int i = *rc::gen::inRange(0, 400); i-- > 0;) {
      const std::uint32_t group = random() % 4;
      const auto item = some_item(random, 200);
      popularity.hit(group, item);
      back.hit(group, item);
    }
    RC_ASSERT(back.groups() == popularity.groups());
    for (std::uint32_t group = 0; group < popularity.groups(); ++group)
      for (const auto window : kAll) {
        const auto ours = popularity.best(window, group);
        const auto theirs = back.best(window, group);
        RC_ASSERT(std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end(),
                             [](const auto& a, const auto& b) { return a.item == b.item && a.value == b.value; }));
        RC_ASSERT(back.total(window, group) == popularity.total(window, group));
      }
  }));
}

BOOST_AUTO_TEST_CASE(a_group_that_was_never_met_is_empty)
{
  GroupPopularity popularity;
  BOOST_TEST(popularity.best(GroupWindow::fast, 7).empty());
  BOOST_TEST(popularity.value(GroupWindow::slow, 7, 1) == 0.0);
  BOOST_TEST(popularity.total(GroupWindow::slow, 7) == 0.0);
}

BOOST_AUTO_TEST_CASE(an_item_that_is_forgotten_counts_in_no_group)
{
  GroupPopularity with;
  for (const ItemNumber item : {1U, 2U, 2U, 3U}) {
    with.hit(0, item);
    with.hit(1, item);
  }
  with.forget(2);
  for (const GroupPopularity::Number group : {0U, 1U}) {
    BOOST_TEST(with.value(GroupWindow::slow, group, 2) == 0);
    BOOST_TEST(with.best(GroupWindow::slow, group).size() == 2U);
    BOOST_TEST(
        with.total(GroupWindow::slow, group) == with.value(GroupWindow::slow, group, 1) + with.value(GroupWindow::slow, group, 3),
        boost::test_tools::tolerance(1e-9));
  }
}

BOOST_AUTO_TEST_SUITE_END()
