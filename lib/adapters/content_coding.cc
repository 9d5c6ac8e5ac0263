#include "adapters/content_coding.h"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>

#include "adapters/header_words.h"
#include "base/assert.h"

namespace attune {
namespace {

constexpr int kGzip = 15 + 16; // zlib's word for: the largest window, in a gzip wrapper
constexpr int kGzipLevel = 1; // answers are made while a customer waits
constexpr int kZstdLevel = 1;
constexpr std::size_t kFirstPiece = 16 * 1024;

// What stands before the next `separator`, trimmed; `rest` moves behind it.
std::string_view next_part(std::string_view& rest, char separator)
{
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = trimmed(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

// A weight of RFC 9110 section 12.4.2 in thousandths; nullopt for anything else.
std::optional<int> parse_weight(std::string_view text)
{
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int thousandths = (text[0] - '0') * 1000;
  int unit = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return std::nullopt;
    thousandths += (c - '0') * unit;
    unit /= 10;
  }
  return thousandths <= 1000 ? std::optional(thousandths) : std::nullopt;
}

// A zlib stream of this thread, begun again for each use.
class Inflater {
 public:
  Inflater() { ATTUNE_ASSERT(inflateInit2(&stream_, kGzip) == Z_OK); }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream& again()
  {
    inflateReset(&stream_);
    return stream_;
  }

 private:
  z_stream stream_{};
};

class Deflater {
 public:
  Deflater() { ATTUNE_ASSERT(deflateInit2(&stream_, kGzipLevel, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) == Z_OK); }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  z_stream& again()
  {
    deflateReset(&stream_);
    return stream_;
  }

 private:
  z_stream stream_{};
};

struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Bytef* zlib_bytes(std::string_view text)
{
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); // zlib reads it only
}

Decoded inflate_gzip(std::string_view in, std::size_t limit, std::string& out)
{
  if (in.size() > std::numeric_limits<uInt>::max()) return Decoded::too_large;
  thread_local Inflater inflater;
  z_stream* stream = &inflater.again();
  stream->next_in = zlib_bytes(in);
  stream->avail_in = static_cast<uInt>(in.size());
  out.resize(std::min(limit + 1, std::max(kFirstPiece, in.size() * 4)));
  std::size_t made = 0;
  for (;;) {
    if (made == out.size()) {
      if (made > limit) return Decoded::too_large;
      out.resize(std::min(limit + 1, out.size() * 2));
    }
    stream->next_out = reinterpret_cast<Bytef*>(out.data() + made);
    stream->avail_out = static_cast<uInt>(out.size() - made);
    const int status = inflate(stream, Z_NO_FLUSH);
    made = out.size() - stream->avail_out;
    if (status == Z_STREAM_END) {
      if (stream->avail_in == 0) break;
      inflateReset(stream); // another member
    } else if (status != Z_OK && !(status == Z_BUF_ERROR && stream->avail_out == 0)) {
      return Decoded::corrupt;
    } else if (stream->avail_in == 0 && stream->avail_out != 0) {
      return Decoded::corrupt; // it ends early
    }
  }
  if (made > limit) return Decoded::too_large;
  out.resize(made);
  return Decoded::done;
}

// In one go into memory of the right size, so that no window is kept. A frame need not say its size: then by doubling.
Decoded inflate_zstd(std::string_view in, std::size_t limit, std::string& out)
{
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeZstd> context(ZSTD_createDCtx());
  ATTUNE_ASSERT(context != nullptr);
  const unsigned long long told = ZSTD_getFrameContentSize(in.data(), in.size());
  if (told == ZSTD_CONTENTSIZE_ERROR) return Decoded::corrupt;
  if (told != ZSTD_CONTENTSIZE_UNKNOWN && told > limit) return Decoded::too_large;
  std::size_t room = told != ZSTD_CONTENTSIZE_UNKNOWN ? static_cast<std::size_t>(told) : std::max(kFirstPiece, in.size() * 4);
  for (;; room *= 2) {
    room = std::min(std::max<std::size_t>(room, 1), limit);
    out.resize(room);
    const std::size_t made = ZSTD_decompressDCtx(context.get(), out.data(), out.size(), in.data(), in.size());
    if (!ZSTD_isError(made)) {
      out.resize(made);
      return Decoded::done;
    }
    if (ZSTD_getErrorCode(made) != ZSTD_error_dstSize_tooSmall) return Decoded::corrupt;
    if (room >= limit) return Decoded::too_large;
  }
}

bool deflate_gzip(std::string_view in, std::string& out)
{
  if (in.size() > std::numeric_limits<uInt>::max()) return false;
  thread_local Deflater deflater;
  z_stream& stream = deflater.again();
  out.resize(in.size());
  stream.next_in = zlib_bytes(in);
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return false;
  out.resize(out.size() - stream.avail_out);
  return out.size() < in.size();
}

bool deflate_zstd(std::string_view in, std::string& out)
{
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeZstd> context(ZSTD_createCCtx());
  ATTUNE_ASSERT(context != nullptr);
  out.resize(in.size());
  const std::size_t made = ZSTD_compressCCtx(context.get(), out.data(), out.size(), in.data(), in.size(), kZstdLevel);
  if (ZSTD_isError(made) || made >= in.size()) return false;
  out.resize(made);
  return true;
}

} // namespace

std::optional<ContentCoding> parse_content_coding(std::string_view word)
{
  word = trimmed(word);
  if (word.empty() || same_word(word, "identity")) return ContentCoding::identity;
  if (same_word(word, "gzip") || same_word(word, "x-gzip")) return ContentCoding::gzip;
  if (same_word(word, "zstd")) return ContentCoding::zstd;
  return std::nullopt;
}

std::string_view to_string(ContentCoding coding)
{
  switch (coding) {
    case ContentCoding::gzip:
      return "gzip";
    case ContentCoding::zstd:
      return "zstd";
    case ContentCoding::identity:
      break;
  }
  return "identity";
}

ContentCoding choose_content_coding(std::string_view accept_encoding)
{
  std::array<std::optional<int>, 3> weights; // by ContentCoding
  std::optional<int> any;
  while (!accept_encoding.empty()) {
    std::string_view element = next_part(accept_encoding, ',');
    const std::string_view word = next_part(element, ';');
    std::optional<int> weight = 1000;
    while (!element.empty()) {
      const std::string_view parameter = next_part(element, ';');
      if (parameter.size() >= 2 && (parameter[0] == 'q' || parameter[0] == 'Q') && parameter[1] == '=') {
        weight = parse_weight(parameter.substr(2));
      }
    }
    if (word.empty() || !weight) continue;
    if (word == "*") {
      any = weight;
    } else if (const std::optional<ContentCoding> coding = parse_content_coding(word)) {
      weights[static_cast<std::size_t>(*coding)] = weight;
    }
  }
  ContentCoding best = ContentCoding::identity;
  int best_weight = weights[0].value_or(0);
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::zstd}) {
    const int weight = weights[static_cast<std::size_t>(coding)].value_or(any.value_or(0));
    if (weight == 0 || weight < best_weight) continue;
    best = coding;
    best_weight = weight;
  }
  return best;
}

Decoded decode_content(ContentCoding coding, std::string_view in, std::size_t limit, std::string& out)
{
  switch (coding) {
    case ContentCoding::gzip:
      return inflate_gzip(in, limit, out);
    case ContentCoding::zstd:
      return inflate_zstd(in, limit, out);
    case ContentCoding::identity:
      break;
  }
  if (in.size() > limit) return Decoded::too_large;
  out.assign(in);
  return Decoded::done;
}

bool encode_content(ContentCoding coding, std::string_view in, std::string& out)
{
  switch (coding) {
    case ContentCoding::gzip:
      return deflate_gzip(in, out);
    case ContentCoding::zstd:
      return deflate_zstd(in, out);
    case ContentCoding::identity:
      break;
  }
  return false;
}

} // namespace attune
