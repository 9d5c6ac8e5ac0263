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
Session session_of(const Profile& profile, std::span<const Kept> events)
{
  Session session{{}, events.front()->time, events.back()->time, {}};
  for (const Kept kept : events) {
    const KeptView event = kept->view();
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
  auto events = recent_in_order(profile);
  events.erase(std::partition_point(events.begin(), events.end(), [now](Kept kept) { return kept->time <= now; }), events.end());
  if (events.empty()) return std::nullopt;
  // Backwards from the newest, so that only this session's events are read.
  std::size_t begin = events.size() - 1;
  for (KeptView first = events[begin]->view(); begin > 0; --begin) {
    KeptView previous = events[begin - 1]->view();
    if (begins_session(first, previous, idle)) break;
    first = std::move(previous);
  }
  return session_of(profile, std::span(events).subspan(begin));
}

std::vector<Session> sessions(const Profile& profile, Milliseconds idle)
{
  const auto events = recent_in_order(profile);
  std::vector<Session> all;
  for (std::size_t begin = 0, end = 0; begin < events.size(); begin = end) {
    for (end = begin + 1; end < events.size(); ++end)
      if (begins_session(events[end]->view(), events[end - 1]->view(), idle)) break;
    all.push_back(session_of(profile, std::span(events).subspan(begin, end - begin)));
  }
  return all;
}

} // namespace attune
