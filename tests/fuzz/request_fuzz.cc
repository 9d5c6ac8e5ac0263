#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "core/recommender.h"

using namespace attune;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const bool record = is_profile_record(line);
  const auto request = parse_request(line);
  if (!request) return 0;
  ATTUNE_ASSERT(!record); // no line is both
  ATTUNE_ASSERT(request->n >= 1 && request->n <= kMaxCount);
  ATTUNE_ASSERT(request->recent.size() <= kMaxRecent);
  for (const auto& item : request->recent) ATTUNE_ASSERT(!item.empty() && item.text.size() <= kMaxCustomerBytes);
  return 0;
}
