#include "core/blend.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"
#include "core/elementary.h"

namespace attune {

namespace {

constexpr std::size_t kFirstSlotSet = 1 + kBuckets;
constexpr float kSteepnessFloor = 0.01F;
constexpr float kTooSmall = 2e-4F; // a candidate of less probability moves no weight worth the time

// Four sums side by side, added in one fixed order, so that the compiler may not choose another.
float dot(const float* a, const float* b, std::size_t stride)
{
  std::array<float, 4> sums{};
  for (std::size_t c = 0; c < stride; c += 4)
    for (std::size_t i = 0; i < 4; ++i) sums[i] += a[c + i] * b[c + i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

} // namespace

Blend::Blend() : sets_(kFirstSlotSet)
{
  auto& start = sets_.front().weight;
  start[kVmis] = 2;
  start[kVstan] = 2;
  start[kAfter] = 2;
  start[kPopularFast] = 0.5F;
}

std::array<float, kFeatures> Blend::weights_for(const Features& features, std::uint32_t slot) const
{
  auto weights = sets_.front().weight;
  const auto& bucket = sets_[1 + features.bucket()].weight;
  for (std::size_t f = 0; f < kFeatures; ++f) weights[f] += bucket[f];
  if (const auto* own = of_slot(slot))
    for (std::size_t f = 0; f < kFeatures; ++f) weights[f] += own->weight[f];
  return weights;
}

const Blend::Weights* Blend::of_slot(std::uint32_t slot) const
{
  const auto set = kFirstSlotSet + slot - 1;
  return slot > 0 && set < sets_.size() ? &sets_[set] : nullptr;
}

void Blend::score(const Features& features, std::uint32_t slot, Scores& out) const
{
  const auto stride = features.stride();
  out.stride = stride;
  out.parts.assign(kGroups * stride, 0.0F);
  out.total.assign(stride, 0.0F);
  const auto weights = weights_for(features, slot);
  for (std::size_t f = 0; f < kFeatures; ++f) {
    float* part = out.parts.data() + static_cast<std::size_t>(group_of(f)) * stride;
    const float* values = features.of(f);
    const float weight = weights[f];
    for (std::size_t c = 0; c < stride; ++c) part[c] += weight * values[c];
  }
  for (std::size_t g = 0; g < kGroups; ++g) {
    const float* part = out.parts.data() + g * stride;
    for (std::size_t c = 0; c < stride; ++c) out.total[c] += part[c];
  }
}

void Blend::learn(const Features& features, std::uint32_t slot, const Scores& scores, std::size_t clicked, float rate)
{
  const auto count = features.count();
  const auto stride = features.stride();
  ATTUNE_ASSERT(clicked < count && slot <= kMaxSlots);
  const float best = *std::max_element(scores.total.begin(), scores.total.begin() + static_cast<std::ptrdiff_t>(count));
  thread_local std::vector<float> pull;
  pull.assign(stride, 0.0F);
  float sum = 0;
  for (std::size_t c = 0; c < count; ++c) {
    pull[c] = exp_of(scores.total[c] - best);
    sum += pull[c];
  }
  const float by = 1.0F / sum;
  for (std::size_t c = 0; c < count; ++c) {
    pull[c] = pull[c] * by - (c == clicked ? 1.0F : 0.0F);
    if (std::abs(pull[c]) < kTooSmall) pull[c] = 0;
  }

  if (slot > 0 && sets_.size() < kFirstSlotSet + slot) sets_.resize(kFirstSlotSet + slot);
  auto& bucket = sets_[1 + features.bucket()];
  Weights* const of_slot = slot > 0 ? &sets_[kFirstSlotSet + slot - 1] : nullptr;
  const auto step = [rate](Weights& set, std::size_t f, float gradient) {
    set.steepness[f] += gradient * gradient;
    set.weight[f] -= rate * gradient / std::sqrt(set.steepness[f] + kSteepnessFloor);
  };
  for (std::size_t f = 0; f < kFeatures; ++f) {
    const float gradient = dot(pull.data(), features.of(f), stride);
    if (gradient == 0) continue;
    step(sets_.front(), f, gradient);
    step(bucket, f, gradient);
    if (of_slot) step(*of_slot, f, gradient);
  }
  ++sets_.front().steps;
  ++bucket.steps;
  if (of_slot) ++of_slot->steps;
}

void Blend::merge(const Blend& other, const std::vector<std::uint32_t>& slots)
{
  for (std::size_t from = 0; from < other.sets_.size(); ++from) {
    auto to = from;
    if (from >= kFirstSlotSet) {
      const auto slot = slots[from - kFirstSlotSet + 1];
      if (slot == 0) continue;
      to = kFirstSlotSet + slot - 1;
    }
    if (to >= sets_.size()) sets_.resize(to + 1);
    const auto& theirs = other.sets_[from];
    auto& ours = sets_[to];
    if (theirs.steps == 0) continue;
    const auto share = static_cast<float>(static_cast<double>(theirs.steps) / static_cast<double>(ours.steps + theirs.steps));
    for (std::size_t f = 0; f < kFeatures; ++f) {
      ours.weight[f] = ours.weight[f] * (1.0F - share) + theirs.weight[f] * share;
      ours.steepness[f] += theirs.steepness[f];
    }
    ours.steps += theirs.steps;
  }
}

void Blend::restore(std::vector<Weights> sets)
{
  ATTUNE_ASSERT(sets.size() >= kFirstSlotSet && sets.size() <= kFirstSlotSet + kMaxSlots);
  sets_ = std::move(sets);
}

} // namespace attune
