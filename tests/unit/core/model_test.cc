#include "core/model.h"

#include <rapidcheck.h>
#include <xxhash.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <random>

#include "core/model_index.h"
#include "support/clicks.h"
#include "support/event_generators.h"

using namespace attune;
using namespace attune::testing;

namespace {

Model trained(const std::vector<Event>& events)
{
  Model model;
  for (const auto& event : events) model.learn(event);
  model.freeze();
  return model;
}

// Few ids, so that events of one id and different content happen; few minutes, so that times are equal.
std::vector<Event> some_events()
{
  EventKnobs knobs;
  knobs.customers = 4;
  knobs.ids = *rc::gen::element(0, 30);
  knobs.to = Timestamp{knobs.from.ms + *rc::gen::element<std::int64_t>(10, 60'000, 4 * 3600'000, 90LL * 24 * 3600'000)};
  return *rc::gen::resize(60, rc::gen::container<std::vector<Event>>(gen_event(knobs)));
}

Event viewed(std::string_view customer, std::string_view id, std::int64_t ms, std::string_view item)
{
  Event event;
  event.customer = CustomerId(customer);
  event.id = EventId(id);
  event.time = Timestamp{ms};
  event.item = ItemId(item);
  return event;
}

constexpr std::int64_t kIdle = 30 * 60'000;

std::string with_checksum(std::string bytes)
{
  const auto sum = XXH3_64bits(bytes.data(), bytes.size() - 8);
  std::memcpy(bytes.data() + bytes.size() - 8, &sum, 8);
  return bytes;
}

Model small_model()
{
  auto model = model_of({"lamp desk lamp", "desk chair", "sofa"});
  model.positions = {{{"cart_events", 0}, 7}, {{"customer_clicks", 1}, 300}};
  return model;
}

} // namespace

BOOST_AUTO_TEST_SUITE(model)

BOOST_AUTO_TEST_CASE(order_and_repetition_change_no_byte)
{
  BOOST_TEST(rc::check([] {
    const auto events = some_events();
    auto again = events;
    for (const auto& event : events)
      if (*rc::gen::arbitrary<bool>()) again.push_back(event);
    std::shuffle(again.begin(), again.end(), std::mt19937(*rc::gen::arbitrary<unsigned>()));
    RC_ASSERT(bytes_of(trained(events)) == bytes_of(trained(again)));
  }));
}

BOOST_AUTO_TEST_CASE(freezing_between_events_changes_no_byte)
{
  BOOST_TEST(rc::check([] {
    const auto events = some_events();
    Model model;
    for (const auto& event : events) {
      model.learn(event);
      if (*rc::gen::inRange(0, 4) == 0) model.freeze();
    }
    model.freeze();
    RC_ASSERT(bytes_of(model) == bytes_of(trained(events)));
  }));
}

BOOST_AUTO_TEST_CASE(merged_parts_are_the_whole)
{
  BOOST_TEST(rc::check([] {
    const auto events = some_events();
    Model left;
    Model right;
    for (const auto& event : events) {
      const bool first = std::hash<std::string>{}(event.customer.text) % 2 == 0;
      (first ? left : right).learn(event);
      if (*rc::gen::inRange(0, 8) == 0) (first ? left : right).learn(event);
    }
    if (*rc::gen::arbitrary<bool>()) left.freeze();
    if (*rc::gen::arbitrary<bool>()) right.freeze();
    left.merge(right);
    left.freeze();
    RC_ASSERT(bytes_of(left) == bytes_of(trained(events)));
  }));
}

BOOST_AUTO_TEST_CASE(a_file_gives_back_the_model_that_then_learns_on)
{
  BOOST_TEST(rc::check([] {
    const auto events = some_events();
    const auto half = events.begin() + static_cast<std::ptrdiff_t>(events.size() / 2);
    const auto model = trained({events.begin(), half});
    auto back = Model::decode(bytes_of(model));
    RC_ASSERT(back.ok());
    RC_ASSERT(bytes_of(*back) == bytes_of(model));
    RC_ASSERT(back->name() == model.name());
    RC_ASSERT(back->index().table == model.index().table);
    for (auto event = half; event != events.end(); ++event) back->learn(*event);
    back->freeze();
    RC_ASSERT(bytes_of(*back) == bytes_of(trained(events)));
  }));
}

BOOST_AUTO_TEST_CASE(positions_are_in_the_file_and_not_in_the_name)
{
  const auto model = small_model();
  const auto back = Model::decode(bytes_of(model));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST((back->positions == model.positions));
  BOOST_TEST(model.name() == model_of({"lamp desk lamp", "desk chair", "sofa"}).name());
  BOOST_TEST(model.name() != model_of({"lamp desk lamp", "desk chair", "bed"}).name());
  BOOST_TEST(model.name().size() == 16U);
}

BOOST_AUTO_TEST_CASE(merging_keeps_the_smaller_position_of_a_partition)
{
  Model a;
  a.positions = {{{"t", 0}, 5}, {{"t", 1}, 9}};
  Model b;
  b.positions = {{{"s", 0}, 1}, {{"t", 0}, 3}};
  a.merge(b);
  const std::vector<LogPosition> expected{{{"s", 0}, 1}, {{"t", 0}, 3}, {{"t", 1}, 9}};
  BOOST_TEST((a.positions == expected));
}

BOOST_AUTO_TEST_CASE(a_file_with_one_byte_changed_is_refused)
{
  const auto bytes = bytes_of(small_model());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int bit : {0, 3, 7}) {
      auto damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      const auto read = Model::decode(damaged);
      BOOST_TEST_REQUIRE(!read.ok(), "byte " << i);
      BOOST_TEST((read.error().code == Code::bad_data));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_file_cut_short_or_made_longer_is_refused)
{
  const auto bytes = bytes_of(small_model());
  for (std::size_t size = 0; size < bytes.size(); ++size) BOOST_TEST_REQUIRE(!Model::decode(bytes.substr(0, size)).ok(), size);
  BOOST_TEST(!Model::decode(bytes + "x").ok());
}

BOOST_AUTO_TEST_CASE(a_damaged_file_under_a_right_checksum_is_refused_or_means_what_it_says)
{
  const auto bytes = bytes_of(small_model());
  for (std::size_t i = 16; i + 8 < bytes.size(); ++i) {
    for (const int value : {0, 1, 0x7F, 0x80, 0xFF}) {
      auto damaged = bytes;
      damaged[i] = static_cast<char>(value);
      damaged = with_checksum(damaged);
      const auto read = Model::decode(damaged);
      if (read.ok()) BOOST_TEST_REQUIRE(bytes_of(*read) == damaged, "byte " << i);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_file_is_said)
{
  BOOST_TEST(Model::decode("").error().message == "not an attune model");
  BOOST_TEST(Model::decode("{\"id\":1}").error().message == "not an attune model");
  BOOST_TEST(Model::decode("attune model").error().message == "cut short");
  auto other = bytes_of(small_model());
  other[12] = 9;
  BOOST_TEST(Model::decode(other).error().message == "format version 9, this program reads 1");
  auto damaged = bytes_of(small_model());
  damaged[30] = static_cast<char>(damaged[30] ^ 1);
  BOOST_TEST(Model::decode(damaged).error().message == "damaged or cut short: the checksum differs");
}

BOOST_AUTO_TEST_CASE(an_empty_model_is_a_model)
{
  const Model model;
  const auto back = Model::decode(bytes_of(model));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(back->holdings().clicks == 0U);
  BOOST_TEST(!back->holdings().newest.has_value());
}

BOOST_AUTO_TEST_CASE(options_travel_in_the_file)
{
  ModelOptions options;
  options.idle = Milliseconds(5000);
  options.last_items = 3;
  const auto back = Model::decode(bytes_of(Model(options)));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST((back->options() == options));
  options.last_items = 33;
  BOOST_TEST(!options.valid());
}

BOOST_AUTO_TEST_CASE(clicks_without_a_session_id_are_cut_where_the_gap_is_over_the_idle_limit)
{
  const std::vector<Event> events{viewed("c", "1", 0, "a"), viewed("c", "2", kIdle, "b"), viewed("c", "3", 2 * kIdle + 1, "c"),
                                  viewed("d", "4", 2 * kIdle + 1, "c")};
  BOOST_TEST(trained(events).holdings().sessions == 3U);
}

BOOST_AUTO_TEST_CASE(a_late_click_joins_the_sessions_it_stands_between)
{
  Model model;
  model.learn(viewed("c", "1", 0, "a"));
  model.learn(viewed("c", "2", 2 * kIdle, "b"));
  model.freeze();
  BOOST_TEST(model.holdings().sessions == 2U);
  model.learn(viewed("c", "3", kIdle, "x"));
  model.freeze();
  BOOST_TEST(model.holdings().sessions == 1U);
}

BOOST_AUTO_TEST_CASE(one_session_id_is_one_session_of_its_customer_whatever_the_gap)
{
  auto early = viewed("c", "1", 0, "a");
  auto late = viewed("c", "2", 100 * kIdle, "b");
  auto other = viewed("d", "3", 0, "a");
  for (auto* event : {&early, &late, &other}) event->session = SessionId("s");
  BOOST_TEST(trained({early, late, other}).holdings().sessions == 2U);
}

BOOST_AUTO_TEST_CASE(of_different_events_of_one_id_the_earlier_stays)
{
  const auto early = viewed("c", "1", 10, "a");
  const auto late = viewed("d", "1", 20, "b");
  const auto model = trained({late, early});
  BOOST_TEST(model.holdings().clicks == 1U);
  BOOST_TEST(model.holdings().repeated == 1U);
  BOOST_TEST(model.holdings().items == 1U);
  BOOST_TEST(bytes_of(model) == bytes_of(trained({early})));
}

BOOST_AUTO_TEST_CASE(a_purchase_is_a_click_on_each_line_and_other_types_are_read_over)
{
  Event order = viewed("c", "1", 0, "");
  order.type = EventType::purchase;
  order.items = {{ItemId("a"), 1, {}}, {ItemId("b"), 2, {}}, {ItemId("a"), 1, {}}};
  Event cart = viewed("c", "2", 1, "c");
  cart.type = EventType::cart_add;
  BOOST_TEST(trained({order, cart}).holdings().clicks == 4U);

  auto event = viewed("c", "3", 2, "d");
  for (const auto type : {EventType::search, EventType::cart_remove, EventType::refund, EventType::impression, EventType::custom}) {
    event.type = type;
    BOOST_TEST(trained({event}).holdings().clicks == 0U);
  }
}

BOOST_AUTO_TEST_CASE(holdings_count_what_was_learned)
{
  const auto holdings = model_of({"lamp desk lamp", "desk chair"}).holdings();
  BOOST_TEST(holdings.clicks == 5U);
  BOOST_TEST(holdings.sessions == 2U);
  BOOST_TEST(holdings.items == 3U);
  BOOST_TEST(holdings.oldest->ms == kFirstMinute);
  BOOST_TEST(holdings.newest->ms == kFirstMinute + 4 * 60'000);
}

BOOST_AUTO_TEST_SUITE_END()
