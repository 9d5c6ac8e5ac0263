#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "fuzz/round_trip.h"

using namespace attune;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  thread_local EventParser parser;
  thread_local Event event;
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  if (parser.parse(json, event)) {
    ATTUNE_ASSERT(nlohmann::json::accept(json));
    fuzz::check_event(event);
  }
  return 0;
}
