// Base64 (RFC 4648) over OpenSSL's coder, strict about white space and padding. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace attune {

// The standard alphabet, padded.
void append_base64(std::string_view bytes, std::string& out);
// False when it is not base64, or is 2 GiB; then `out` is undefined. Total.
[[nodiscard]] bool decode_base64(std::string_view text, std::string& out);

// The alphabet for URLs (section 5), without padding.
void append_base64url(std::string_view bytes, std::string& out);
[[nodiscard]] bool decode_base64url(std::string_view text, std::string& out);

} // namespace attune
