#include "core/base64.h"

#include <openssl/evp.h>

#include <algorithm>
#include <limits>

namespace attune {

namespace {

bool is_digit(char c)
{
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

} // namespace

void append_base64(std::string_view bytes, std::string& out)
{
  const std::size_t at = out.size();
  out.resize(at + (bytes.size() + 2) / 3 * 4 + 1); // EVP_EncodeBlock ends with a NUL
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + at),
                                     reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(at + static_cast<std::size_t>(length));
}

// EVP_DecodeBlock alone would pass white space and misplaced padding.
bool decode_base64(std::string_view text, std::string& out)
{
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::string_view digits = text.substr(0, text.size() - padding);
  if (text.size() % 4 != 0 || text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !std::all_of(digits.begin(), digits.end(), is_digit))
    return false;
  out.resize(text.size() / 4 * 3);
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) return false;
  out.resize(static_cast<std::size_t>(length) - padding); // EVP_DecodeBlock counts the padding as bytes
  return true;
}

void append_base64url(std::string_view bytes, std::string& out)
{
  const std::size_t at = out.size();
  append_base64(bytes, out);
  while (out.size() > at && out.back() == '=') out.pop_back();
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(at), out.end(), '+', '-');
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(at), out.end(), '/', '_');
}

bool decode_base64url(std::string_view text, std::string& out)
{
  if (text.find_first_of("+/=") != std::string_view::npos) return false;
  std::string standard(text);
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  standard.append((4 - standard.size() % 4) % 4, '=');
  return decode_base64(standard, out);
}

} // namespace attune
