#include "pipeline/patience.h"

namespace attune {

Status Patience::forgive(const Error& error)
{
  if (!worth_retry(error)) return error;
  const auto now = std::chrono::steady_clock::now();
  if (!away_since_) away_since_ = now;
  if (limit_ && now - *away_since_ >= *limit_) return Error{Code::busy, error.message + " (given up)"};
  return {};
}

} // namespace attune
