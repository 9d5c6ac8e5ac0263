#include <cstdint>
#include <string_view>

#include "core/dialect.h"
#include "fuzz/round_trip.h"

using namespace attune;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  thread_local const auto dialect = cloudevents_dialect();
  Event event;
  const auto parsed = dialect->parse({reinterpret_cast<const char*>(data), size}, event);
  if (parsed && *parsed) {
    fuzz::check_event(event);
  }
  return 0;
}
