#include "core/popularity.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <set>

using namespace attune;

namespace {

class NaiveTop {
 public:
  NaiveTop(double growth, std::size_t items) : growth_(growth), values_(items) {}

  void hit(ItemNumber item)
  {
    for (auto& value : values_) value /= growth_;
    values_[item] += 1;
  }
  [[nodiscard]] const std::vector<double>& values() const { return values_; }

 private:
  double growth_;
  std::vector<double> values_;
};

bool close(double a, double b)
{
  return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

// Best first, none twice, and nothing outside above the last.
bool best_are_best(const DecayingTop& top, std::size_t items, std::size_t kept)
{
  const auto best = top.best();
  for (std::size_t i = 1; i < best.size(); ++i)
    if (top.value(best[i - 1]) < top.value(best[i])) return false;
  const std::set<ItemNumber> in(best.begin(), best.end());
  std::size_t clicked = 0;
  for (ItemNumber item = 0; item < items; ++item) {
    if (top.value(item) == 0) continue;
    ++clicked;
    if (!in.contains(item) && top.value(item) > top.value(best.back())) return false;
  }
  return in.size() == best.size() && best.size() == std::min(clicked, kept);
}

// Popular items are clicked more often.
ItemNumber some_item(std::mt19937& random, std::uint32_t items)
{
  return std::min({random() % items, random() % items, random() % items});
}

} // namespace

BOOST_AUTO_TEST_SUITE(popularity)

BOOST_AUTO_TEST_CASE(values_are_those_of_a_naive_decay_and_the_best_are_exact)
{
  BOOST_TEST(rc::check([] {
    std::mt19937 random(*rc::gen::arbitrary<unsigned>());
    const auto items = *rc::gen::inRange<std::uint32_t>(1, 60);
    const auto kept = *rc::gen::inRange<std::size_t>(1, 20);
    const auto growth = *rc::gen::element(1.0001, 1.01, 1.5);
    DecayingTop top(growth, kept);
    NaiveTop naive(growth, items);
    for (int i = *rc::gen::inRange(0, 500); i-- > 0;) {
      const auto item = some_item(random, items);
      top.hit(item);
      naive.hit(item);
      RC_ASSERT(best_are_best(top, items, kept));
    }
    for (ItemNumber item = 0; item < items; ++item) RC_ASSERT(close(top.value(item), naive.values()[item]));
  }));
}

// The common scale passes every bound several times.
BOOST_AUTO_TEST_CASE(values_stay_right_over_any_number_of_clicks)
{
  std::mt19937 random(2);
  DecayingTop top(1.5, 8);
  NaiveTop naive(1.5, 40);
  for (int i = 0; i < 20'000; ++i) {
    const auto item = some_item(random, 40);
    top.hit(item);
    naive.hit(item);
  }
  for (ItemNumber item = 0; item < 40; ++item) BOOST_TEST(close(top.value(item), naive.values()[item]));
  BOOST_TEST(best_are_best(top, 40, 8));
}

BOOST_AUTO_TEST_CASE(a_click_counts_half_after_the_half_life_of_its_window)
{
  const std::pair<Window, int> half_lives[]{
      {Window::faster, 50}, {Window::fast, 500}, {Window::middle, 5'000}, {Window::slow, 50'000}};
  for (const auto& [window, half_life] : half_lives) {
    Popularity popularity;
    popularity.hit(7);
    for (int i = 0; i < half_life; ++i) popularity.hit(static_cast<ItemNumber>(8 + i % 3));
    BOOST_TEST(popularity[window].value(7) == 0.5, boost::test_tools::tolerance(1e-9));
  }
}

BOOST_AUTO_TEST_CASE(what_was_restored_goes_on_as_what_was_kept)
{
  BOOST_TEST(rc::check([] {
    std::mt19937 random(*rc::gen::arbitrary<unsigned>());
    DecayingTop top(1.01, 5);
    DecayingTop back(1.01, 5);
    const auto click = [&] { return some_item(random, 30); };
    for (int i = *rc::gen::inRange(0, 200); i-- > 0;) top.hit(click());
    back.restore(top.content());
    for (int i = *rc::gen::inRange(0, 200); i-- > 0;) {
      const auto item = click();
      top.hit(item);
      back.hit(item);
    }
    for (ItemNumber item = 0; item < 30; ++item) RC_ASSERT(back.value(item) == top.value(item));
    RC_ASSERT(std::equal(back.best().begin(), back.best().end(), top.best().begin(), top.best().end()));
  }));
}

BOOST_AUTO_TEST_CASE(what_was_never_clicked_has_no_value_and_is_not_among_the_best)
{
  Popularity popularity;
  BOOST_TEST(popularity[Window::fast].value(3) == 0.0);
  popularity.hit(9);
  BOOST_TEST(popularity[Window::fast].value(3) == 0.0);
  BOOST_TEST(popularity[Window::fast].best().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
