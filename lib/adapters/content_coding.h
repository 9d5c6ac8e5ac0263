// ContentCoding: the codings of a body that an HTTP server speaks (RFC 9110 section 8.4): gzip by zlib, zstd (RFC 8878) by libzstd.
// Thread rule: any thread; each thread keeps its own contexts (about 300 KB once it has used both ways of both).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace attune {

enum class ContentCoding : std::uint8_t { identity, gzip, zstd };

// The word of a Content-Encoding: "gzip" ("x-gzip"), "zstd", "identity" or nothing; case ignored. Several or another: nullopt.
[[nodiscard]] std::optional<ContentCoding> parse_content_coding(std::string_view word);
[[nodiscard]] std::string_view to_string(ContentCoding coding);

// What an Accept-Encoding asks for: the coding of the highest weight, zstd before gzip before identity among equals; "*" is any that is not
// named. Total: what can not be understood is not asked for.
[[nodiscard]] ContentCoding choose_content_coding(std::string_view accept_encoding);

enum class Decoded : std::uint8_t { done, too_large, corrupt };

// `out` becomes what `in` holds, all members or frames of it. Never takes more than about `limit` bytes of memory: beyond is too_large.
// Anything behind the last member is corrupt, and so is a body that ends early. For `done` alone `out` means something.
[[nodiscard]] Decoded decode_content(ContentCoding coding, std::string_view in, std::size_t limit, std::string& out);

// `out` becomes `in` in that coding, at the fastest level. False when it does not get smaller by it (out means nothing then).
[[nodiscard]] bool encode_content(ContentCoding coding, std::string_view in, std::string& out);

} // namespace attune
