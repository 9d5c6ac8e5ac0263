#include "core/lesson.h"

#include <xxhash.h>

#include <algorithm>
#include <tuple>

#include "base/assert.h"

namespace attune {

namespace {

std::uint64_t hash_of(std::string_view text)
{
  return XXH3_64bits(text.data(), text.size());
}

} // namespace

SessionKey session_key(const CustomerId& customer, const SessionId& session)
{
  // 0 stands for "no session id", so no id may hash to it.
  return {hash_of(customer.text), session.empty() ? 0 : std::max<std::uint64_t>(1, hash_of(session.text))};
}

std::optional<ClickKind> click_kind(EventType type)
{
  switch (type) {
    case EventType::view:
      return ClickKind::view;
    case EventType::click:
      return ClickKind::click;
    case EventType::cart_add:
      return ClickKind::cart_add;
    case EventType::purchase:
      return ClickKind::purchase;
    default:
      return std::nullopt;
  }
}

std::uint64_t lesson_id(const EventId& id, std::uint64_t line)
{
  // Not the line as a seed: of short texts XXH3 with a seed is that of a similar text without one, "e4" in line 1 that of "e5".
  constexpr std::uint64_t kApart = 0x9E3779B97F4A7C15;
  return hash_of(id.text) + line * kApart;
}

void Lessons::add(const Event& event, const Surroundings& beside)
{
  refusals_.take(event);
  for_each_lesson(event, beside, [this](const Lesson& lesson) { add(lesson); });
}

void Lessons::add(const Lesson& lesson)
{
  kept_.push_back({lesson.key, lesson.time, lesson.id, intern(lesson.item), intern(lesson.category), intern(lesson.slot),
                   lesson.kind, intern(lesson.segments)});
}

void Lessons::sort()
{
  std::sort(kept_.begin(), kept_.end(), [this](const Kept& a, const Kept& b) {
    return std::tie(a.time, a.id, a.key, texts_[a.item], a.kind, texts_[a.category], texts_[a.slot], sets_[a.segments]) <
           std::tie(b.time, b.id, b.key, texts_[b.item], b.kind, texts_[b.category], texts_[b.slot], sets_[b.segments]);
  });
}

Lesson Lessons::operator[](std::size_t at) const
{
  const auto& kept = kept_[at];
  return {kept.key,  kept.time,           kept.id, texts_[kept.item], texts_[kept.category], texts_[kept.slot],
          kept.kind, sets_[kept.segments]};
}

std::uint16_t Lessons::intern(std::span<const std::string_view> segments)
{
  if (segments.empty()) return 0;
  constexpr std::size_t kMostSets = 65'536;
  std::vector<std::string_view> names;
  for (const auto name : segments) names.push_back(texts_[intern(name)]);
  std::sort(names.begin(), names.end());
  if (const auto known = set_numbers_.find(names); known != set_numbers_.end()) return known->second;
  if (sets_.size() == kMostSets) return 0;
  const auto number = static_cast<std::uint16_t>(sets_.size());
  sets_.push_back(names);
  set_numbers_.emplace(std::move(names), number);
  return number;
}

std::uint32_t Lessons::intern(std::string_view text)
{
  if (text.empty()) return 0;
  if (const auto known = numbers_.find(text); known != numbers_.end()) return known->second;
  ATTUNE_ASSERT(texts_.size() < 0xFFFF'FFFFU);
  const auto number = static_cast<std::uint32_t>(texts_.size());
  texts_.emplace_back(text);
  numbers_.emplace(texts_.back(), number);
  return number;
}

} // namespace attune
