#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "core/column_map.h"

using namespace attune;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const auto map = ColumnMap::parse({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  ATTUNE_ASSERT(map.ok() || map.error().message.rfind("fuzz.toml:", 0) == 0);
  return 0;
}
