// Small models for the tests of recommendations: sessions written as words.
#pragma once

#include <initializer_list>
#include <sstream>
#include <string>
#include <string_view>

#include "core/model.h"

namespace attune::testing {

inline constexpr std::int64_t kFirstMinute = 1'767'268'800'000; // 2026-01-01T12:00:00Z

// A view, one minute after the other by `minute`, in a session of the site; its id is made of session and minute.
inline Event click(std::string_view session, std::string_view item, std::int64_t minute)
{
  Event event;
  event.type = EventType::view;
  event.customer = CustomerId("c-" + std::string(session));
  event.session = SessionId(session);
  event.item = ItemId(item);
  event.time = Timestamp{kFirstMinute + minute * 60'000};
  event.id = EventId(std::string(session) + "@" + std::to_string(minute));
  return event;
}

// Each text is a session of items, "lamp desk chair"; the sessions follow one another, an item a minute.
inline Model model_of(std::initializer_list<std::string_view> sessions, const ModelOptions& options = {})
{
  Model model(options);
  std::int64_t minute = 0;
  int number = 0;
  for (const auto session : sessions) {
    const auto name = "s" + std::to_string(++number);
    std::istringstream items{std::string(session)};
    for (std::string item; items >> item;) model.learn(click(name, item, minute++));
  }
  model.freeze();
  return model;
}

inline std::string bytes_of(const Model& model)
{
  std::string bytes;
  model.encode(bytes);
  return bytes;
}

} // namespace attune::testing
