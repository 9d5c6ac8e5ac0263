#include "core/probes.h"

#include <algorithm>

#include "base/assert.h"

namespace attune {

namespace {

// One in `every`, by the lesson itself: a sample that does not depend on what else is asked.
bool sampled(const Lesson& lesson, const ProbeOptions& options)
{
  if (options.every <= 1) return true;
  std::uint64_t z = lesson.id + options.seed * 0x9E37'79B9'7F4A'7C15U;
  z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9U;
  z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EBU;
  return (z ^ (z >> 31)) % options.every == 0;
}

bool same(const Lesson& a, const Lesson& b)
{
  return a.time == b.time && a.id == b.id && a.key == b.key && a.item == b.item;
}

struct KeyHash {
  std::size_t operator()(const SessionKey& key) const { return key.customer ^ (key.site * 0x9E37'79B9'7F4A'7C15U); }
};

// A session as far as it has been read.
struct Going {
  std::uint32_t session = Probes::kNone;
  std::uint32_t last_lesson = 0, last_item = 0, place = 0;
  std::int64_t last_time = 0;
};

} // namespace

std::size_t LessonStream::place_of(std::int64_t time) const
{
  std::size_t low = 0, high = size();
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    if ((*this)[middle].time < time)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

Probes::Probes(const LessonStream& lessons, const ProbeOptions& options)
{
  ATTUNE_ASSERT(lessons.size() < kNone);
  read(lessons, options);
  lay_paths();
  measure_rests();
}

std::uint32_t Probes::number(std::string_view text)
{
  const auto [at, added] = numbers_.emplace(text, static_cast<std::uint32_t>(texts_.size()));
  if (added) texts_.push_back(text);
  return at->second;
}

std::uint32_t Probes::item_of(std::string_view text) const
{
  const auto found = numbers_.find(text);
  return found == numbers_.end() ? kNone : found->second;
}

void Probes::read(const LessonStream& lessons, const ProbeOptions& options)
{
  const auto size = lessons.size();
  session_of_.assign(size, kNone);
  item_of_.resize(size);
  repeat_.assign(size, true);
  std::unordered_map<SessionKey, Going, KeyHash> going;
  std::uint32_t sessions = 0;
  Lesson before;
  for (std::size_t i = 0; i < size; ++i) {
    const auto lesson = lessons[i];
    const auto item = item_of_[i] = number(lesson.item);
    if (i > 0 && same(lesson, before)) continue;
    before = lesson;

    auto& session = going[lesson.key];
    const bool idle = lesson.key.site == 0 && lesson.time - session.last_time > options.idle_ms;
    const bool fresh = session.session == kNone || idle;
    if (fresh) session = {sessions++, 0, 0, 0, 0};
    session_of_[i] = session.session;
    repeat_[i] = !fresh && item == session.last_item;
    if (!repeat_[i]) {
      const bool asked = !fresh && i >= options.from && lesson.time - session.last_time >= options.min_gap_ms;
      if (asked && sampled(lesson, options))
        probes_.push_back({static_cast<std::uint32_t>(i), session.last_lesson, session.session, session.place});
      ++session.place;
    }
    session.last_lesson = static_cast<std::uint32_t>(i);
    session.last_item = item;
    session.last_time = lesson.time;
  }
  begin_.assign(std::size_t{sessions} + 1, 0);
}

void Probes::lay_paths()
{
  for (std::size_t i = 0; i < session_of_.size(); ++i)
    if (!repeat_[i]) ++begin_[session_of_[i] + 1];
  for (std::size_t s = 1; s < begin_.size(); ++s) begin_[s] += begin_[s - 1];
  steps_.resize(begin_.back());
  auto next = begin_;
  for (std::size_t i = 0; i < session_of_.size(); ++i)
    if (!repeat_[i]) steps_[next[session_of_[i]]++] = {static_cast<std::uint32_t>(i), item_of_[i]};
}

std::span<const Probes::Step> Probes::path(std::uint32_t session) const
{
  return std::span(steps_).subspan(begin_[session], begin_[session + 1] - begin_[session]);
}

// For the sessions that are asked for: the last place of each item, and how many distinct items stand from each place on.
void Probes::measure_rests()
{
  std::vector<bool> asked(sessions());
  for (const auto& probe : probes_) asked[probe.session] = true;
  last_begin_.assign(sessions() + 1, 0);
  std::vector<std::uint32_t> distinct(steps_.size()); // from this step on
  for (std::uint32_t s = 0; s < sessions(); ++s) {
    const auto first = last_places_.size();
    last_begin_[s] = first;
    if (!asked[s]) continue;
    const auto steps = path(s);
    for (std::uint32_t place = 0; place < steps.size(); ++place) last_places_.push_back({steps[place].item, place});
    const auto begin = last_places_.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, last_places_.end(),
              [](const LastPlace& a, const LastPlace& b) { return a.item != b.item ? a.item < b.item : a.place > b.place; });
    last_places_.erase(
        std::unique(begin, last_places_.end(), [](const LastPlace& a, const LastPlace& b) { return a.item == b.item; }),
        last_places_.end());
    for (auto at = last_places_.begin() + static_cast<std::ptrdiff_t>(first); at != last_places_.end(); ++at)
      distinct[begin_[s] + at->place] = 1;
    for (auto place = steps.size(); place-- > 1;) distinct[begin_[s] + place - 1] += distinct[begin_[s] + place];
  }
  last_begin_.back() = last_places_.size();
  rest_.resize(probes_.size());
  for (std::size_t p = 0; p < probes_.size(); ++p) {
    rest_[p] = distinct[begin_[probes_[p].session] + probes_[p].place];
    // The item clicked last may come again, but no list shows it.
    if (comes_later(probes_[p], last_item(p))) --rest_[p];
  }
}

// Whether a session clicks the item at the probe's target or later.
bool Probes::comes_later(const Probe& probe, std::uint32_t item) const
{
  const auto places =
      std::span(last_places_).subspan(last_begin_[probe.session], last_begin_[probe.session + 1] - last_begin_[probe.session]);
  const auto at = std::lower_bound(places.begin(), places.end(), item,
                                   [](const LastPlace& last, std::uint32_t wanted) { return last.item < wanted; });
  return at != places.end() && at->item == item && at->place >= probe.place;
}

bool Probes::in_rest(std::size_t probe, std::uint32_t item) const
{
  return item != last_item(probe) && comes_later(probes_[probe], item);
}

std::uint32_t Probes::last_item(std::size_t probe) const
{
  return path(probes_[probe].session)[probes_[probe].place - 1].item;
}

std::uint32_t Probes::next_item(std::size_t probe) const
{
  return path(probes_[probe].session)[probes_[probe].place].item;
}

std::vector<std::uint64_t> Probes::clicks(std::size_t to) const
{
  std::vector<std::uint64_t> out(items());
  for (std::size_t i = 0; i < to; ++i)
    if (session_of_[i] != kNone) ++out[item_of_[i]];
  return out;
}

} // namespace attune
