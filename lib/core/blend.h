// Blend: the score of a candidate, a linear function of its features whose weights are learned at each click: softmax over the
// candidates, the clicked one the right answer, AdaGrad steps (Duchi, Hazan, Singer, JMLR 2011). Weights are global ones, plus those of
// the question's bucket, plus those of the slot it was asked for.
//
// Not synchronized; const functions may be called by many threads. Deterministic: the same lessons in the same order give the same
// bits. Memory: 500 bytes a set of weights; 10 sets, and one for each slot up to kMaxSlots.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/features.h"

namespace attune {

inline constexpr std::size_t kMaxSlots = 32;

class Blend {
 public:
  Blend();

  struct Weights {
    std::array<float, kFeatures> weight{};
    std::array<float, kFeatures> steepness{}; // sum of squared gradients
    std::uint64_t steps = 0; // clicks that moved it
  };

  // Scores of all candidates, by group and in all. Feature-major as `features` are: parts of group g begin at g * stride.
  struct Scores {
    std::size_t stride = 0;
    std::vector<float> parts;
    std::vector<float> total; // the sum of the parts, in their order

    [[nodiscard]] float part(Group group, std::size_t candidate) const
    {
      return parts[static_cast<std::size_t>(group) * stride + candidate];
    }
    // The sum of a candidate's parts as contributions are added up: exactly.
    [[nodiscard]] double exact(std::size_t candidate) const
    {
      double sum = 0;
      for (std::size_t g = 0; g < kGroups; ++g) sum += static_cast<double>(parts[g * stride + candidate]);
      return sum;
    }
  };
  void score(const Features& features, std::uint32_t slot, Scores& out) const;
  // One step towards the candidate that was clicked. REQUIRES: scores are of these features and this slot; clicked < count().
  void learn(const Features& features, std::uint32_t slot, const Scores& scores, std::size_t clicked, float rate);

  [[nodiscard]] std::uint64_t steps() const { return sets_.front().steps; }
  // Averages the weights of each set, weighed by how many clicks moved it. `slots`: the other's slots in our numbers; one of 0, but for
  // the first, is left out.
  void merge(const Blend& other, const std::vector<std::uint32_t>& slots);

  // What a snapshot holds: the global set, the buckets', then the slots'.
  [[nodiscard]] const std::vector<Weights>& sets() const { return sets_; }
  void restore(std::vector<Weights> sets);
  // Those of one slot, on top of the global ones; null while no click was learned of it.
  [[nodiscard]] const Weights* of_slot(std::uint32_t slot) const;

 private:
  [[nodiscard]] std::array<float, kFeatures> weights_for(const Features& features, std::uint32_t slot) const;

  std::vector<Weights> sets_;
};

} // namespace attune
