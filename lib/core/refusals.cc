#include "core/refusals.h"

#include <algorithm>

#include "base/assert.h"
#include "core/lesson.h"

namespace attune {

bool Refusals::take(const Event& event)
{
  ATTUNE_ASSERT(event.time);
  Standing said;
  said.customer = session_key(event.customer, {}).customer;
  if (event.type == EventType::forget) {
    said.forgotten = event.time->ms;
  } else if (event.type == EventType::consent && event.granted) {
    said.answered = event.time->ms;
    said.granted = *event.granted ? 1 : 0;
    if (!*event.granted) said.forgotten = event.time->ms; // refusing forgets, standing or not
  } else {
    return false;
  }
  return merge(said);
}

bool Refusals::merge(const Standing& other)
{
  auto [found, made] = standing_.try_emplace(other.customer, other);
  if (made) return other.granted == 0 || other.forgotten != INT64_MIN;
  auto& mine = found->second;
  const auto before = mine;
  mine.forgotten = std::max(mine.forgotten, other.forgotten);
  // Of two answers of one time the refusal stands.
  if (other.answered > mine.answered || (other.answered == mine.answered && other.granted < mine.granted)) {
    mine.answered = other.answered;
    mine.granted = other.granted;
  }
  return mine.forgotten > before.forgotten || mine.granted < before.granted;
}

void Refusals::merge(const Refusals& other)
{
  for (const auto& [customer, standing] : other.standing_) merge(standing);
}

std::vector<Refusals::Standing> Refusals::all() const
{
  std::vector<Standing> all;
  for (const auto& [customer, standing] : standing_) all.push_back(standing);
  return all;
}

void Refusals::restore(const std::vector<Standing>& all)
{
  standing_.clear();
  for (const auto& standing : all) standing_.emplace(standing.customer, standing);
}

} // namespace attune
