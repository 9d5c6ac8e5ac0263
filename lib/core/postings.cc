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

const Click& first_click(ItemNumber item, SessionNumber session, const SessionTable& table)
{
  const auto clicks = table.clicks(session);
  const auto first = std::find_if(clicks.begin(), clicks.end(), [item](const Click& click) { return click.item == item; });
  ATTUNE_ASSERT(first != clicks.end());
  return *first;
}

// The first place among `holders` whose session is not below `session`; looked for at `near` first, then ever further away: a list is in nearly
// the order of its sessions' numbers. REQUIRES: near < holders.size().
std::size_t place_of(SessionNumber session, std::span<const Postings::Entry> holders, std::size_t near)
{
  const auto below = [&](std::size_t at) { return holders[at].session < session; };
  std::size_t low = near;
  std::size_t high = near;
  if (below(near)) {
    for (std::size_t step = 1; high < holders.size() && below(high); step *= 2) {
      low = high + 1;
      high += step;
    }
    high = std::min(high, holders.size());
  } else {
    for (std::size_t step = 1; low > 0; step *= 2) {
      low = high - std::min(high, step);
      if (below(low)) break;
      high = low;
    }
  }
  const auto begin = holders.begin();
  const auto found = std::lower_bound(begin + static_cast<std::ptrdiff_t>(low), begin + static_cast<std::ptrdiff_t>(high), session,
                                      [](const Postings::Entry& entry, SessionNumber wanted) { return entry.session < wanted; });
  return static_cast<std::size_t>(found - begin);
}

} // namespace

void Postings::add(ItemNumber item, SessionNumber session, const SessionTable& table)
{
  auto& list = lists_[item];
  const auto& click = first_click(item, session, table);
  const auto made = entry(session, click.time);
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

Postings::Entry Postings::entry(SessionNumber session, std::int64_t time)
{
  return {session, second_of(time)};
}

bool Postings::restore(ItemNumber item, std::span<const SessionNumber> sessions, std::span<const Entry> holders,
                       const SessionTable& table)
{
  auto& list = lists_[item];
  list.clear();
  if (sessions.size() > holders.size()) return false;
  list.reserve(sessions.size());
  const auto follows = [&](const Entry& made) {
    const auto& last = list.back();
    if (last.second != made.second) return last.second < made.second;
    const auto before = std::tuple(first_click(item, last.session, table).time, table.key(last.session));
    return before < std::tuple(first_click(item, made.session, table).time, table.key(made.session));
  };
  // Most are the newest.
  auto near = holders.size() - sessions.size();
  for (const auto session : sessions) {
    near = place_of(session, holders, near);
    if (near == holders.size() || holders[near].session != session || (!list.empty() && !follows(holders[near]))) {
      list.clear();
      return false;
    }
    list.push_back(holders[near]);
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
