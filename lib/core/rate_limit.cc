#include "core/rate_limit.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"

namespace attune {

namespace {

constexpr std::int64_t kSweepEvery = 1'000'000'000;

} // namespace

RateLimit::RateLimit(double per_second, double burst, std::size_t most_names)
    : interval_(1e9 / per_second),
      tolerance_(static_cast<std::int64_t>(interval_ * burst)),
      most_(most_names),
      swept_(std::numeric_limits<std::int64_t>::min() / 2)
{
  ATTUNE_ASSERT(per_second > 0 && burst >= 1);
}

std::int64_t RateLimit::wait_of(Due::const_iterator found, std::int64_t now, double cost) const
{
  // What costs more than the burst is let in when nothing else is owed, and paid for afterwards.
  if (found == due_.end() || found->second <= now) return 0;
  return std::max<std::int64_t>(0, found->second + static_cast<std::int64_t>(interval_ * cost) - now - tolerance_);
}

std::int64_t RateLimit::wait_of(std::string_view name, std::int64_t now, double cost) const
{
  return wait_of(due_.find(name), now, cost);
}

std::int64_t RateLimit::take(std::string_view name, std::int64_t now, double cost)
{
  auto found = due_.find(name);
  if (const auto wait = wait_of(found, now, cost); wait > 0) return wait;
  if (found == due_.end()) {
    if (due_.size() >= most_ && now - swept_ >= kSweepEvery) {
      std::erase_if(due_, [now](const auto& each) { return each.second <= now; });
      swept_ = now;
    }
    if (due_.size() >= most_) return 0;
    found = due_.emplace(std::string(name), 0).first;
  }
  found->second = std::max(found->second, now) + static_cast<std::int64_t>(interval_ * cost);
  return 0;
}

} // namespace attune
