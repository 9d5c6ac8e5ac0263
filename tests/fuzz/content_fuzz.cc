// A first byte chooses the coding, and the rest is a body in it.
#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/content_coding.h"
#include "base/assert.h"

using namespace attune;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  if (size == 0) return 0;
  constexpr ContentCoding kCodings[] = {ContentCoding::identity, ContentCoding::gzip, ContentCoding::zstd};
  constexpr std::size_t kLimit = 64 * 1024;
  const auto coding = kCodings[data[0] % 3];
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string out;
  const auto decoded = decode_content(coding, body, kLimit, out);
  ATTUNE_ASSERT(out.capacity() <= 2 * kLimit + 64);
  if (decoded == Decoded::done) {
    ATTUNE_ASSERT(out.size() <= kLimit);
    std::string smaller, again;
    if (encode_content(coding, out, smaller)) {
      ATTUNE_ASSERT(smaller.size() < out.size());
      ATTUNE_ASSERT(decode_content(coding, smaller, kLimit, again) == Decoded::done && again == out);
    }
  }
  static_cast<void>(choose_content_coding(body));
  return 0;
}
