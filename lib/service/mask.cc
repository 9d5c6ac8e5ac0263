#include "service/mask.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace attune {

namespace {

constexpr std::string_view kMask = "***";
constexpr std::array<std::string_view, 7> kSecretWords{
    "password", "passwd", "secret", "token", "key.pem", "sasl.jaas.config", "oauthbearer.config"};

bool name_is_secret(std::string_view name)
{
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::any_of(kSecretWords.begin(), kSecretWords.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

// The authority ends at the first of these; a password that contains `/`, `?` or `#` must be percent-encoded (RFC 3986), but people
// forget it, so the last `@` before a space or quote decides.
std::size_t authority_end(std::string_view text, std::size_t from)
{
  return std::min(text.find_first_of(" \t\"'", from), text.size());
}

void mask_url_passwords(std::string& text)
{
  for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at)) {
    at += 3;
    const std::string_view authority = std::string_view(text).substr(at, authority_end(text, at) - at);
    const auto sign = authority.rfind('@');
    const auto colon = authority.find(':');
    if (sign == std::string_view::npos || colon == std::string_view::npos || colon > sign) continue;
    text.replace(at + colon + 1, sign - colon - 1, kMask);
  }
}

bool name_byte(char c)
{
  return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
}

void mask_settings(std::string& text)
{
  for (std::size_t equals = text.find('='); equals != std::string::npos; equals = text.find('=', equals + 1)) {
    std::size_t start = equals;
    while (start > 0 && name_byte(text[start - 1])) --start;
    if (start == equals || !name_is_secret(std::string_view(text).substr(start, equals - start))) continue;
    // A setting that is the whole text has spaces in its value (sasl.jaas.config); one inside a URL's query ends at `&`.
    const std::size_t stop = start == 0 ? text.size() : std::min(text.find_first_of("& \t", equals), text.size());
    text.replace(equals + 1, stop - equals - 1, kMask);
  }
}

} // namespace

std::string mask_secrets(std::string_view text)
{
  std::string masked(text);
  mask_url_passwords(masked);
  mask_settings(masked);
  return masked;
}

} // namespace attune
