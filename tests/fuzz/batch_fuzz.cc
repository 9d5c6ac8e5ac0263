#include <cstdint>
#include <functional>
#include <string_view>

#include "base/assert.h"
#include "core/event_batch.h"

using namespace attune;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto texts = cut_batch(body);
  if (!texts) {
    ATTUNE_ASSERT(!texts.error().reason.empty());
    return 0;
  }
  ATTUNE_ASSERT(!texts->empty() && texts->size() <= kMaxBatchEvents);
  // Parts of the body, in their order, none over another.
  const char* behind = body.data();
  for (const auto text : *texts) {
    ATTUNE_ASSERT(!text.empty());
    ATTUNE_ASSERT(!std::less<>()(text.data(), behind) && !std::less<>()(body.data() + body.size(), text.data() + text.size()));
    behind = text.data() + text.size();
  }
  return 0;
}
