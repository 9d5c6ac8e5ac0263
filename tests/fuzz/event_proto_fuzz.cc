#include <cstdint>
#include <string_view>

#include "fuzz/round_trip.h"

using namespace attune;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  Event event;
  if (parse_event_proto({reinterpret_cast<const char*>(data), size}, event)) {
    fuzz::check_event(event);
  }
  return 0;
}
