#include "core/event.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <functional>

#include "core/event_json.h"
#include "support/event_generators.h"

using namespace attune;

namespace {

constexpr Timestamp kNow{1'700'000'000'000};

Event view()
{
  Event event;
  event.type = EventType::view;
  event.customer = CustomerId("c1");
  event.item = ItemId("i1");
  return event;
}

Event purchase()
{
  Event event;
  event.type = EventType::purchase;
  event.customer = CustomerId("c1");
  event.order = OrderId("o1");
  event.items = {{ItemId("i1"), 2, Money{5'000'000}}, {ItemId("i2"), 0, std::nullopt}};
  return event;
}

Event of_type(EventType type)
{
  Event event = view();
  event.item = {};
  event.type = type;
  return event;
}

std::string fault(const Event& event)
{
  const auto result = validate(event);
  return result ? "" : result.error().text();
}

std::string completed(Event& event, const Entry& entry = {kNow, {}, {}})
{
  const auto result = complete(event, entry);
  return result ? (*result ? "changed" : "unchanged") : result.error().text();
}

std::string id_of(Event event, const Entry& entry = {kNow, {}, {}})
{
  BOOST_REQUIRE(complete(event, entry).ok());
  return event.id.text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(event)

BOOST_AUTO_TEST_CASE(every_type_has_a_name_that_names_it)
{
  for (int number = 1; number <= 11; ++number) {
    const auto type = static_cast<EventType>(number);
    BOOST_TEST((parse_type(type_name(type)) == std::optional(type)));
  }
  BOOST_TEST((parse_type("x.A-b_9.c") == std::optional(EventType::custom)));
  for (const char* name : {"", "x", "x.", "x.a b", "x.\xc3\xa9", "View", "views", "X.a", "custom"}) {
    BOOST_TEST_CONTEXT(name)
    {
      BOOST_TEST(!parse_type(name).has_value());
    }
  }
  BOOST_TEST(!parse_type("x." + std::string(255, 'a')).has_value());
  Event custom = of_type(EventType::custom);
  custom.custom_type = "x.page";
  BOOST_TEST(type_name(custom) == "x.page");
}

BOOST_AUTO_TEST_CASE(each_type_travels_in_its_topic)
{
  const std::pair<EventType, std::string_view> cases[] = {
      {EventType::view, "customer_clicks"},      {EventType::click, "customer_clicks"},
      {EventType::search, "customer_clicks"},    {EventType::impression, "customer_clicks"},
      {EventType::custom, "customer_clicks"},    {EventType::cart_add, "cart_events"},
      {EventType::cart_remove, "cart_events"},   {EventType::purchase, "purchase_events"},
      {EventType::refund, "purchase_events"},    {EventType::identify, "customer_identity"},
      {EventType::consent, "customer_identity"}, {EventType::forget, "customer_identity"}};
  for (const auto& [type, topic] : cases) {
    BOOST_TEST(topic_of(type) == topic);
  }
}

BOOST_AUTO_TEST_CASE(a_namespace_stands_before_the_topic)
{
  BOOST_TEST(in_namespace("shop", kCartTopic) == "shop.cart_events");
  BOOST_TEST(in_namespace("", kCartTopic) == "cart_events");
  BOOST_TEST(valid_namespace("shop-1"));
  for (const char* name : {"", "Shop", "a.b", "a_b", "a b", "\xc3\xa9"}) {
    BOOST_TEST_CONTEXT(name)
    {
      BOOST_TEST(!valid_namespace(name));
    }
  }
}

BOOST_AUTO_TEST_CASE(clear_leaves_an_event_like_a_new_one)
{
  Event event = purchase();
  event.id = EventId("e");
  event.time = event.sent = kNow;
  event.session = SessionId("s");
  event.item = ItemId("i");
  event.category = "c";
  event.quantity = 1;
  event.price = Money{1};
  event.currency = *parse_currency("EUR");
  event.query = "q";
  event.alias = CustomerId("a");
  event.recommendation = RecommendationId("r");
  event.granted = true;
  event.properties = "{}";
  event.custom_type = "x.a";
  event.slot = Slot("s");
  event.clear();
  BOOST_TEST((event == Event{}));
}

BOOST_AUTO_TEST_CASE(rules_that_span_fields_name_the_field_and_the_reason)
{
  struct Case {
    const char* reason;
    std::function<void(Event&)> change;
    Event event = view();
  };
  const auto line = [](std::int64_t quantity, std::int64_t micro) { return Line{ItemId("i"), quantity, Money{micro}}; };
  const Case cases[] = {
      {"", [](Event&) {}},
      {"customer: missing", [](Event& e) { e.customer = {}; }},
      {"item: missing", [](Event& e) { e.item = {}; }},
      {"item: missing", [](Event& e) { e.item = {}; },
       [] {
         Event e = view();
         e.type = EventType::click;
         return e;
       }()},
      {"item: missing", [](Event&) {}, of_type(EventType::cart_add)},
      {"item: missing", [](Event&) {}, of_type(EventType::cart_remove)},
      {"order: only purchase and refund", [](Event& e) { e.order = OrderId("o"); }},
      {"query: only search", [](Event& e) { e.query = "q"; }},
      {"alias: only identify", [](Event& e) { e.alias = CustomerId("a"); }},
      {"granted: only consent", [](Event& e) { e.granted = true; }},
      {"items: only purchase, refund and impression",
       [](Event& e) {
         e.items = {{ItemId("i"), 0, {}}};
       }},
      {"", [](Event&) {}, purchase()},
      {"items: missing", [](Event& e) { e.items.clear(); }, purchase()},
      {"",
       [](Event& e) {
         e.items.clear();
         e.item = ItemId("i");
         e.quantity = 3;
         e.price = Money{1};
       },
       purchase()},
      {"items: given beside item", [](Event& e) { e.item = ItemId("i"); }, purchase()},
      {"quantity: given beside items", [](Event& e) { e.quantity = 1; }, purchase()},
      {"price: given beside items", [](Event& e) { e.price = Money{1}; }, purchase()},
      {"items: missing", [](Event&) {}, of_type(EventType::refund)},
      {"items: missing", [](Event&) {}, of_type(EventType::impression)},
      {"items[1].quantity: not in an impression",
       [](Event& e) {
         e.items = {{ItemId("i"), 0, {}}, {ItemId("i"), 1, {}}};
       },
       of_type(EventType::impression)},
      {"items[0].price: not in an impression",
       [](Event& e) {
         e.items = {{ItemId("i"), 0, Money{1}}};
       },
       of_type(EventType::impression)},
      {"query: missing", [](Event&) {}, of_type(EventType::search)},
      {"", [](Event& e) { e.query = "q"; }, of_type(EventType::search)},
      {"", [](Event& e) { e.category = "c"; }, of_type(EventType::search)},
      {"", [](Event& e) { e.item = ItemId("i"); }, of_type(EventType::search)},
      {"alias: missing", [](Event&) {}, of_type(EventType::identify)},
      {"alias: is the customer", [](Event& e) { e.alias = e.customer; }, of_type(EventType::identify)},
      {"", [](Event& e) { e.alias = CustomerId("anon"); }, of_type(EventType::identify)},
      {"granted: missing", [](Event&) {}, of_type(EventType::consent)},
      {"", [](Event& e) { e.granted = false; }, of_type(EventType::consent)},
      {"", [](Event&) {}, of_type(EventType::forget)},
      {"price: total overflows",
       [](Event& e) {
         e.price = Money{kMaxPriceMicro};
         e.quantity = kMaxQuantity;
       }},
      {"items: total overflows", [line](Event& e) { e.items = {line(kMaxQuantity, kMaxPriceMicro)}; }, purchase()},
      {"", [line](Event& e) { e.items = {line(9'223, kMaxPriceMicro)}; }, purchase()},
      {"items: total overflows",
       [line](Event& e) {
         e.items = {line(9'223, kMaxPriceMicro), line(1, kMaxPriceMicro)};
       },
       purchase()},
  };
  for (const Case& item : cases) {
    Event event = item.event;
    item.change(event);
    BOOST_TEST(fault(event) == item.reason);
  }
}

BOOST_AUTO_TEST_CASE(an_order_line_without_a_quantity_is_one_of_it)
{
  const auto lines = lines_of(purchase());
  BOOST_TEST(lines.size() == 2U);
  BOOST_TEST(lines[0].quantity == 2);
  BOOST_TEST(lines[1].quantity == 1);
  Event one = purchase();
  one.items.clear();
  one.item = ItemId("i9");
  one.price = Money{7};
  BOOST_TEST((lines_of(one) == std::vector<Line>{{ItemId("i9"), 1, Money{7}}}));
}

BOOST_AUTO_TEST_CASE(a_whole_event_passes_through_unchanged)
{
  Event event = view();
  event.id = EventId("e1");
  event.time = kNow;
  const Event before = event;
  BOOST_TEST(completed(event) == "unchanged");
  BOOST_TEST((event == before));
}

BOOST_AUTO_TEST_CASE(the_id_of_an_event_with_a_time_is_a_hash_of_what_was_given)
{
  Event event = view();
  event.time = kNow;
  const std::string id = id_of(event);
  // The first 16 bytes of SHA-256 of {"customer":"c1","item":"i1","time":1700000000000,"type":"view"}, by sha256sum.
  BOOST_TEST(id == "706ddb0d2079625a6a0d599b7435f3de");
  BOOST_TEST(id_of(event, {kNow + Milliseconds(99), {1, 2, 3}, *parse_currency("EUR")}) == id);
  event.sent = kNow + std::chrono::hours(1);
  BOOST_TEST(id_of(event) == id);
  event.properties = R"({"b":1,"a":2})";
  const std::string with_properties = id_of(event);
  BOOST_TEST(with_properties != id);
  event.properties = R"({ "a": 2.0, "b": 1 })";
  BOOST_TEST(id_of(event) == with_properties);
}

BOOST_AUTO_TEST_CASE(the_currency_a_program_adds_does_not_change_the_id)
{
  Event event = view();
  event.time = kNow;
  event.price = Money{1};
  const std::string id = id_of(event);
  BOOST_TEST(id_of(event, {kNow, {}, *parse_currency("EUR")}) == id);
}

BOOST_AUTO_TEST_CASE(a_reloaded_thank_you_page_is_the_same_order)
{
  const std::string id = id_of(purchase());
  Event again = purchase();
  again.time = kNow - std::chrono::minutes(3);
  again.session = SessionId("s2");
  again.currency = *parse_currency("EUR");
  again.items[1].quantity = 1;
  BOOST_TEST(id_of(again) == id);
  again.items[1].quantity = 2;
  BOOST_TEST(id_of(again) != id);
  Event refund = purchase();
  refund.type = EventType::refund;
  BOOST_TEST(id_of(refund) != id);
}

BOOST_AUTO_TEST_CASE(one_line_written_either_way_is_the_same_order)
{
  Event as_items = purchase();
  as_items.items = {{ItemId("i1"), 1, Money{5}}};
  Event as_item = purchase();
  as_item.items.clear();
  as_item.item = ItemId("i1");
  as_item.price = Money{5};
  BOOST_TEST(id_of(as_items) == id_of(as_item));
}

BOOST_AUTO_TEST_CASE(two_orders_without_a_number_are_told_apart_by_their_times)
{
  Event first = purchase();
  first.order = {};
  first.time = kNow;
  Event second = first;
  second.time = kNow - Milliseconds(1);
  BOOST_TEST(id_of(first) != id_of(second));
}

BOOST_AUTO_TEST_CASE(an_event_with_neither_id_nor_time_gets_a_uuid_of_version_7_and_now)
{
  Event event = view();
  BOOST_TEST(completed(event, {Timestamp{0x0123456789AB}, {0xFF, 0xEE, 0xFF, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07}, {}}) ==
             "changed");
  BOOST_TEST(event.id.text == "01234567-89ab-7fee-bf01-020304050607");
  BOOST_TEST(event.time->ms == 0x0123456789AB);
}

BOOST_AUTO_TEST_CASE(an_id_without_a_time_happened_now)
{
  Event event = view();
  event.id = EventId("mine");
  BOOST_TEST(completed(event) == "changed");
  BOOST_TEST(event.id.text == "mine");
  BOOST_TEST((event.time == std::optional(kNow)));
}

BOOST_AUTO_TEST_CASE(a_wrong_clock_is_shifted_and_a_right_one_is_not)
{
  const std::pair<std::int64_t, std::int64_t> cases[] = {
      // received − sent, shift
      {5'000, 0}, {5'001, 5'001}, {-5'000, 0}, {-5'001, -5'001}, {0, 0}, {86'400'000, 86'400'000}};
  for (const auto& [skew, shift] : cases) {
    Event event = view();
    event.id = EventId("e");
    event.time = kNow - std::chrono::hours(30);
    event.sent = kNow - Milliseconds(skew);
    BOOST_TEST(completed(event) == "changed");
    BOOST_TEST((*event.time - (kNow - std::chrono::hours(30))).count() == shift);
    BOOST_TEST(!event.sent.has_value());
  }
}

BOOST_AUTO_TEST_CASE(the_future_is_refused_after_the_shift)
{
  Event event = view();
  event.id = EventId("e");
  event.time = kNow + kMaxFuture;
  BOOST_TEST(completed(event) == "unchanged");
  event.time = kNow + kMaxFuture + Milliseconds(1);
  BOOST_TEST(completed(event) == "time: over 5 minutes in the future");
  event.time = kNow + std::chrono::hours(1);
  event.sent = kNow + std::chrono::hours(1);
  BOOST_TEST(completed(event) == "changed");
  BOOST_TEST((event.time == std::optional(kNow)));
}

BOOST_AUTO_TEST_CASE(a_shift_out_of_the_calendar_is_refused)
{
  Event event = view();
  event.id = EventId("e");
  event.time = kMinTime;
  event.sent = kMaxTime;
  BOOST_TEST(completed(event) == "time: not within the years 1 to 9999 once shifted by sent");
}

BOOST_AUTO_TEST_CASE(a_price_without_a_currency_gets_the_programs)
{
  const Currency eur = *parse_currency("EUR");
  Event event = purchase();
  event.id = EventId("e");
  event.time = kNow;
  BOOST_TEST(completed(event, {kNow, {}, eur}) == "changed");
  BOOST_TEST((event.currency == eur));
  BOOST_TEST(completed(event, {kNow, {}, *parse_currency("USD")}) == "unchanged");
  BOOST_TEST((event.currency == eur));
  Event without_price = view();
  without_price.id = EventId("e");
  without_price.time = kNow;
  BOOST_TEST(completed(without_price, {kNow, {}, eur}) == "unchanged");
}

BOOST_AUTO_TEST_CASE(an_event_that_could_not_be_read_back_is_refused)
{
  Event event = view();
  event.id = EventId("e");
  event.time = kNow;
  event.properties = "{\"a\":[1e20";
  for (int i = 0; i < 1500; ++i) {
    event.properties += ",1e20";
  }
  event.properties += "]}";
  BOOST_TEST(completed(event) == "properties: over 16 KiB in canonical form");

  Event order = purchase();
  order.id = EventId("e");
  order.time = kNow;
  order.items.assign(kMaxLines, {ItemId(std::string(40, 'i')), 1, std::nullopt});
  BOOST_TEST(completed(order) == "over 64 KiB in canonical form");
}

BOOST_AUTO_TEST_CASE(completing_twice_changes_nothing_the_second_time)
{
  BOOST_TEST(rc::check([] {
    Event event = *testing::gen_event({.odd = true});
    if (*rc::gen::arbitrary<bool>()) {
      event.id = {};
    }
    if (*rc::gen::arbitrary<bool>()) {
      event.time.reset();
    }
    if (*rc::gen::arbitrary<bool>()) {
      event.sent = Timestamp{*rc::gen::inRange<std::int64_t>(1'690'000'000'000, 1'710'000'000'000)};
    }
    const auto first = complete(event, {Timestamp{1'800'000'000'000}, {}, *parse_currency("EUR")});
    RC_PRE(first.ok());
    RC_ASSERT((event.time.has_value() && !event.id.empty() && !event.sent.has_value()));
    const Event once = event;
    const auto second = complete(event, {Timestamp{1'800'000'000'001}, {9}, *parse_currency("USD")});
    RC_ASSERT((second.ok() && !*second));
    RC_ASSERT(event == once);
  }));
}

BOOST_AUTO_TEST_CASE(generated_events_are_valid)
{
  BOOST_TEST(rc::check([] {
    const Event event = *testing::gen_event({.types = testing::event_types(true), .odd = true});
    const auto valid = validate(event);
    RC_ASSERT(valid.ok());
  }));
}

BOOST_AUTO_TEST_SUITE_END()
