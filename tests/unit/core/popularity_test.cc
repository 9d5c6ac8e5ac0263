#include "core/popularity.h"

#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <set>

using namespace attune;

namespace {

constexpr std::array<double, kWindows> kHalfLives{50, 500, 5'000, 50'000};
constexpr std::array<Window, kWindows> kAll{Window::faster, Window::fast, Window::middle, Window::slow};

class Naive {
 public:
  explicit Naive(std::size_t items) : values_(items) {}

  void hit(ItemNumber item)
  {
    for (auto& value : values_)
      for (std::size_t w = 0; w < kWindows; ++w) value[w] *= std::exp2(-1 / kHalfLives[w]);
    for (auto& value : values_[item]) value += 1;
  }
  [[nodiscard]] double value(Window window, ItemNumber item) const { return values_[item][static_cast<std::size_t>(window)]; }

 private:
  std::vector<std::array<double, kWindows>> values_;
};

bool close(double a, double b)
{
  return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

// Best first, none twice, and nothing outside above the last.
bool best_are_best(const Popularity& popularity, Window window, std::size_t items)
{
  const auto best = popularity.best(window);
  const auto value = [&](ItemNumber item) { return popularity.value(window, item); };
  for (std::size_t i = 1; i < best.size(); ++i)
    if (value(best[i - 1]) < value(best[i])) return false;
  const std::set<ItemNumber> in(best.begin(), best.end());
  std::size_t clicked = 0;
  for (ItemNumber item = 0; item < items; ++item) {
    if (value(item) == 0) continue;
    ++clicked;
    if (!in.contains(item) && value(item) > value(best.back())) return false;
  }
  if (!best.empty() && popularity.best_value(window) != value(best.front())) return false;
  return in.size() == best.size() && best.size() == std::min(clicked, kPopularKept);
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
    const auto items = *rc::gen::element<std::uint32_t>(1, 60, 400);
    Popularity popularity;
    Naive naive(items);
    for (int i = *rc::gen::inRange(0, 900); i-- > 0;) {
      const auto item = some_item(random, items);
      popularity.hit(item);
      naive.hit(item);
      for (const auto window : kAll) RC_ASSERT(i % 10 != 0 || best_are_best(popularity, window, items));
    }
    for (const auto window : kAll)
      for (ItemNumber item = 0; item < items; ++item) RC_ASSERT(close(popularity.value(window, item), naive.value(window, item)));
  }));
}

// The common scale of the fastest window passes every bound several times.
BOOST_AUTO_TEST_CASE(values_stay_right_over_any_number_of_clicks)
{
  std::mt19937 random(2);
  Popularity popularity;
  Naive naive(150);
  for (int i = 0; i < 120'000; ++i) {
    const auto item = some_item(random, 150);
    popularity.hit(item);
    naive.hit(item);
  }
  for (const auto window : kAll) {
    for (ItemNumber item = 0; item < 150; ++item) BOOST_TEST(close(popularity.value(window, item), naive.value(window, item)));
    BOOST_TEST(best_are_best(popularity, window, 150));
  }
}

BOOST_AUTO_TEST_CASE(a_value_is_that_of_the_item_times_the_scale_of_the_window)
{
  Popularity popularity;
  for (ItemNumber i = 0; i < 500; ++i) popularity.hit(i % 40);
  for (const auto window : kAll) {
    const auto w = static_cast<std::size_t>(window);
    BOOST_TEST(close(popularity.values(3)[w] * popularity.scales()[w], popularity.value(window, 3)));
  }
}

BOOST_AUTO_TEST_CASE(what_was_restored_goes_on_as_what_was_kept)
{
  BOOST_TEST(rc::check([] {
    std::mt19937 random(*rc::gen::arbitrary<unsigned>());
    Popularity popularity;
    Popularity back;
    for (int i = *rc::gen::inRange(0, 400); i-- > 0;) popularity.hit(some_item(random, 200));
    back.restore(popularity.content());
    for (int i = *rc::gen::inRange(0, 400); i-- > 0;) {
      const auto item = some_item(random, 200);
      popularity.hit(item);
      back.hit(item);
    }
    for (const auto window : kAll) {
      for (ItemNumber item = 0; item < 200; ++item) RC_ASSERT(back.value(window, item) == popularity.value(window, item));
      const auto ours = popularity.best(window);
      const auto theirs = back.best(window);
      RC_ASSERT(std::equal(theirs.begin(), theirs.end(), ours.begin(), ours.end()));
    }
  }));
}

BOOST_AUTO_TEST_CASE(what_was_never_clicked_has_no_value_and_is_not_among_the_best)
{
  Popularity popularity;
  BOOST_TEST(popularity.value(Window::fast, 3) == 0.0);
  BOOST_TEST(popularity.best_value(Window::fast) == 0.0);
  popularity.hit(9);
  BOOST_TEST(popularity.value(Window::fast, 3) == 0.0);
  BOOST_TEST(popularity.best(Window::fast).size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
