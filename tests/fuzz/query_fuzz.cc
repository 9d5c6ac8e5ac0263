#include <simdjson.h>

#include <cstdint>
#include <string_view>

#include "adapters/http_query.h"
#include "base/assert.h"

using namespace attune;

namespace {

bool is_text(std::string_view text)
{
  return simdjson::validate_utf8(text.data(), text.size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto decoded = percent_decoded(text, false)) {
    std::string encoded;
    for (const char c : *decoded) {
      encoded += '%';
      encoded += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
      encoded += "0123456789ABCDEF"[static_cast<unsigned char>(c) & 15];
    }
    ATTUNE_ASSERT(percent_decoded(encoded, true) == decoded);
  }
  const auto query = HttpQuery::parse(text);
  if (!query) {
    // It goes into a problem document.
    ATTUNE_ASSERT(!query.error().reason.empty());
    ATTUNE_ASSERT(is_text(query.error().text()) && is_text(query.error().field));
    return 0;
  }
  if (const auto name = query->unknown({}); !name.empty()) {
    const auto* value = query->find(name);
    ATTUNE_ASSERT(is_text(name) && value != nullptr && is_text(*value));
    ATTUNE_ASSERT(HttpQuery::parse(std::string(text) + "&" + std::string(text)).ok() == false); // everything twice
  }
  return 0;
}
