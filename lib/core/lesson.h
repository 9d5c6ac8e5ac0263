// Lesson: one click as a model learns it: a view, a click, a cart_add or one line of a purchase. Lessons: many of them, put in order.
//
// A model learns each lesson as it comes; what decays, and what weights are learned, depends on the order. Offline the order is
// (time, id), so that the same events give the same model, byte for byte, whatever order they were read in: collect them here, sort,
// and teach. Not synchronized. Memory: 48 bytes a lesson, and the bytes of each distinct item, category, slot and set
// of segments once. Of sets of segments it tells the first 65,535 apart; a lesson of another is taken to be in none.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/catalog.h"
#include "core/event.h"
#include "core/refusals.h"

namespace attune {

// Hashes of the customer and of the site's session id (XXH3, 64 bits).
struct SessionKey {
  std::uint64_t customer = 0;
  std::uint64_t site = 0; // 0: the event carries no session id
  friend auto operator<=>(const SessionKey&, const SessionKey&) = default;
};
[[nodiscard]] SessionKey session_key(const CustomerId& customer, const SessionId& session);

enum class ClickKind : std::uint8_t { view = 0, click = 1, cart_add = 2, purchase = 3 };

// The strings belong to whoever made it.
struct Lesson {
  SessionKey key;
  std::int64_t time = 0; // ms since 1970
  std::uint64_t id = 0; // hash of event id and line
  std::string_view item;
  std::string_view category; // empty: the event says none
  std::string_view slot; // where it was shown; empty: nobody says
  ClickKind kind = ClickKind::view;
  std::span<const std::string_view> segments = {}; // names of those the customer was in (core/segment.h)
};

// What is known beside an event.
struct Surroundings {
  std::span<const std::string_view> segments = {}; // names of those its customer is in
  const Catalog* catalog = nullptr; // whose first category of an item stands before what the event says
};

// Calls take(const Lesson&) for each click of the event: none for types that teach nothing. REQUIRES: the event has id and time.
template <class Take>
void for_each_lesson(const Event& event, const Surroundings& beside, Take&& take);
template <class Take>
void for_each_lesson(const Event& event, Take&& take)
{
  for_each_lesson(event, {}, std::forward<Take>(take));
}

class Lessons {
 public:
  // Its clicks; of a forget or consent event what it refuses. REQUIRES: the event has id and time.
  void add(const Event& event, const Surroundings& beside = {});
  void add(const Lesson& lesson);
  // By (time, id), then by all that a lesson says. O(n log n).
  void sort();

  [[nodiscard]] std::size_t size() const { return kept_.size(); }
  [[nodiscard]] const Refusals& refusals() const { return refusals_; }
  // Good until the next add.
  [[nodiscard]] Lesson operator[](std::size_t at) const;

 private:
  struct Kept {
    SessionKey key;
    std::int64_t time;
    std::uint64_t id;
    std::uint32_t item, category, slot;
    ClickKind kind;
    std::uint16_t segments; // in sets_
  };
  std::uint16_t intern(std::span<const std::string_view> segments);
  std::uint32_t intern(std::string_view text);

  std::vector<Kept> kept_;
  Refusals refusals_;
  std::deque<std::string> texts_{std::string()}; // number 0: empty
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
  std::deque<std::vector<std::string_view>> sets_{{}}; // of segments; number 0: none
  std::map<std::vector<std::string_view>, std::uint16_t> set_numbers_;
};

// --- implementation ------------------------------------------------------------------------------------------------------------------

// The kind of click an event of this type is; nothing for types that teach nothing.
[[nodiscard]] std::optional<ClickKind> click_kind(EventType type);
[[nodiscard]] std::uint64_t lesson_id(const EventId& id, std::uint64_t line);

template <class Take>
void for_each_lesson(const Event& event, const Surroundings& beside, Take&& take)
{
  const auto kind = click_kind(event.type);
  if (!kind) return;
  Lesson lesson{session_key(event.customer, event.session), event.time->ms, 0, {}, {}, event.slot.text, *kind, beside.segments};
  const auto give = [&](const ItemId& item, std::uint64_t line) {
    lesson.id = lesson_id(event.id, line);
    lesson.item = item.text;
    const auto* known = beside.catalog ? beside.catalog->find(item) : nullptr;
    lesson.category = known && !known->categories.empty() ? std::string_view(known->categories.front()) : event.category;
    take(static_cast<const Lesson&>(lesson));
  };
  if (event.items.empty()) return event.item.empty() ? void() : give(event.item, 0);
  std::uint64_t line = 0;
  for (const auto& each : event.items) give(each.item, line++);
}

} // namespace attune
