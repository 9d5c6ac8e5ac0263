// Small events for the tests of the pipeline: what a test says of an event is all that matters of it.
#pragma once

#include <string>
#include <vector>

#include "core/event.h"

namespace attune::testing {

inline constexpr Timestamp kNoon{1'767'268'800'000};

inline Event event(EventType type, std::string_view customer, std::string_view id, Timestamp time)
{
  Event event;
  event.type = type;
  event.customer = CustomerId(customer);
  event.id = EventId(id);
  event.time = time;
  return event;
}

inline Event view(std::string_view customer, std::string_view id, Timestamp time, std::string_view item = "lamp")
{
  Event seen = event(EventType::view, customer, id, time);
  seen.item = ItemId(item);
  return seen;
}

inline Event identify(std::string_view customer, std::string_view alias, std::string_view id, Timestamp time)
{
  Event claim = event(EventType::identify, customer, id, time);
  claim.alias = CustomerId(alias);
  return claim;
}

inline Event consent(std::string_view customer, bool granted, std::string_view id, Timestamp time)
{
  Event given = event(EventType::consent, customer, id, time);
  given.granted = granted;
  return given;
}

inline std::vector<const Event*> pointers_to(const std::vector<Event>& events)
{
  std::vector<const Event*> pointers;
  for (const auto& each : events) pointers.push_back(&each);
  return pointers;
}

} // namespace attune::testing
