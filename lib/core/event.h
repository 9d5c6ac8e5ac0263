// Event: something a customer did, at an event time, with a unique id. The vocabulary and limits of DESIGN section 3.
// Pure values: no clock, no I/O. One thread owns an Event. An Event a codec returned obeys every limit below.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "core/money.h"

namespace attune {

// The numbers are the wire numbers of share/schemas/*.proto: never reused, never reordered.
enum class EventType : std::uint8_t {
  view = 1,
  click = 2,
  search = 3,
  cart_add = 4,
  cart_remove = 5,
  purchase = 6,
  refund = 7,
  impression = 8,
  identify = 9,
  consent = 10,
  forget = 11,
  custom = 12, // x.NAME; the whole name, "x." included, is in Event::custom_type
};

// Limits of DESIGN section 3, in bytes or counts.
inline constexpr std::size_t kMaxEventBytes = 64 * 1024;
inline constexpr std::size_t kMaxIdBytes = 64;
inline constexpr std::size_t kMaxCustomerBytes = 128; // also item and alias
inline constexpr std::size_t kMaxStringBytes = 256; // every other string
inline constexpr std::size_t kMaxQueryBytes = 512;
inline constexpr std::size_t kMaxLines = 2000;
inline constexpr std::size_t kMaxPropertiesBytes = 16 * 1024;
inline constexpr int kMaxPropertiesDepth = 8;
inline constexpr std::int64_t kMaxQuantity = 1'000'000;
inline constexpr Milliseconds kMaxFuture = std::chrono::minutes(5); // at entry only
inline constexpr Milliseconds kClockTolerance = std::chrono::seconds(5); // of `sent` against received

// Times an event may carry: 0001-01-01 to 9999-12-31T23:59:59.999Z (RFC 3339's four-digit years).
inline constexpr Timestamp kMinTime{-62135596800000LL};
inline constexpr Timestamp kMaxTime{253402300799999LL};

// One line of an order, or one item shown (then quantity and price are absent).
struct Line {
  ItemId item;
  std::int64_t quantity = 0; // 0: absent
  std::optional<Money> price; // of one unit
  friend bool operator==(const Line&, const Line&) = default;
};

// Empty strings, 0 and nullopt mean "absent".
struct Event {
  EventId id;
  EventType type = EventType::view;
  std::string custom_type;
  std::optional<Timestamp> time; // always present once complete() has been called
  std::optional<Timestamp> sent;
  CustomerId customer;
  SessionId session;
  ItemId item;
  std::vector<Line> items;
  std::string category;
  std::int64_t quantity = 0;
  std::optional<Money> price;
  Currency currency;
  OrderId order;
  std::string query;
  CustomerId alias;
  std::optional<bool> granted;
  Slot slot;
  RecommendationId recommendation;
  std::string properties; // the JSON object as it came (minified or not), valid JSON; empty: absent

  void clear(); // keeps the strings' memory, so that one Event can be filled again and again
  friend bool operator==(const Event&, const Event&) = default;
};

// Why an input can not be an event: the field ("price", "items[3].quantity", "" for the whole) and the reason
// ("not a decimal"). text() is "price: not a decimal".
struct Reject {
  std::string field;
  std::string reason;
  [[nodiscard]] std::string text() const { return field.empty() ? reason : field + ": " + reason; }
};

// "view", "cart_add", …; for custom events the event's own name.
[[nodiscard]] std::string_view type_name(EventType type);
[[nodiscard]] std::string_view type_name(const Event& event);
// The type a name stands for; custom for a well-formed "x.NAME" (NAME: [A-Za-z0-9_.-]+); nothing otherwise.
[[nodiscard]] std::optional<EventType> parse_type(std::string_view name);

[[nodiscard]] inline bool is_identity(EventType t)
{
  return t == EventType::identify || t == EventType::consent || t == EventType::forget;
}

// The lines of an order or impression: `items`, or the one line made of item, quantity and price. In an order an absent quantity is 1.
[[nodiscard]] std::vector<Line> lines_of(const Event& event);

// What the first program that meets an event knows, and the event does not.
struct Entry {
  Timestamp received;
  std::array<std::uint8_t, 10> random{}; // for a UUIDv7, used when the event has neither id nor time
  Currency currency; // for an event with a price and no currency
};

// Makes an event whole, once, where it enters:
//   id        if it has none: a purchase or refund with an `order` gets hashed_id of the canonical JSON of {customer, items, order, type},
//             items being lines_of(); any other with a time, of the canonical JSON of all its fields but `sent`; one with neither id
//             nor time a UUIDv7 of `entry`. All of it as given: before the shift, without the currency added here. So the same
//             input has the same id whoever receives it, and when.
//   time      if it has none: entry.received. Else shifted by received − sent when they differ by more than 5 s.
//   sent      dropped, so that nobody shifts again.
//   currency  the entry's, when there is a price and no currency.
// ERRORS: a time over 5 min ahead, after the shift; an event whose canonical form would pass the limits on its way back in.
// Returns whether anything was changed; the input bytes may be passed on as they are when nothing was.
// Cost: nothing for a whole event; one SHA-256 (about 0.6 us) for one without an id.
[[nodiscard]] Result<bool, Reject> complete(Event& event, const Entry& entry);

// Rules that span fields (view needs item, purchase needs lines or none …, totals must not overflow). Every codec calls it
// last, so that all wires refuse the same events for the same reasons.
[[nodiscard]] Result<void, Reject> validate(const Event& event);

// First 16 bytes of SHA-256 over `text`, as 32 lower-case hex digits.
[[nodiscard]] EventId hashed_id(std::string_view text);

// The topic an event of this type travels in, without a namespace: "customer_clicks", "cart_events", …
[[nodiscard]] std::string_view topic_of(EventType type);

inline constexpr std::string_view kClicksTopic = "customer_clicks";
inline constexpr std::string_view kCartTopic = "cart_events";
inline constexpr std::string_view kPurchaseTopic = "purchase_events";
inline constexpr std::string_view kIdentityTopic = "customer_identity";
inline constexpr std::string_view kDeadLetterTopic = "attune_dead_letters";
inline constexpr std::string_view kLateTopic = "attune_late_events";
inline constexpr std::string_view kCatalogTopic = "catalog_items";

// "shop" + "cart_events" -> "shop.cart_events"; the bare topic when the namespace is empty. Namespaces are [a-z0-9-]+.
[[nodiscard]] std::string in_namespace(std::string_view name_space, std::string_view topic);
[[nodiscard]] bool valid_namespace(std::string_view name_space);

} // namespace attune
