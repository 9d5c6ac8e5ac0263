// Lesson: one click as a model learns it: a view, a click, a cart_add or one line of a purchase. Lessons: many of them, put in order.
//
// A model learns each lesson as it comes; what decays, and what weights are learned, depends on the order. Offline the order is
// (time, id), so that the same events give the same model, byte for byte, whatever order they were read in: collect them here, sort,
// and teach. Not synchronized. Memory: 48 bytes a lesson, and the bytes of each distinct item, category and slot once.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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
};

// Calls take(const Lesson&) for each click of the event: none for types that teach nothing. REQUIRES: the event has id and time.
template <class Take>
void for_each_lesson(const Event& event, Take&& take);

class Lessons {
 public:
  // Its clicks; of a forget or consent event what it refuses. REQUIRES: the event has id and time.
  void add(const Event& event);
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
  };
  std::uint32_t intern(std::string_view text);

  std::vector<Kept> kept_;
  Refusals refusals_;
  std::deque<std::string> texts_{std::string()}; // number 0: empty
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
};

// --- implementation ------------------------------------------------------------------------------------------------------------------

// The kind of click an event of this type is; nothing for types that teach nothing.
[[nodiscard]] std::optional<ClickKind> click_kind(EventType type);
[[nodiscard]] std::uint64_t lesson_id(const EventId& id, std::uint64_t line);

template <class Take>
void for_each_lesson(const Event& event, Take&& take)
{
  const auto kind = click_kind(event.type);
  if (!kind) return;
  Lesson lesson{session_key(event.customer, event.session), event.time->ms, 0, {}, event.category, event.slot.text, *kind};
  const auto give = [&](const ItemId& item, std::uint64_t line) {
    lesson.id = lesson_id(event.id, line);
    lesson.item = item.text;
    take(static_cast<const Lesson&>(lesson));
  };
  if (event.items.empty()) return event.item.empty() ? void() : give(event.item, 0);
  std::uint64_t line = 0;
  for (const auto& each : event.items) give(each.item, line++);
}

} // namespace attune
