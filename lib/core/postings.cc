#include "core/postings.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "base/assert.h"

namespace attune {

namespace {

std::uint32_t second_of(std::int64_t time)
{
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(time / 1000, 0, static_cast<std::int64_t>(std::numeric_limits<std::uint32_t>::max())));
}

// Null when the session does not hold the item.
const Click* find_first(ItemNumber item, SessionNumber session, const SessionTable& table)
{
  const auto clicks = table.clicks(session);
  const auto first = std::find_if(clicks.begin(), clicks.end(), [item](const Click& click) { return click.item == item; });
  return first == clicks.end() ? nullptr : &*first;
}

const Click& first_click(ItemNumber item, SessionNumber session, const SessionTable& table)
{
  const auto* first = find_first(item, session, table);
  ATTUNE_ASSERT(first != nullptr);
  return *first;
}

} // namespace

void Postings::add(ItemNumber item, SessionNumber session, const SessionTable& table)
{
  auto& list = lists_[item];
  const auto& click = first_click(item, session, table);
  const Entry made{session, second_of(click.time)};
  const auto later = [&](const Entry& entry) {
    if (entry.second != made.second) return entry.second > made.second;
    const auto& other = first_click(item, entry.session, table);
    return std::tie(other.time, table.key(entry.session)) > std::tie(click.time, table.key(session));
  };
  auto place = list.end();
  while (place != list.begin() && later(place[-1])) --place;
  list.insert(place, made);
  if (list.size() > 2 * kept_) list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(kept_));
}

void Postings::remove(ItemNumber item, SessionNumber session, std::int64_t time)
{
  auto& list = lists_[item];
  const auto second = second_of(time);
  auto place = std::lower_bound(list.begin(), list.end(), second, [](const Entry& a, std::uint32_t b) { return a.second < b; });
  while (place != list.end() && place->second == second && place->session != session) ++place;
  // One that is not there was among those too old to be kept.
  if (place != list.end() && place->session == session) list.erase(place);
}

bool Postings::restore(ItemNumber item, std::span<const SessionNumber> sessions, const SessionTable& table)
{
  auto& list = lists_[item];
  list.clear();
  list.reserve(sessions.size());
  constexpr std::size_t kAhead = 16;
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    // Sessions lie anywhere: waiting for one after the other would take most of the time a model takes to load.
    if (i + kAhead < sessions.size() && sessions[i + kAhead] < table.limit()) table.prefetch_session(sessions[i + kAhead]);
    if (i + kAhead / 2 < sessions.size() && sessions[i + kAhead / 2] < table.limit())
      table.prefetch_clicks(sessions[i + kAhead / 2]);
    const auto session = sessions[i];
    const auto* first = session < table.limit() ? find_first(item, session, table) : nullptr;
    const auto in_order = [&] {
      const Entry& last = list.back();
      if (last.second != second_of(first->time)) return last.second < second_of(first->time);
      const auto& before = first_click(item, last.session, table);
      return std::tie(before.time, table.key(last.session)) < std::tie(first->time, table.key(session));
    };
    if (!first || (!list.empty() && !in_order())) {
      list.clear();
      return false;
    }
    list.push_back({session, second_of(first->time)});
  }
  return true;
}

std::size_t Postings::bytes() const
{
  std::size_t bytes = lists_.capacity() * sizeof(lists_.front());
  for (const auto& list : lists_) bytes += list.capacity() * sizeof(Entry);
  return bytes;
}

} // namespace attune
