// IpAddress: an address of IPv4 or IPv6 as one value, an IPv4-mapped one being the IPv4 address itself (RFC 4291 section 2.5.5.2).
// IpRange: addresses that share their first bits (CIDR, RFC 4632). forwarded_for: who is behind proxies that are trusted.
// Thread rule: value types. Total: no text makes them fail otherwise than by nullopt.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

struct IpAddress {
  std::array<std::uint8_t, 16> bytes{}; // as IPv6

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  struct Hash {
    std::size_t operator()(const IpAddress& address) const
    {
      return std::hash<std::string_view>()({reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size()});
    }
  };
};

[[nodiscard]] std::optional<IpAddress> parse_ip_address(std::string_view text);
[[nodiscard]] std::string to_string(const IpAddress& address);
// Whom limits by address count as one: an address of IPv4, or the /64 of IPv6 that a site is given whole (RFC 6177), its other bits 0.
[[nodiscard]] IpAddress site_of(IpAddress address);

struct IpRange {
  IpAddress address;
  unsigned bits = 128; // of the IPv6 form

  [[nodiscard]] bool holds(const IpAddress& other) const;
};

// "10.0.0.0/8", "2001:db8::/32", or one address. nullopt also for bits set behind the prefix ("10.0.0.1/8"): they are a mistake.
[[nodiscard]] std::optional<IpRange> parse_ip_range(std::string_view text);

// The values of a request's X-Forwarded-For, in order, and the address the connection came from, which is trusted: the rightmost address
// that is not trusted, or the leftmost when all are. What is no address ends the search: whoever sent it is the answer. An element may carry
// a port ("192.0.2.1:80", "[2001:db8::1]:80").
[[nodiscard]] IpAddress forwarded_for(const std::vector<std::string_view>& values, const IpAddress& peer,
                                      const std::vector<IpRange>& trusted);

} // namespace attune
