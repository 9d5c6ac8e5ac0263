// Visits written as words, and a contender that answers as a test tells it: for the tests of evaluations.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/evaluate.h"

namespace attune::testing {

// A click of a customer's visit, `second` seconds after 1970; its id is made of all of it.
inline Lesson lesson_at(std::string_view session, std::string_view item, std::int64_t second, ClickKind kind = ClickKind::view)
{
  const auto hash = [](std::string_view text) { return std::hash<std::string_view>{}(text) | 1; };
  Lesson lesson;
  lesson.key = {hash(session), hash(session) ^ 2};
  lesson.time = second * 1000;
  lesson.id = hash(std::string(session) + '/' + std::string(item) + '@' + std::to_string(second));
  lesson.item = item;
  lesson.kind = kind;
  return lesson;
}

// "s1:a s1:b s2:a": a click a second, in this order.
inline Lessons lessons_of(std::string_view words)
{
  Lessons lessons;
  std::istringstream in{std::string(words)};
  std::int64_t second = 0;
  for (std::string word; in >> word; ++second) {
    const auto colon = word.find(':');
    lessons.add(lesson_at(word.substr(0, colon), word.substr(colon + 1), second));
  }
  lessons.sort();
  return lessons;
}

// Remembers what it is taught, and answers what `tell` says.
class Scripted final : public Contender {
 public:
  using Tell = std::function<std::vector<std::string>(const Scripted&, const Question&, std::size_t way)>;

  explicit Scripted(Tell tell) : tell_(std::move(tell)) {}

  void learn(const Lesson& lesson) override
  {
    const std::string item(lesson.item);
    if (numbers_.emplace(item, static_cast<ItemNumber>(learned.size())).second) learned.push_back(item);
    auto& session = sessions_[lesson.key];
    if (session.empty() || learned[session.back()] != item) session.push_back(numbers_[item]);
    newest = item;
    ++lessons;
  }
  [[nodiscard]] Question question(const SessionKey& key, std::int64_t, std::string_view) const override
  {
    Question question;
    if (const auto found = sessions_.find(key); found != sessions_.end()) question.session = found->second;
    return question;
  }
  [[nodiscard]] ItemNumber number_of(std::string_view item) const override
  {
    const auto found = numbers_.find(std::string(item));
    return found == numbers_.end() ? kUnknownItem : found->second;
  }
  [[nodiscard]] std::string_view item(ItemNumber number) const override { return learned[number]; }
  void answer(std::size_t way, const Question& question, std::size_t n, std::vector<ItemNumber>& out) const override
  {
    out.clear();
    for (const auto& item : tell_(*this, question, way))
      if (const auto number = number_of(item); number != kUnknownItem && out.size() < n) out.push_back(number);
  }
  [[nodiscard]] double taught() const override { return 0.25; }

  std::vector<std::string> learned; // each item once, in the order they came
  std::string newest; // the item learned last
  std::size_t lessons = 0;

 private:
  Tell tell_;
  std::map<std::string, ItemNumber> numbers_;
  std::map<SessionKey, std::vector<ItemNumber>> sessions_;
};

// One contender, asked in one way; or several of them.
inline Lineup scripted(std::vector<Scripted::Tell> tells)
{
  Lineup lineup;
  for (std::size_t i = 0; i < tells.size(); ++i) lineup.entrants.push_back({"entrant-" + std::to_string(i), i, 0});
  lineup.make = [tells](std::size_t model) { return std::make_unique<Scripted>(tells[model]); };
  return lineup;
}

// The item clicked last, by its text; "" when it is unknown or there is none.
inline std::string last_of(const Scripted& model, const Question& question)
{
  if (question.session.empty() || question.session.back() == kUnknownItem) return "";
  return std::string(model.item(question.session.back()));
}

} // namespace attune::testing
