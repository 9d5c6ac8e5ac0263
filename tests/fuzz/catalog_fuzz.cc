#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "core/catalog.h"

using namespace attune;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const auto item = parse_catalog_item({reinterpret_cast<const char*>(data), size});
  if (item) {
    std::string json;
    append_catalog_json(*item, json);
    const auto back = parse_catalog_item(json);
    ATTUNE_ASSERT(back.ok() && *back == *item);
  }
  return 0;
}
