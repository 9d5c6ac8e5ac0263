#include "core/trials.h"

#include <algorithm>

#include "base/assert.h"

namespace attune {

namespace {

// The combination of this number: its digits, to the bases of the axes.
TrialSettings combination(const std::vector<TrialAxis>& axes, std::uint64_t number)
{
  TrialSettings settings;
  for (const auto& axis : axes) {
    settings.emplace_back(axis.key, axis.values[number % axis.values.size()]);
    number /= axis.values.size();
  }
  return settings;
}

// SplitMix64 (Steele, Lea and Flood 2014), which is a bijection: no two combinations share a place.
std::uint64_t place(std::uint64_t number, std::uint64_t seed)
{
  std::uint64_t z = (number + 1 + seed * 0xD134'2543'DE82'EF95U) * 0x9E37'79B9'7F4A'7C15U;
  z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9U;
  z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EBU;
  return z ^ (z >> 31);
}

} // namespace

// All combinations in an order drawn by lot, and the first of them.
std::vector<TrialSettings> draw_trials(const std::vector<TrialAxis>& axes, std::size_t count, std::uint64_t seed,
                                       const TrialSettings& taken)
{
  std::uint64_t combinations = 1;
  for (const auto& axis : axes) {
    ATTUNE_ASSERT(!axis.values.empty());
    combinations *= axis.values.size();
    ATTUNE_ASSERT(combinations < 10'000'000);
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> order;
  for (std::uint64_t number = 0; number < combinations; ++number) order.emplace_back(place(number, seed), number);
  std::sort(order.begin(), order.end());
  std::vector<TrialSettings> trials;
  for (const auto& [at, number] : order) {
    if (trials.size() == count) break;
    auto settings = combination(axes, number);
    if (settings != taken) trials.push_back(std::move(settings));
  }
  return trials;
}

} // namespace attune
