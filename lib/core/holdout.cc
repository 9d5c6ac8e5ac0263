#include "core/holdout.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/assert.h"

namespace attune {

Holdout::Holdout(double share, std::string_view salt) : share_(share), seed_(XXH3_64bits(salt.data(), salt.size()))
{
  ATTUNE_ASSERT(share >= 0 && share <= 1);
}

bool Holdout::holds(const CustomerId& customer) const
{
  if (share_ == 0 || customer.empty()) return false;
  const std::uint64_t hash = XXH3_64bits_withSeed(customer.text.data(), customer.text.size(), seed_);
  constexpr double kSteps = 1.0 / (1ULL << 53); // the 53 bits a double holds
  return static_cast<double>(hash >> 11) * kSteps < share_;
}

} // namespace attune
