#include "core/rate_limit.h"

#include <algorithm>

#include "base/assert.h"

namespace attune {

RateLimit::RateLimit(double per_second, double burst, std::size_t most_names)
    : interval_(1e9 / per_second), tolerance_(static_cast<std::int64_t>(interval_ * burst)), most_(most_names)
{
  ATTUNE_ASSERT(per_second > 0 && burst >= 1);
}

std::int64_t RateLimit::take(std::string_view name, std::int64_t now, double cost)
{
  auto found = due_.find(name);
  const auto due = found == due_.end() ? now : std::max(found->second, now);
  // What costs more than the burst is let in when nothing else is owed, and paid for afterwards.
  const auto after = due + static_cast<std::int64_t>(interval_ * cost);
  const auto wait = due == now ? 0 : after - now - tolerance_;
  if (wait > 0) return wait;
  if (found == due_.end()) {
    if (due_.size() >= most_) std::erase_if(due_, [now](const auto& each) { return each.second <= now; });
    if (due_.size() >= most_) return 0;
    found = due_.emplace(std::string(name), 0).first;
  }
  found->second = after;
  return 0;
}

} // namespace attune
