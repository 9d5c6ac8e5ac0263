#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/ip_range.h"
#include "base/assert.h"

using namespace attune;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto trusted = parse_ip_range("10.0.0.0/8");
  const auto peer = parse_ip_address("10.0.0.1");
  // Whoever is found is one that is not trusted, or all are.
  const auto client = forwarded_for({text, "10.1.2.3"}, *peer, {*trusted});
  ATTUNE_ASSERT(parse_ip_address(to_string(client)) == client);

  const auto range = parse_ip_range(text);
  if (!range) return 0;
  ATTUNE_ASSERT(range->bits <= 128 && range->holds(range->address));
  auto again = to_string(range->address);
  const bool ipv4 = again.find(':') == std::string::npos;
  ATTUNE_ASSERT(!ipv4 || range->bits >= 96);
  again += "/" + std::to_string(ipv4 ? range->bits - 96 : range->bits);
  const auto same = parse_ip_range(again);
  ATTUNE_ASSERT(same && same->address == range->address && same->bits == range->bits);
  return 0;
}
