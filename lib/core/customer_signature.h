// CustomerSignature: who may speak for a customer. A site's server signs the ids it gives to its pages, so that one visitor can not read, absorb
// or erase another: HMAC-SHA-256 (RFC 2104) over the id's bytes, in lower-case hex. Immutable; any thread. Cost: about 1 us.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"

namespace attune {

class CustomerSignature {
 public:
  // REQUIRES: `key` is not empty.
  explicit CustomerSignature(std::string key);
  [[nodiscard]] std::string sign(const CustomerId& customer) const; // 64 digits
  // In constant time (CRYPTO_memcmp).
  [[nodiscard]] bool verify(const CustomerId& customer, std::string_view signature) const;

 private:
  std::string key_;
};

// Whether two secrets are the same, in a time that tells nothing of where they differ.
[[nodiscard]] bool same_secret(std::string_view one, std::string_view other);

} // namespace attune
