// LatencyHistogram: how long things took, counted so that any percentile can be told later: log-linear buckets, 32 to an octave, as in HDR
// histograms (Tene, hdrhistogram.org). A percentile is within 1.6 % of the exact one; the longest time is exact. From 1 ns to 2^63 ns.
//
// Histograms of several threads or minutes merge exactly. Pure; one thread at a time. Memory: 15 KiB. Cost of add(): some nanoseconds.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace attune {

class LatencyHistogram {
 public:
  using Time = std::chrono::nanoseconds;

  // One below zero counts as zero.
  void add(Time time)
  {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
    ++counts_[bucket_of(value)];
    ++count_;
    max_ = std::max(max_, value);
  }

  void merge(const LatencyHistogram& other)
  {
    for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Time max() const { return Time(static_cast<std::int64_t>(max_)); }

  // Which of `count` values in their order is that percentile (nearest rank, from 1): the first that at least `share` of them do not exceed.
  [[nodiscard]] static std::uint64_t rank(double share, std::uint64_t count)
  {
    const double exact = share * static_cast<double>(count);
    // 0.999 * 1000 is a little more than 999.
    const auto up = static_cast<std::uint64_t>(std::ceil(exact * (1 - 1e-12)));
    return std::clamp<std::uint64_t>(up, 1, std::max<std::uint64_t>(count, 1));
  }

  // The value of that rank; zero when nothing was counted.
  [[nodiscard]] Time value_at(std::uint64_t rank) const
  {
    if (rank >= count_) return max();
    std::uint64_t below = 0;
    std::size_t bucket = 0;
    while (bucket < kBuckets - 1 && below + counts_[bucket] < rank) below += counts_[bucket++];
    return Time(static_cast<std::int64_t>(std::min(middle_of(bucket), max_)));
  }
  [[nodiscard]] Time percentile(double share) const { return value_at(rank(share, count_)); }

 private:
  static constexpr std::uint64_t kSteps = 32; // buckets of an octave
  static constexpr int kStepBits = 5;
  static constexpr std::size_t kBuckets = 2 * kSteps + (63 - kStepBits - 1) * kSteps;

  // Below 2 * kSteps each value has its own. Beyond, a value of `kStepBits + 1 + shift` bits goes by its first kStepBits + 1.
  static std::size_t bucket_of(std::uint64_t value)
  {
    if (value < 2 * kSteps) return value;
    const int shift = std::bit_width(value) - kStepBits - 1;
    return static_cast<std::size_t>(shift) * kSteps + (value >> shift);
  }
  static std::uint64_t middle_of(std::size_t bucket)
  {
    if (bucket < 2 * kSteps) return bucket;
    const auto shift = bucket / kSteps - 1;
    const auto low = (bucket - shift * kSteps) << shift;
    return low + ((std::uint64_t(1) << shift) - 1) / 2;
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

} // namespace attune
