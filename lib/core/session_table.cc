#include "core/session_table.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_set>

#include "base/assert.h"
#include "core/huge_pages.h"

namespace attune {

namespace {

bool before_in_session(const Click& a, const Click& b)
{
  return std::tie(a.time, a.id) < std::tie(b.time, b.id);
}

std::size_t distinct_items(std::span<const Click> clicks)
{
  std::array<ItemNumber, kMaxSessionClicks> items;
  std::transform(clicks.begin(), clicks.end(), items.begin(), [](const Click& click) { return click.item; });
  const auto end = items.begin() + static_cast<std::ptrdiff_t>(clicks.size());
  std::sort(items.begin(), end);
  return static_cast<std::size_t>(std::unique(items.begin(), end) - items.begin());
}

} // namespace

SessionTable::SessionTable(Milliseconds idle) : idle_(idle.count()) {}

SessionTable::Place SessionTable::place(const SessionKey& key, const Click& click) const
{
  if (key.site == 0) return place_by_time(key, click);
  const auto session = find(key);
  if (session == kNoSession) return too_late(newest_of(key.customer), click.time) ? Place{Place::How::ignored} : Place{};
  const auto place = place_in(session, click);
  // Its session begins earlier with it, and moves behind others.
  const bool moves = place.how == Place::How::inserted && click.time < clicks(session).front().time;
  return moves && too_late(before(session), click.time) ? Place{Place::How::ignored, session} : place;
}

// Whether a session that begins at `time` stands before more than kMostLate of the customer's, `from` being the newest to be looked at.
bool SessionTable::too_late(SessionNumber from, std::int64_t time) const
{
  int steps = 0;
  for (auto session = from; session != kNoSession && clicks(session).front().time > time; session = before(session))
    if (++steps > kMostLate) return true;
  return false;
}

SessionTable::Place SessionTable::place_in(SessionNumber session, const Click& click) const
{
  const auto there = clicks(session);
  // Of two clicks with one id the earlier stays.
  for (const auto& known : there)
    if (known.id == click.id) return {click.time < known.time ? Place::How::inserted : Place::How::repeated, session, kNoSession};
  const bool last = before_in_session(there.back(), click);
  if (there.size() == kMaxSessionClicks && last) return {Place::How::ignored, session, kNoSession};
  return {last ? Place::How::appended : Place::How::inserted, session, kNoSession};
}

// Sessions without a site's id lie apart by more than the idle limit, so that a click is near two of them at most, and then joins them.
SessionTable::Place SessionTable::place_by_time(const SessionKey& key, const Click& click) const
{
  auto later = kNoSession; // the one behind it, when near enough
  int steps = 0;
  for (auto session = find(key); session != kNoSession; session = before(session)) {
    if (++steps > kMostLate) return {Place::How::ignored};
    if (sessions_[session].key != key) continue;
    const auto there = clicks(session);
    if (click.time + idle_ < there.front().time) continue;
    if (there.back().time + idle_ < click.time) break;
    const auto place = place_in(session, click);
    if (place.how == Place::How::repeated || place.how == Place::How::ignored) return place;
    if (click.time >= there.front().time) // inside it, or behind it
      return later == kNoSession ? place : Place{Place::How::inserted, session, later};
    later = session; // in front of it: the one before may be near too
  }
  if (later != kNoSession) return {Place::How::inserted, later, kNoSession};
  return too_late(newest_of(key.customer), click.time) ? Place{Place::How::ignored} : Place{};
}

SessionNumber SessionTable::append(const Place& place, const SessionKey& key, const Click& click)
{
  const auto session = place.session == kNoSession ? open(key, click.time) : place.session;
  if (place.session != kNoSession) {
    unlink(session);
    link_last(session);
  }
  put(session, click);
  ++click_count_;
  return session;
}

void SessionTable::insert(const Place& place, const Click& click)
{
  const auto there = clicks(place.session);
  const auto there_first = there.front().time;
  std::vector<Click> all(there.begin(), there.end());
  if (place.other == kNoSession) {
    // The same id at a later time goes.
    std::erase_if(all, [&click](const Click& known) { return known.id == click.id; });
    all.insert(std::upper_bound(all.begin(), all.end(), click, before_in_session), click);
  } else {
    const auto more = clicks(place.other);
    all.insert(all.end(), more.begin(), more.end());
    all.push_back(click);
    close(place.other);
    std::sort(all.begin(), all.end(), before_in_session);
    // Two that become one may have an id in common: its smaller click stays.
    std::unordered_set<std::uint64_t> ids;
    std::erase_if(all, [&ids](const Click& each) { return !ids.insert(each.id).second; });
  }
  if (all.size() > kMaxSessionClicks) all.resize(kMaxSessionClicks);
  if (all.front().time < there_first) {
    const auto behind = sessions_[place.session].behind;
    unchain(place.session);
    chain(place.session, all.front().time, behind);
  }
  auto& session = sessions_[place.session];
  click_count_ -= session.clicks.size;
  session.clicks.size = 0;
  session.items.size = 0;
  fill(place.session, all, distinct_items(all));
}

void SessionTable::put(SessionNumber number, const Click& click)
{
  auto& session = sessions_[number];
  clicks_.push(session.clicks, click);
  const auto there = items_.values(session.items);
  if (!there.empty() && there.back() == click.item) return;
  if (std::find(there.begin(), there.end(), click.item) == there.end()) set_distinct(number, distinct_[number] + 1U);
  items_.push(session.items, click.item);
}

void SessionTable::set_distinct(SessionNumber session, std::size_t distinct)
{
  auto& kept = distinct_[session];
  if (kept > 0) --lengths_[kept];
  if (distinct > 0) ++lengths_[distinct];
  if (kept > 1) --several_;
  if (distinct > 1) ++several_;
  items_in_sessions_ += distinct;
  items_in_sessions_ -= kept;
  kept = static_cast<std::uint16_t>(distinct);
}

std::size_t SessionTable::usual_length() const
{
  std::size_t length = 2;
  for (auto longer = several_; length < kMaxSessionClicks; ++length)
    if ((longer -= lengths_[length]) * 200 <= several_) break;
  return length;
}

SessionNumber SessionTable::take_place(const SessionKey& key)
{
  SessionNumber session = 0;
  if (free_.empty()) {
    ATTUNE_ASSERT(sessions_.size() < kNoSession);
    session = static_cast<SessionNumber>(sessions_.size());
    if (sessions_.size() == sessions_.capacity()) sessions_.reserve(sessions_.size() + sessions_.size() / 8 + 16);
    sessions_.emplace_back();
    distinct_.push_back(0);
  } else {
    session = free_.back();
    free_.pop_back();
  }
  sessions_[session].key = key;
  link_last(session);
  ++open_count_;
  return session;
}

SessionNumber SessionTable::open(const SessionKey& key, std::int64_t time)
{
  const auto session = take_place(key);
  if (const auto same = find(key); same == kNoSession || clicks(same).front().time <= time) set_found(key, session);
  chain(session, time, kNoSession);
  return session;
}

// Puts a session that is to begin at `time` among those of its customer, before `behind`, or before none. Of two that begin at once the
// order is that of their keys, whatever order they came in.
void SessionTable::chain(SessionNumber session, std::int64_t time, SessionNumber behind)
{
  auto& made = sessions_[session];
  made.behind = behind;
  made.before = behind == kNoSession ? newest_of(made.key.customer) : before(behind);
  const auto follows = [&](SessionNumber other) {
    return std::tie(clicks(other).front().time, sessions_[other].key) > std::tie(time, made.key);
  };
  while (made.before != kNoSession && follows(made.before)) {
    made.behind = made.before;
    made.before = before(made.before);
  }
  if (made.before != kNoSession) sessions_[made.before].behind = session;
  if (made.behind != kNoSession)
    sessions_[made.behind].before = session;
  else
    set_newest(made.key.customer, session);
}

void SessionTable::unchain(SessionNumber session)
{
  const auto& here = sessions_[session];
  if (here.before != kNoSession) sessions_[here.before].behind = here.behind;
  if (here.behind != kNoSession)
    sessions_[here.behind].before = here.before;
  else if (here.before != kNoSession)
    set_newest(here.key.customer, here.before);
  else
    by_customer_.erase(here.key.customer, session);
}

void SessionTable::close(SessionNumber session)
{
  const auto key = sessions_[session].key;
  if (find(key) == session) {
    auto next = key.site == 0 ? before(session) : kNoSession;
    while (next != kNoSession && sessions_[next].key.site != 0) next = before(next);
    if (next == kNoSession)
      by_key_.erase(hash_of(key), session);
    else
      set_found(key, next);
  }
  unchain(session);
  unlink(session);
  set_distinct(session, 0);
  auto& closed = sessions_[session];
  click_count_ -= closed.clicks.size;
  clicks_.release(closed.clicks);
  items_.release(closed.items);
  closed = {};
  free_.push_back(session);
  --open_count_;
}

void SessionTable::fill(SessionNumber number, std::span<const Click> clicks, std::size_t distinct)
{
  ATTUNE_ASSERT(!clicks.empty() && clicks.size() <= kMaxSessionClicks);
  auto& session = sessions_[number];
  clicks_.assign(session.clicks, clicks);
  std::array<ItemNumber, kMaxSessionClicks> items;
  std::size_t count = 0;
  for (const auto& click : clicks)
    if (count == 0 || items[count - 1] != click.item) items[count++] = click.item;
  items_.assign(session.items, std::span<const ItemNumber>(items.data(), count));
  set_distinct(number, distinct);
  click_count_ += clicks.size();
}

SessionNumber SessionTable::restore(const SessionKey& key, std::span<const Click> clicks)
{
  const auto session = open(key, clicks.front().time);
  fill(session, clicks, distinct_items(clicks));
  return session;
}

SessionNumber SessionTable::load(const SessionKey& key, std::span<const Click> clicks, std::size_t distinct)
{
  const auto session = take_place(key);
  fill(session, clicks, distinct);
  return session;
}

// In two steps: most sessions stand behind those of their customer that were loaded before them; where one does not, all of its
// customer are put in order at the end, so that no file takes longer than sorting it.
bool SessionTable::finish_loading()
{
  constexpr SessionNumber kAhead = 16; // the index lies anywhere: waiting for it would take most of the time
  std::vector<std::uint64_t> disordered;
  const auto all = limit();
  for (SessionNumber session = 0; session < all; ++session) {
    if (session + kAhead < all) {
      const auto& ahead = sessions_[session + kAhead].key;
      by_key_.prefetch(hash_of(ahead));
      by_customer_.prefetch(ahead.customer);
    }
    if (!index_loaded(session, disordered)) return false;
  }
  std::sort(disordered.begin(), disordered.end());
  disordered.erase(std::unique(disordered.begin(), disordered.end()), disordered.end());
  return std::all_of(disordered.begin(), disordered.end(), [this](std::uint64_t customer) { return put_in_order(customer); });
}

bool SessionTable::index_loaded(SessionNumber session, std::vector<std::uint64_t>& disordered)
{
  auto& here = sessions_[session];
  const auto hash = hash_of(here.key);
  const auto same = find(here.key);
  if (same == kNoSession) {
    by_key_.insert(hash, session);
  } else {
    if (here.key.site != 0) return false;
    if (!begins_before(same, session))
      disordered.push_back(here.key.customer);
    else if (!lies_apart(same, session))
      return false;
    set_found(here.key, session);
  }
  here.before = newest_of(here.key.customer);
  if (here.before == kNoSession) {
    by_customer_.insert(here.key.customer, session);
    return true;
  }
  if (!begins_before(here.before, session)) disordered.push_back(here.key.customer);
  sessions_[here.before].behind = session;
  set_newest(here.key.customer, session);
  return true;
}

bool SessionTable::put_in_order(std::uint64_t customer)
{
  std::vector<SessionNumber> all;
  for (auto session = newest_of(customer); session != kNoSession; session = before(session)) all.push_back(session);
  std::sort(all.begin(), all.end(), [this](SessionNumber a, SessionNumber b) { return begins_before(a, b); });
  auto before_it = kNoSession;
  auto without_id = kNoSession; // the newest so far
  for (const auto session : all) {
    auto& here = sessions_[session];
    here.before = before_it;
    here.behind = kNoSession;
    if (before_it != kNoSession) sessions_[before_it].behind = session;
    before_it = session;
    if (here.key.site != 0) continue;
    if (without_id != kNoSession && !lies_apart(without_id, session)) return false;
    without_id = session;
  }
  set_newest(customer, before_it);
  if (without_id != kNoSession) set_found(sessions_[without_id].key, without_id);
  return true;
}

// Of two that begin at once the order is that of their keys.
bool SessionTable::begins_before(SessionNumber a, SessionNumber b) const
{
  return std::tie(clicks(a).front().time, sessions_[a].key) < std::tie(clicks(b).front().time, sessions_[b].key);
}

// Of two sessions without a session id.
bool SessionTable::lies_apart(SessionNumber before, SessionNumber after) const
{
  return clicks(before).back().time + idle_ < clicks(after).front().time;
}

void SessionTable::basket(SessionNumber session, std::vector<ItemNumber>& out) const
{
  out.clear();
  for (const auto& click : clicks(session))
    if (joins_basket(click) && std::find(out.begin(), out.end(), click.item) == out.end()) out.push_back(click.item);
}

SessionNumber SessionTable::find(const SessionKey& key) const
{
  return by_key_.find(hash_of(key), [&](SessionNumber session) { return sessions_[session].key == key; });
}

SessionNumber SessionTable::newest_of(std::uint64_t customer) const
{
  return by_customer_.find(customer, [&](SessionNumber session) { return sessions_[session].key.customer == customer; });
}

void SessionTable::set_found(const SessionKey& key, SessionNumber session)
{
  by_key_.set(hash_of(key), session, [&](SessionNumber other) { return sessions_[other].key == key; });
}

void SessionTable::set_newest(std::uint64_t customer, SessionNumber session)
{
  by_customer_.set(customer, session, [&](SessionNumber other) { return sessions_[other].key.customer == customer; });
}

SessionNumber SessionTable::before(SessionNumber session) const
{
  return sessions_[session].before;
}

void SessionTable::unlink(SessionNumber session)
{
  const auto& here = sessions_[session];
  (here.earlier == kNoSession ? first_ : sessions_[here.earlier].later) = here.later;
  (here.later == kNoSession ? last_ : sessions_[here.later].earlier) = here.earlier;
}

void SessionTable::link_last(SessionNumber session)
{
  auto& here = sessions_[session];
  here.earlier = last_;
  here.later = kNoSession;
  (last_ == kNoSession ? first_ : sessions_[last_].later) = session;
  last_ = session;
}

std::size_t SessionTable::bytes() const
{
  return clicks_.bytes() + items_.bytes() + sessions_.capacity() * (sizeof(Session) + sizeof(distinct_.front())) + by_key_.bytes() +
         by_customer_.bytes();
}

void SessionTable::set_segments(SessionNumber session, std::span<const std::uint16_t> segments)
{
  const auto there = clicks_.values(sessions_[session].clicks);
  ATTUNE_ASSERT(there.size() == segments.size());
  for (std::size_t i = 0; i < there.size(); ++i) there[i].segments = segments[i];
}

void SessionTable::reserve(std::size_t sessions, std::size_t room)
{
  sessions_.reserve(sessions);
  ask_for_huge_pages(sessions_.data(), sessions * sizeof(Session));
  clicks_.expect(room);
  distinct_.reserve(sessions);
  by_key_.reserve(sessions);
  by_customer_.reserve(sessions);
}

} // namespace attune
