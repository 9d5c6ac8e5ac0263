// Trials: what a random search tries (Bergstra and Bengio, "Random search for hyper-parameter optimization", JMLR 13, 2012): settings drawn
// from the values each may have. Pure; the same seed gives the same trials.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace attune {

// A setting and the values that are tried for it.
struct TrialAxis {
  std::string key;
  std::vector<std::string> values;
};

using TrialSettings = std::vector<std::pair<std::string, std::string>>; // a value of each axis, in their order

// `count` different ones, or all there are when they are fewer; `taken` is none of them. REQUIRES: every axis has a value.
[[nodiscard]] std::vector<TrialSettings> draw_trials(const std::vector<TrialAxis>& axes, std::size_t count, std::uint64_t seed,
                                                     const TrialSettings& taken);

} // namespace attune
