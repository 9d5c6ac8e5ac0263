// Builders of events and profiles for the profile's tests: terse for cases, and streams of events from one seed for properties,
// where drawing every field by itself would be too slow.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/profile.h"
#include "core/profile_proto.h"

namespace attune {

// So that Boost.Test can print them.
inline std::ostream& operator<<(std::ostream& out, Outcome outcome)
{
  constexpr std::string_view kNames[] = {"accepted", "repeated", "late", "refused"};
  return out << kNames[static_cast<std::size_t>(outcome)];
}
inline std::ostream& operator<<(std::ostream& out, Held held)
{
  constexpr std::string_view kNames[] = {"held", "unknown", "late", "refused"};
  return out << kNames[static_cast<std::size_t>(held)];
}
inline std::ostream& operator<<(std::ostream& out, Timestamp time)
{
  return out << time.ms;
}

} // namespace attune

namespace attune::testing {

inline constexpr std::int64_t kSecond = 1000;
inline constexpr std::int64_t kMinute = 60 * kSecond;
inline constexpr std::int64_t kHour = 60 * kMinute;
inline constexpr std::int64_t kDay = 24 * kHour;
inline constexpr std::int64_t kNoon = 1'700'049'600'000; // 2023-11-15T12:00:00Z

// A view of item "i", to be changed as the case needs.
inline Event an_event(EventType type, std::string id, std::int64_t ms, std::string item = "i")
{
  Event event;
  event.id = EventId(std::move(id));
  event.type = type;
  event.time = Timestamp{ms};
  event.customer = CustomerId("c1");
  event.item = ItemId(std::move(item));
  return event;
}

inline Event a_purchase(std::string id, std::int64_t ms, std::vector<Line> lines, std::string order = "",
                        std::string_view currency = "EUR")
{
  Event event = an_event(EventType::purchase, std::move(id), ms, "");
  event.items = std::move(lines);
  event.order = OrderId(std::move(order));
  event.currency = *parse_currency(currency);
  return event;
}

inline Line a_line(std::string item, std::int64_t quantity, std::string_view price)
{
  return {ItemId(std::move(item)), quantity, parse_money(price)};
}

inline Event a_forget(std::string id, std::int64_t ms)
{
  return an_event(EventType::forget, std::move(id), ms, "");
}

inline Event a_consent(std::string id, std::int64_t ms, bool granted)
{
  Event event = an_event(EventType::consent, std::move(id), ms, "");
  event.granted = granted;
  return event;
}

inline Profile a_profile(std::string customer = "c1")
{
  Profile profile;
  profile.customer = CustomerId(std::move(customer));
  return profile;
}

inline std::vector<Outcome> put_in(Profile& profile, const std::vector<Event>& events)
{
  std::vector<const Event*> pointers;
  for (const auto& event : events) pointers.push_back(&event);
  std::vector<Outcome> outcomes(events.size());
  apply(profile, pointers, outcomes);
  return outcomes;
}

inline Outcome put_in(Profile& profile, const Event& event)
{
  return put_in(profile, std::vector{event}).front();
}

// The profile of these events, arrived in one batch.
inline Profile profile_of(const std::vector<Event>& events, std::string customer = "c1")
{
  Profile profile = a_profile(std::move(customer));
  put_in(profile, events);
  return profile;
}

inline std::string bytes_of(const Profile& profile)
{
  std::string bytes;
  encode_profile(profile, bytes);
  return bytes;
}

inline std::uint64_t count_in(const TypeCounts& counts, std::string_view type)
{
  for (const auto& [name, n] : counts)
    if (name == type) return n;
  return 0;
}

inline std::uint64_t sum_of(const TypeCounts& counts)
{
  std::uint64_t sum = 0;
  for (const auto& [name, n] : counts) sum += n;
  return sum;
}

inline std::string named(std::string prefix, std::size_t number)
{
  return prefix.append(std::to_string(number));
}

using Random = std::mt19937_64;

inline std::size_t below(Random& random, std::size_t n)
{
  return static_cast<std::size_t>(random() % n);
}

// A stream: visits of a few minutes, spread over `days`, of mixed events over `items` items and a dozen categories.
struct StreamKnobs {
  std::size_t events = 500;
  std::int64_t days = 90;
  std::size_t items = 60;
  std::int64_t from = kNoon;
  bool odd = false; // now and then another month, or century, awkward strings, and many custom types
};

inline EventType random_type(Random& random)
{
  constexpr EventType kTypes[] = {EventType::view,     EventType::view,     EventType::click,       EventType::search,
                                  EventType::cart_add, EventType::cart_add, EventType::cart_remove, EventType::purchase,
                                  EventType::purchase, EventType::refund,   EventType::impression,  EventType::custom};
  return kTypes[below(random, std::size(kTypes))];
}

inline std::string random_name(Random& random, const char* prefix, std::size_t n, bool odd)
{
  constexpr const char* kOdd[] = {"\"", "\\", "\t\n", "gr\xc3\xbc\xc3\x9f", "\xf0\x9f\x98\x80", "</script>", "x.", "{\"a\":1}"};
  std::string name = named(prefix, below(random, n));
  if (odd && below(random, 4) == 0) name += kOdd[below(random, std::size(kOdd))];
  return name;
}

inline Line random_line(Random& random, std::size_t items, bool odd)
{
  Line line{ItemId(random_name(random, "i", items, odd)), 0, std::nullopt};
  if (below(random, 3) > 0) line.quantity = static_cast<std::int64_t>(1 + below(random, 5));
  if (below(random, 4) > 0) line.price = Money{static_cast<std::int64_t>(below(random, 100'000)) * 10'000};
  return line;
}

inline void add_details(Random& random, const StreamKnobs& knobs, Event& event)
{
  if (below(random, 2) == 0) event.category = random_name(random, "category ", 24, knobs.odd);
  if (below(random, 3) == 0) event.session = SessionId(random_name(random, "s", 4, knobs.odd));
  if (below(random, 5) == 0) event.slot = Slot("home");
  if (below(random, 5) == 0) event.recommendation = RecommendationId(random_name(random, "r", 100, knobs.odd));
  const bool order = event.type == EventType::purchase || event.type == EventType::refund;
  if (order) event.order = OrderId(random_name(random, "o", 50, false));
  if (order || event.type == EventType::cart_add) event.currency = *parse_currency(below(random, 4) == 0 ? "USD" : "EUR");
  if (event.type == EventType::custom) event.custom_type = random_name(random, "x.t", knobs.odd ? 60 : 3, false);
  if (event.type == EventType::impression || (order && below(random, 2) == 0)) {
    const std::size_t lines = 1 + below(random, event.type == EventType::impression ? 50 : 4);
    for (std::size_t i = 0; i < lines; ++i) event.items.push_back(random_line(random, knobs.items, knobs.odd));
    if (event.type == EventType::impression)
      for (auto& line : event.items) line = {line.item, 0, std::nullopt};
    return;
  }
  if (event.type == EventType::search) return;
  const Line line = random_line(random, knobs.items, knobs.odd);
  event.item = line.item;
  event.quantity = line.quantity;
  event.price = line.price;
}

// Different ids; times may be equal. In no order.
inline std::vector<Event> a_stream(std::uint64_t seed, const StreamKnobs& knobs)
{
  Random random(seed);
  std::vector<Event> events;
  std::int64_t visit = knobs.from;
  for (std::size_t i = 0; i < knobs.events; ++i) {
    if (below(random, 12) == 0)
      visit = knobs.from + static_cast<std::int64_t>(below(random, static_cast<std::size_t>(knobs.days * kDay)));
    std::int64_t time = visit + static_cast<std::int64_t>(below(random, 20 * kMinute));
    if (knobs.odd && below(random, 20) == 0) time -= static_cast<std::int64_t>(below(random, 200)) * 30 * kDay;
    if (knobs.odd && below(random, 100) == 0) time = kMinTime.ms + static_cast<std::int64_t>(below(random, kDay));
    Event event = an_event(random_type(random), named(named("e", seed % 1000).append("-"), i), time, "");
    add_details(random, knobs, event);
    events.push_back(std::move(event));
  }
  return events;
}

inline void in_order(std::vector<Event>& events)
{
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return Place::of(a) < Place::of(b); });
}

// In order of time but for delays of up to `hours` hours of some: what a log delivers, rather than chaos.
inline void nearly_in_order(Random& random, std::vector<Event>& events, std::size_t hours)
{
  std::vector<std::pair<std::int64_t, std::size_t>> arrivals;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto delay = below(random, 3) == 0 ? below(random, hours * kHour + 1) : 0;
    arrivals.emplace_back(events[i].time->ms + static_cast<std::int64_t>(delay), i);
  }
  std::sort(arrivals.begin(), arrivals.end());
  std::vector<Event> sorted;
  for (const auto& [time, i] : arrivals) sorted.push_back(events[i]);
  events = std::move(sorted);
}

} // namespace attune::testing
