#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "core/profile_json.h"

using namespace attune;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const auto profile = parse_profile_record({reinterpret_cast<const char*>(data), size});
  if (profile) {
    std::string record;
    append_profile_record(*profile, record);
    const auto back = parse_profile_record(record);
    ATTUNE_ASSERT(back.ok() && *back == *profile);
  }
  return 0;
}
