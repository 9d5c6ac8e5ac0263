#include "core/customer_signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/assert.h"
#include "base/hex.h"

namespace attune {

CustomerSignature::CustomerSignature(std::string key) : key_(std::move(key))
{
  ATTUNE_ASSERT(!key_.empty());
}

std::string CustomerSignature::sign(const CustomerId& customer) const
{
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const auto* made =
      HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(customer.text.data()),
           customer.text.size(), digest.data(), &length);
  ATTUNE_ASSERT(made != nullptr);
  std::string hex;
  append_hex(std::span(digest).first(length), hex);
  return hex;
}

bool CustomerSignature::verify(const CustomerId& customer, std::string_view signature) const
{
  return same_secret(sign(customer), signature);
}

bool same_secret(std::string_view one, std::string_view other)
{
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

} // namespace attune
