#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "core/token.h"

using namespace attune;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const auto token = Token::parse({reinterpret_cast<const char*>(data), size});
  if (!token) {
    ATTUNE_ASSERT(!token.error().reason.empty());
    return 0;
  }
  ATTUNE_ASSERT(!token->empty() && token->entries().size() <= kMaxTokenEvents);
  const auto text = token->text();
  ATTUNE_ASSERT(text.size() <= kMaxTokenBytes);
  const auto again = Token::parse(text);
  ATTUNE_ASSERT(again && *again == *token);
  ATTUNE_ASSERT(awaited(*token, nullptr) != nullptr);
  return 0;
}
