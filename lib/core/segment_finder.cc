#include "core/segment_finder.h"

#include "base/assert.h"

namespace attune {

SegmentFinder::SegmentFinder(const Rules& rules, const Catalog& catalog, std::size_t most_bytes)
    : rules_(rules), catalog_(catalog), most_bytes_(most_bytes)
{
}

std::span<const std::string_view> SegmentFinder::take(const Event& event)
{
  ATTUNE_ASSERT(event.time && !event.id.empty());
  auto& known = root_of(event.customer);
  names_ = rules_.segments_of(known.profile, catalog_, *event.time);
  if (event.type == EventType::identify) {
    identify(event);
  } else if (event.type == EventType::forget) {
    forget(known.profile, event);
  } else if (event.type == EventType::consent) {
    consent(known.profile, event);
  } else {
    const Event* const one = &event;
    Outcome outcome{};
    apply(known.profile, {&one, 1}, {&outcome, 1});
  }
  weigh(known);
  evict();
  return names_;
}

SegmentFinder::Known& SegmentFinder::find(const CustomerId& customer)
{
  const auto [at, is_new] = known_.try_emplace(customer.text);
  auto& known = at->second;
  if (is_new) {
    known.profile.customer = customer;
    by_use_.push_front(&known);
    known.use = by_use_.begin();
    weigh(known);
  } else {
    by_use_.splice(by_use_.begin(), by_use_, known.use);
  }
  return known;
}

// At the end of its pointers, which never lead back: identify() sets none that would.
SegmentFinder::Known& SegmentFinder::root_of(const CustomerId& customer)
{
  auto* known = &find(customer);
  while (known->profile.moved_to) known = &find(known->profile.moved_to->alias);
  return *known;
}

// An alias that belongs to somebody stays there.
void SegmentFinder::identify(const Event& event)
{
  auto& root = root_of(event.customer);
  auto& alias = find(event.alias);
  if (alias.profile.moved_to || &alias == &root) return;
  const auto by = Place::of(event);
  absorb(root.profile, alias.profile, {event.alias, by});
  alias.profile.moved_to = AliasClaim{event.customer, by};
  drop_content(alias.profile);
  weigh(alias);
}

void SegmentFinder::weigh(Known& known)
{
  bytes_ -= known.bytes;
  known.bytes = memory_of(known.profile);
  bytes_ += known.bytes;
}

void SegmentFinder::evict()
{
  while (bytes_ > most_bytes_ && !by_use_.empty()) {
    const auto& oldest = *by_use_.back();
    bytes_ -= oldest.bytes;
    by_use_.pop_back();
    known_.erase(std::string(oldest.profile.customer.text));
  }
}

} // namespace attune
