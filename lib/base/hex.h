// Bytes as text: two lower-case hexadecimal digits each (RFC 4648, section 8, in lower case). Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace attune {

inline void append_hex(std::span<const unsigned char> bytes, std::string& out)
{
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const auto byte : bytes) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

} // namespace attune
