// KeptEvent: what a profile keeps of an event, in its Protobuf form (message KeptEvent of share/schemas/profile.proto): id, time,
// type, item, lines, quantity, price, currency, session, slot, recommendation, category, order. Never query and properties.
// Identity events are not kept; they are facts of the profile.
//
// The form is canonical (fields in the order of their numbers, defaults left out), so equal kept events have equal bytes, and of
// two events with one id the smaller (time, bytes) can stay. Time and a hash of the id stand beside the bytes because order and
// recognition need them at every merge; the rest is read on demand. Two ids are taken for one when their XXH3-64 are equal.
// Pure values; one thread owns one.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "core/event.h"
#include "core/money.h"
#include "core/shared_bytes.h"

namespace attune {

// The place of an event in its customer's order.
struct Place {
  Timestamp time;
  EventId id;
  [[nodiscard]] static Place of(const Event& event) { return {*event.time, event.id}; } // REQUIRES: event complete
  friend auto operator<=>(const Place&, const Place&) = default;
};

[[nodiscard]] std::uint64_t hash_of(const EventId& id);

// One line of a kept order or impression. Views into the kept event.
struct KeptLine {
  std::string_view item;
  std::int64_t quantity = 0; // 0: absent
  std::optional<Money> price;
};

// A kept event, read: its strings are views into it.
struct KeptView {
  std::string_view id;
  Timestamp time;
  EventType type = EventType::view;
  std::string_view custom_type;
  std::string_view item;
  std::vector<KeptLine> lines; // as `items` of the event; empty for a one-line order
  std::int64_t quantity = 0;
  std::optional<Money> price;
  Currency currency;
  std::string_view session;
  std::string_view slot;
  std::string_view recommendation;
  std::string_view category;
  std::string_view order;

  [[nodiscard]] std::string_view type_name() const; // "view", …; of a custom event its own name
  // The item and those of the lines, each once, sorted.
  [[nodiscard]] std::vector<std::string_view> items() const;
  // The lines of an order, be it written as `items` or as item, quantity (1 if absent) and price; nothing for an event without an
  // item.
  [[nodiscard]] std::vector<KeptLine> order_lines() const;
};

struct KeptEvent {
  Timestamp time;
  std::uint64_t id_hash = 0;
  SharedBytes wire;

  // REQUIRES: event complete, not an identity event. Cost: about 0.1 us and an allocation.
  [[nodiscard]] static KeptEvent of(const Event& event);
  // Takes bytes as they were stored. Only id, time and type are checked (and that the type is kept at all); nothing when they
  // are not there. The rest is read as far as it goes.
  [[nodiscard]] static std::optional<KeptEvent> of_wire(const SharedBytes& wire);

  [[nodiscard]] std::string_view id() const;
  [[nodiscard]] Place place() const { return {time, EventId(id())}; }
  [[nodiscard]] EventType type() const;
  [[nodiscard]] KeptView view() const;
  [[nodiscard]] Event event(const CustomerId& customer) const;
  friend bool operator==(const KeptEvent&, const KeptEvent&) = default;
};

// Order by place.
[[nodiscard]] bool before(const KeptEvent& a, const KeptEvent& b);
[[nodiscard]] bool at_or_before(const KeptEvent& event, const Place& place);
// Whether `a` stays rather than `b`, both having one id: it is of smaller (time, bytes).
[[nodiscard]] bool stays_before(const KeptEvent& a, const KeptEvent& b);

} // namespace attune
