#include "core/repurchases.h"

#include <algorithm>
#include <array>

#include "core/elementary.h"

namespace attune {

namespace {

constexpr float kKept = 0.99F; // of what an item counted, at its next interval
constexpr float kLean = 5; // intervals of its category that an item's are counted with, and of all that a category's are
constexpr float kLeanOwn = 2; // and a customer's own are
constexpr float kMonth = 31.27F; // log2 of 30 days in ms: before anything was bought again
constexpr std::int64_t kShortest = 60'000;

float log2_of(std::int64_t ms)
{
  return log_of(static_cast<float>(std::max(ms, kShortest))) * 1.44269504F;
}

float mean(const Repurchases::Habit& habit, float lean, float towards)
{
  return (habit.sum + lean * towards) / (habit.count + lean);
}

void add_to(std::vector<Repurchases::Habit>& habits, std::uint32_t number, float log_interval)
{
  if (number >= habits.size()) habits.resize(number + 1);
  habits[number].add(log_interval);
}

// After the orders of a wholesaler (UCI Online Retail, up to 2011-10): how often an item is in its customer's next order, by log2 of the time
// since the last purchase of it over the interval, from -6 to 6, against the most; and how that falls with each order that passed
// it over.
constexpr float kFrom = -6;
constexpr std::array<float, 13> kDue{0.05F, 0.1F, 0.15F, 0.25F, 0.45F, 0.7F, 0.95F, 1, 0.95F, 0.7F, 0.6F, 0.5F, 0.4F};
constexpr float kPassed = 0.75F;

} // namespace

void Repurchases::Habit::add(float log_interval)
{
  count = count * kKept + 1;
  sum = sum * kKept + log_interval;
}

void Repurchases::add(ItemNumber item, std::uint32_t category, std::int64_t interval)
{
  const float log_interval = log2_of(interval);
  add_to(items_, item, log_interval);
  if (category != kNoCategory) add_to(categories_, category, log_interval);
  all_.add(log_interval);
}

void Repurchases::forget(ItemNumber item)
{
  if (item < items_.size()) items_[item] = {};
}

float Repurchases::expected(const Question::Bought& bought, std::uint32_t category) const
{
  float usual = mean(all_, 1, kMonth);
  if (category < categories_.size()) usual = mean(categories_[category], kLean, usual);
  if (bought.item < items_.size()) usual = mean(items_[bought.item], kLean, usual);
  if (bought.times < 2) return usual;
  const auto intervals = static_cast<float>(bought.times - 1);
  const auto between = (bought.last - bought.first) / static_cast<std::int64_t>(bought.times - 1);
  return mean({intervals, intervals * log2_of(between)}, kLeanOwn, usual);
}

float Repurchases::due(const Question::Bought& bought, std::uint32_t category, std::int64_t now) const
{
  const float late = log2_of(now - bought.last) - expected(bought, category) - kFrom;
  const float by = exp_of(-kPassed * log_of(1.0F + static_cast<float>(bought.passed)));
  if (late <= 0) return by * kDue.front();
  const auto step = static_cast<std::size_t>(late);
  if (step + 1 >= kDue.size()) return by * kDue.back();
  const float beyond = late - static_cast<float>(step);
  return by * (kDue[step] + beyond * (kDue[step + 1] - kDue[step]));
}

void Repurchases::restore(Content content)
{
  items_ = std::move(content.items);
  categories_ = std::move(content.categories);
  all_ = content.all;
}

} // namespace attune
