#include "core/crowd.h"

#include <rapidcheck.h>
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <set>

#include "core/event_json.h"

namespace attune {
namespace {

// Each tenth item has the two behind it for accessories.
std::vector<CatalogItem> catalog_of(std::size_t n)
{
  std::vector<CatalogItem> items(n);
  for (std::size_t i = 0; i < n; ++i) {
    items[i].item = ItemId("i" + std::to_string(i));
    items[i].categories = {"kind-" + std::to_string(i % 7), "department-" + std::to_string(i % 5)};
    items[i].price = Money{static_cast<std::int64_t>(i + 1) * 1'000'000};
    items[i].currency = *parse_currency("EUR");
    if (i % 10 == 0)
      for (std::size_t k = 1; k <= 2; ++k)
        items[i].accessories.emplace_back("i" + std::to_string(i + k)); // the last may not be there
  }
  return items;
}

std::vector<Event> made(std::size_t items, const CrowdOptions& options, std::size_t count)
{
  Crowd crowd(catalog_of(items), options);
  std::vector<Event> events(count);
  for (auto& event : events) crowd.next(event);
  return events;
}

CrowdOptions drawn()
{
  CrowdOptions options;
  options.seed = *rc::gen::arbitrary<std::uint64_t>();
  options.customers = *rc::gen::inRange<std::size_t>(1, 500);
  options.visits = *rc::gen::element(0.01, 0.5, 20.0);
  options.bots = *rc::gen::element(0.0, 0.01, 0.5);
  return options;
}

template <class Check>
void check(const char* what, const Check& property)
{
  BOOST_TEST(rc::check(what, property));
}

} // namespace

BOOST_AUTO_TEST_SUITE(crowd)

BOOST_AUTO_TEST_CASE(the_same_seed_is_the_same_crowd_and_a_longer_run_begins_as_a_shorter_one)
{
  check("same bytes", [] {
    const auto options = drawn();
    const auto items = *rc::gen::inRange<std::size_t>(2, 200);
    const auto longer = made(items, options, 300);
    const auto shorter = made(items, options, 100);
    RC_ASSERT(std::equal(shorter.begin(), shorter.end(), longer.begin()));
    auto with_truth = options;
    with_truth.truth = true; // asking changes nothing
    RC_ASSERT(made(items, with_truth, 300) == longer);
    auto other = options;
    ++other.seed;
    RC_ASSERT(made(items, other, 300) != longer);
  });
}

BOOST_AUTO_TEST_CASE(every_event_is_whole_in_the_order_of_time_and_has_an_id_of_its_own)
{
  check("events", [] {
    const auto events = made(*rc::gen::inRange<std::size_t>(2, 200), drawn(), 500);
    std::set<std::string> ids;
    Timestamp last{0};
    EventParser parser;
    for (const auto& event : events) {
      RC_ASSERT(ids.insert(event.id.text).second);
      RC_ASSERT(*event.time >= last);
      last = *event.time;
      std::string json;
      append_event_json(event, json);
      Event read;
      RC_ASSERT(parser.parse(json, read).ok());
      RC_ASSERT(read == event);
    }
  });
}

BOOST_AUTO_TEST_CASE(what_is_bought_was_in_the_cart_and_what_is_sent_back_was_bought)
{
  std::map<std::string, std::set<std::string>> carts, orders; // by session; by order
  std::size_t bought = 0, returned = 0;
  for (const auto& event : made(100, {}, 200'000)) {
    auto& cart = carts[event.session.text];
    if (event.type == EventType::cart_add) BOOST_TEST_REQUIRE(cart.insert(event.item.text).second);
    if (event.type == EventType::cart_remove) BOOST_TEST_REQUIRE(cart.erase(event.item.text) == 1U);
    if (event.type == EventType::purchase) {
      ++bought;
      BOOST_TEST_REQUIRE(event.items.size() == cart.size());
      for (const auto& line : event.items) {
        BOOST_TEST_REQUIRE(cart.contains(line.item.text));
        orders[event.order.text].insert(line.item.text);
      }
    }
    if (event.type == EventType::refund) {
      ++returned;
      BOOST_TEST_REQUIRE(orders[event.order.text].contains(event.items.front().item.text));
    }
  }
  BOOST_TEST(bought > 1000U);
  BOOST_TEST(returned > bought / 100);
  BOOST_TEST(returned < bought / 15);
}

BOOST_AUTO_TEST_CASE(bots_are_as_many_as_was_asked_for_and_buy_nothing)
{
  CrowdOptions options;
  options.bots = 0.2;
  std::set<std::string> visits, of_bots;
  for (const auto& event : made(100, options, 300'000)) {
    visits.insert(event.session.text);
    if (!event.customer.text.starts_with("bot-")) continue;
    of_bots.insert(event.session.text);
    BOOST_TEST_REQUIRE((event.type == EventType::view));
  }
  BOOST_TEST(static_cast<double>(of_bots.size()) / static_cast<double>(visits.size()) == 0.2, boost::test_tools::tolerance(0.1));
}

BOOST_AUTO_TEST_CASE(whoever_has_a_thing_looks_at_what_goes_with_it)
{
  std::map<std::string, std::string> added; // by session: the thing with accessories that went into the cart last
  std::size_t looks = 0, at_accessories = 0;
  for (const auto& event : made(100, {}, 200'000)) {
    const auto number = std::stoul(event.item.text.empty() ? "1" : event.item.text.substr(1));
    if (event.type == EventType::cart_add && number % 10 == 0) added[event.session.text] = event.item.text;
    if (event.type != EventType::view || !added.contains(event.session.text)) continue;
    const auto owner = std::stoul(added[event.session.text].substr(1));
    ++looks;
    at_accessories += number == owner + 1 || number == owner + 2;
    if (number % 10 == 0) added.erase(event.session.text); // it is about something else now
  }
  BOOST_TEST(looks > 1000U);
  BOOST_TEST(at_accessories * 3 > looks);
}

BOOST_AUTO_TEST_CASE(the_truth_is_what_happens)
{
  // Hits and reciprocal ranks as often as expected, within four standard errors, also where bots are many and where departments are all alike.
  for (const double bots : {0.0, 0.3}) {
    CrowdOptions options;
    options.truth = true;
    options.bots = bots;
    Crowd crowd(catalog_of(150), options);
    Event event;
    double hits = 0, ranks = 0, expected_hits = 0, expected_ranks = 0, spread = 0, looks = 0;
    for (int i = 0; i < 100'000; ++i) {
      crowd.next(event);
      const auto* truth = crowd.truth();
      if (!truth) continue;
      BOOST_TEST_REQUIRE((event.type == EventType::view));
      BOOST_TEST_REQUIRE(truth->best.size() == CrowdTruth::kMost);
      ++looks;
      const double hit = truth->expected_hit();
      BOOST_TEST_REQUIRE(hit < 1.0000001);
      expected_hits += hit;
      expected_ranks += truth->expected_reciprocal_rank();
      spread += hit * (1 - hit);
      hits += truth->rank > 0;
      ranks += truth->rank > 0 ? 1.0 / static_cast<double>(truth->rank) : 0;
      if (truth->rank > 0) {
        const auto& chance = truth->best[truth->rank - 1];
        BOOST_TEST_REQUIRE(crowd.catalog()[chance.item].item.text == event.item.text);
        BOOST_TEST_REQUIRE(std::abs(chance.probability - truth->probability) < 1e-12);
      }
    }
    BOOST_TEST(looks > 50'000);
    BOOST_TEST(std::abs(hits - expected_hits) < 4 * std::sqrt(spread));
    BOOST_TEST(std::abs(ranks - expected_ranks) < 4 * std::sqrt(looks) * 0.5);
  }
}

BOOST_AUTO_TEST_CASE(the_chances_of_all_items_are_one)
{
  // With no more than 21 items the one looked at last is all that `best` leaves out.
  CrowdOptions options;
  options.truth = true;
  options.bots = 0.1;
  Crowd crowd(catalog_of(21), options);
  Event event;
  for (int i = 0; i < 20'000; ++i) {
    crowd.next(event);
    if (const auto* truth = crowd.truth()) BOOST_TEST_REQUIRE(std::abs(truth->expected_hit() - 1) < 1e-9);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
