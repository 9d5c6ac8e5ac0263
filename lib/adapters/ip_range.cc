#include "adapters/ip_range.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "adapters/header_words.h"

namespace attune {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_ipv4(const IpAddress& address)
{
  return std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin());
}

bool trusts(const std::vector<IpRange>& trusted, const IpAddress& address)
{
  return std::any_of(trusted.begin(), trusted.end(), [&](const IpRange& range) { return range.holds(address); });
}

// One element of an X-Forwarded-For.
std::optional<IpAddress> parse_forwarded(std::string_view text)
{
  text = trimmed(text);
  if (text.starts_with('[')) return parse_ip_address(text.substr(1, std::min(text.find(']'), text.size()) - 1));
  if (std::count(text.begin(), text.end(), ':') == 1) text = text.substr(0, text.find(':'));
  return parse_ip_address(text);
}

} // namespace

std::optional<IpAddress> parse_ip_address(std::string_view text)
{
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  IpAddress address;
  if (inet_pton(AF_INET6, terminated.data(), address.bytes.data()) == 1) return address;
  std::copy(kMapped.begin(), kMapped.end(), address.bytes.begin());
  if (inet_pton(AF_INET, terminated.data(), address.bytes.data() + kMapped.size()) == 1) return address;
  return std::nullopt;
}

std::string to_string(const IpAddress& address)
{
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_ipv4(address)) {
    inet_ntop(AF_INET, address.bytes.data() + kMapped.size(), text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, address.bytes.data(), text.data(), text.size());
  }
  return text.data();
}

IpAddress site_of(IpAddress address)
{
  if (!is_ipv4(address)) std::fill(address.bytes.begin() + 8, address.bytes.end(), std::uint8_t{0});
  return address;
}

bool IpRange::holds(const IpAddress& other) const
{
  const std::size_t whole = bits / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + static_cast<std::ptrdiff_t>(whole), other.bytes.begin()))
    return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((address.bytes[whole] ^ other.bytes[whole]) >> (8 - rest)) == 0;
}

std::optional<IpRange> parse_ip_range(std::string_view text)
{
  const std::size_t slash = text.find('/');
  const std::optional<IpAddress> address = parse_ip_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return IpRange{*address, 128};
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  const bool ipv4 = text.find(':') == std::string_view::npos;
  if (bits > (ipv4 ? 32U : 128U)) return std::nullopt;
  const IpRange range{*address, ipv4 ? bits + 96 : bits};
  IpAddress masked = range.address;
  for (unsigned bit = range.bits; bit < 128; ++bit) masked.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  if (masked != range.address) return std::nullopt;
  return range;
}

IpAddress forwarded_for(const std::vector<std::string_view>& values, const IpAddress& peer, const std::vector<IpRange>& trusted)
{
  IpAddress found = peer;
  for (auto value = values.rbegin(); value != values.rend(); ++value) {
    std::string_view rest = *value;
    for (bool more = true; more;) {
      const std::size_t comma = rest.rfind(',');
      more = comma != std::string_view::npos;
      const std::optional<IpAddress> address = parse_forwarded(more ? rest.substr(comma + 1) : rest);
      if (!address) return found;
      found = *address;
      if (!trusts(trusted, found)) return found;
      rest = rest.substr(0, more ? comma : 0);
    }
  }
  return found;
}

} // namespace attune
