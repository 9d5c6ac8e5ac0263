// Small models for the tests of recommendations: sessions written as words.
#pragma once

#include <initializer_list>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

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

inline std::vector<std::string> words_of(std::string_view text)
{
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// Each text is a session of items, "lamp desk chair"; the sessions follow one another, an item a minute.
inline Model model_of(std::initializer_list<std::string_view> sessions, const ModelOptions& options = {})
{
  Model model(options);
  std::int64_t minute = 0;
  int number = 0;
  for (const auto session : sessions) {
    const auto name = "s" + std::to_string(++number);
    for (const auto& item : words_of(session)) model.learn(click(name, item, minute++));
  }
  return model;
}

// In the order they stand in.
inline Model learned(const std::vector<Event>& events, const ModelOptions& options = {})
{
  Model model(options);
  for (const auto& event : events) model.learn(event);
  return model;
}

// In the order of time, as from a log.
inline Model trained(const std::vector<Event>& events, const ModelOptions& options = {})
{
  Lessons lessons;
  for (const auto& event : events) lessons.add(event);
  lessons.sort();
  Model model(options);
  model.learn(lessons);
  return model;
}

// Names the model after them.
inline std::string bytes_of(Model& model)
{
  std::string bytes;
  const auto saved = model.encode([&bytes](std::string_view piece) {
    bytes += piece;
    return Status();
  });
  model.set_saved(*saved);
  return bytes;
}
inline std::string bytes_of(Model&& model)
{
  return bytes_of(model);
}

} // namespace attune::testing
