#include "core/session.h"

#include <algorithm>
#include <span>

namespace attune {
namespace {

using Kept = const KeptEvent*;

bool begins_session(const KeptView& event, const KeptView& previous, Milliseconds idle)
{
  if (!event.session.empty() && !previous.session.empty()) return event.session != previous.session;
  return event.time - previous.time > idle;
}

bool tells_interest(EventType type)
{
  return type == EventType::view || type == EventType::click || type == EventType::cart_add || type == EventType::purchase;
}

void append_item(std::string_view item, std::vector<ItemId>& items)
{
  if (!item.empty() && (items.empty() || items.back().text != item)) items.emplace_back(item);
}

// REQUIRES: `events` not empty, in order, all of one session.
Session session_of(const Profile& profile, std::span<const KeptView> events)
{
  Session session{{}, events.front().time, events.back().time, {}};
  for (const auto& event : events) {
    if (session.id.empty()) session.id = SessionId(event.session);
    if (!tells_interest(event.type)) continue;
    append_item(event.item, session.items);
    for (const auto& line : event.lines) append_item(line.item, session.items);
  }
  if (session.id.empty()) session.id = SessionId(profile.customer.text + "@" + std::to_string(session.start.ms));
  return session;
}

} // namespace

std::optional<Session> current_session(const Profile& profile, Timestamp now, Milliseconds idle)
{
  const auto events = recent_in_order(profile);
  const auto end = std::partition_point(events.begin(), events.end(), [now](Kept kept) { return kept->time <= now; });
  if (end == events.begin()) return std::nullopt;
  // Backwards from the newest, so that only this session's events are read.
  std::vector<KeptView> own{(*(end - 1))->view()};
  for (auto next = end - 1; next != events.begin(); --next) {
    auto previous = (*(next - 1))->view();
    if (begins_session(own.back(), previous, idle)) break;
    own.push_back(std::move(previous));
  }
  std::reverse(own.begin(), own.end());
  return session_of(profile, own);
}

std::vector<Session> sessions(const Profile& profile, Milliseconds idle)
{
  std::vector<KeptView> events;
  for (const Kept kept : recent_in_order(profile)) events.push_back(kept->view());
  std::vector<Session> all;
  for (std::size_t begin = 0, end = 0; begin < events.size(); begin = end) {
    for (end = begin + 1; end < events.size(); ++end)
      if (begins_session(events[end], events[end - 1], idle)) break;
    all.push_back(session_of(profile, std::span(events).subspan(begin, end - begin)));
  }
  return all;
}

} // namespace attune
