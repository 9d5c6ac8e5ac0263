// Generators of valid events for properties. Every event obeys DESIGN section 3; what varies is set by EventKnobs.
//
//   rc::check("…", [] { const Event e = *gen_event(); … });
//   const auto events = *rc::gen::container<std::vector<Event>>(gen_event({.customers = 1}));
#pragma once

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "core/event.h"

namespace attune::testing {

struct EventKnobs {
  int customers = 3; // "c0" … "c<n-1>"
  int ids = 0; // ids "e0" … "e<n-1>", so that some events share one; 0: 128 random bits each
  int items = 12; // "i0" …
  int sessions = 3; // "s0" …, or absent; 0: always absent
  Timestamp from{1'600'000'000'000};
  Timestamp to{1'600'000'000'000 + 90LL * 24 * 3600 * 1000}; // inclusive
  std::vector<EventType> types{}; // empty: all but identity events
  bool odd = false; // awkward strings (quotes, non-ASCII, controls) and properties
};

inline const std::vector<EventType>& event_types(bool identity)
{
  static const std::vector<EventType> plain{EventType::view,     EventType::click,       EventType::search,
                                            EventType::cart_add, EventType::cart_remove, EventType::purchase,
                                            EventType::refund,   EventType::impression,  EventType::custom};
  static const std::vector<EventType> all = [] {
    auto types = plain;
    types.insert(types.end(), {EventType::identify, EventType::consent, EventType::forget});
    return types;
  }();
  return identity ? all : plain;
}

inline std::string numbered(const char* prefix, int count)
{
  return prefix + std::to_string(*rc::gen::inRange(0, count));
}

inline std::string some_text(bool odd)
{
  static const std::vector<std::string> plain{"a", "shoes", "home/garden", "42", "summer sale"};
  static const std::vector<std::string> strange{"\"quoted\"",         "back\\slash",  "tab\tand\nline",         "\x01\x1f\x7f",
                                                "gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac", "\xf0\x9f\x98\x80 smile", "\xef\xbf\xbd",
                                                "{\"a\":1}",          "</script>"};
  return odd && *rc::gen::arbitrary<bool>() ? *rc::gen::elementOf(strange) : *rc::gen::elementOf(plain);
}

// 0.000001 to 10^9 in money's whole range, mostly everyday prices.
inline Money some_price()
{
  return Money{*rc::gen::weightedOneOf<std::int64_t>(
      {{8, rc::gen::map(rc::gen::inRange<std::int64_t>(0, 100'00), [](auto cents) { return cents * 10'000; })},
       {1, rc::gen::inRange<std::int64_t>(0, 2'000'000)},
       {1, rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000)}})};
}

inline Currency some_currency()
{
  return *parse_currency(*rc::gen::elementOf(std::vector<std::string>{"EUR", "USD", "JPY"}));
}

inline std::vector<Line> some_lines(const EventKnobs& knobs, bool priced)
{
  std::vector<Line> lines(*rc::gen::inRange<std::size_t>(1, 5));
  for (Line& line : lines) {
    line.item = ItemId(numbered("i", knobs.items));
    if (!priced) {
      continue;
    }
    line.quantity = *rc::gen::inRange(0, 5);
    if (*rc::gen::arbitrary<bool>()) {
      line.price = some_price();
    }
  }
  return lines;
}

inline void fill_offer(Event& event)
{
  event.quantity = *rc::gen::inRange(0, 5);
  if (*rc::gen::arbitrary<bool>()) {
    event.price = some_price();
    event.currency = some_currency();
  }
}

inline void fill_order(Event& event, const EventKnobs& knobs)
{
  if (*rc::gen::arbitrary<bool>()) {
    event.order = OrderId(numbered("o", 8));
  }
  if (*rc::gen::arbitrary<bool>()) {
    event.item = ItemId(numbered("i", knobs.items));
    fill_offer(event);
  } else {
    event.items = some_lines(knobs, true);
    event.currency = some_currency();
  }
}

// What only this type has.
inline void fill_type(Event& event, const EventKnobs& knobs)
{
  switch (event.type) {
    case EventType::view:
    case EventType::click:
      event.item = ItemId(numbered("i", knobs.items));
      break;
    case EventType::cart_add:
    case EventType::cart_remove:
      event.item = ItemId(numbered("i", knobs.items));
      fill_offer(event);
      break;
    case EventType::search:
      event.query = some_text(knobs.odd);
      break;
    case EventType::purchase:
    case EventType::refund:
      fill_order(event, knobs);
      break;
    case EventType::impression:
      event.items = some_lines(knobs, false);
      break;
    case EventType::identify:
      event.alias = CustomerId(numbered("anon-", knobs.customers));
      break;
    case EventType::consent:
      event.granted = *rc::gen::arbitrary<bool>();
      break;
    case EventType::forget:
      break;
    case EventType::custom:
      event.custom_type = *rc::gen::elementOf(std::vector<std::string>{"x.checkout", "x.page", "x.a-B_0.c"});
      break;
  }
}

inline void fill_extras(Event& event, const EventKnobs& knobs)
{
  if (knobs.sessions > 0 && *rc::gen::arbitrary<bool>()) {
    event.session = SessionId(numbered("s", knobs.sessions));
  }
  if (*rc::gen::inRange(0, 3) == 0) {
    event.category = some_text(knobs.odd);
  }
  if (*rc::gen::inRange(0, 4) == 0) {
    event.slot = Slot("home");
    event.recommendation = RecommendationId(numbered("r", 100));
  }
  if (knobs.odd && *rc::gen::arbitrary<bool>()) {
    event.properties =
        *rc::gen::elementOf(std::vector<std::string>{"{}", R"({"a":1,"b":[true,null,"x"]})", R"({"deep":{"deep":{"n":-0.5}}})",
                                                     R"({"":9007199254740993,"e":1e+30,"€":"\u0001"})"});
  }
}

inline std::string random_id()
{
  static const char* digits = "0123456789abcdef";
  std::string id;
  for (int i = 0; i < 32; ++i) {
    id += digits[*rc::gen::noShrink(rc::gen::inRange(0, 16))];
  }
  return id;
}

// A whole event: id and time are always there, and a currency wherever there is a price.
inline rc::Gen<Event> gen_event(const EventKnobs& knobs = {})
{
  return rc::gen::exec([knobs] {
    Event event;
    event.type = *rc::gen::elementOf(knobs.types.empty() ? event_types(false) : knobs.types);
    event.id = EventId(knobs.ids > 0 ? numbered("e", knobs.ids) : random_id());
    event.time = Timestamp{*rc::gen::inRange<std::int64_t>(knobs.from.ms, knobs.to.ms + 1)};
    event.customer = CustomerId(numbered("c", knobs.customers));
    fill_type(event, knobs);
    fill_extras(event, knobs);
    return event;
  });
}

} // namespace attune::testing

namespace attune {

// What rapidcheck prints of a counter-example.
inline void showValue(const Event& event, std::ostream& out)
{
  out << type_name(event) << ' ' << event.id.text << " at " << (event.time ? event.time->ms : 0) << " of " << event.customer.text;
  for (const Line& line : lines_of(event)) {
    out << " [" << line.item.text << " x" << line.quantity << ']';
  }
}

} // namespace attune
