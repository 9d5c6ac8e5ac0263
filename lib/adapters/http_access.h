// HttpAccess: who may do what over HTTP (DESIGN section 6). On the public listener a visitor is believed to be whom a signature says
// (core/customer_signature.h); without one, only an anonymous visitor (`--anonymous-pattern`) while signing is on. `identify`, `forget`, `consent` and
// `why` need a signature; with signing off, forget is for the admin listener alone and an alias must be an anonymous id.
// Whoever comes over the admin listener with its token is trusted.
//
// Thread rule: any thread. Limits by customer and address are shared by all threads.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/customer_signature.h"
#include "core/event.h"
#include "core/rate_limit.h"

namespace attune {

struct AccessOptions {
  std::vector<std::string> write_keys; // empty: collecting needs none
  std::string signing_key; // empty: signing is off
  std::string admin_token; // empty: the admin listener needs none
  std::string anonymous_pattern = "anon-*"; // fnmatch(3)
  std::vector<std::string> origins; // of CORS: "https://shop.example"; "*": any
  double per_customer = 0, per_address = 0; // requests a second; 0: no limit. A burst of ten seconds' worth
};

// Why not: a status of HTTP and what to say.
struct Denial {
  unsigned status = 403;
  std::string field;
  std::string reason;
  std::int64_t retry_after_s = 0;
};

// What a request shows of who sends it.
struct Credentials {
  bool trusted = false; // the admin listener's
  std::string_view key; // a write key
  std::string_view signature; // of the customer
  std::string_view alias_signature;
};

class HttpAccess {
 public:
  explicit HttpAccess(AccessOptions options);

  [[nodiscard]] std::optional<Denial> may_collect(const Credentials& who) const;
  [[nodiscard]] std::optional<Denial> may_send(const Credentials& who, const Event& event) const;
  [[nodiscard]] std::optional<Denial> may_read(const Credentials& who, const CustomerId& customer, bool why) const;
  // Whether `who`, who may read `customer`, may be shown the profile that customer became part of: an anonymous id is no proof of being
  // whoever it was identified with.
  [[nodiscard]] bool may_read_root(const Credentials& who, const CustomerId& customer) const;
  // `authorization`: the header's value. The scheme's case is ignored (RFC 9110 section 11.1).
  [[nodiscard]] bool is_admin(std::string_view authorization) const;

  // 429 with the time to wait. An address of IPv6 counts as its /64.
  [[nodiscard]] std::optional<Denial> address_too_often(std::string_view address, std::int64_t now_ns);
  // Each of the customers once, or none of them when one has to wait. An empty id is not limited.
  [[nodiscard]] std::optional<Denial> customers_too_often(std::vector<std::string_view> customers, std::int64_t now_ns);
  [[nodiscard]] bool limits_customers() const { return customers_.has_value(); }

  // Whether a request to the admin listener comes from no page of another site: `origin` and `host` are the headers' values. A page of any
  // site can make a browser on this machine send simple requests here, and a browser says whose page it was.
  [[nodiscard]] static bool own_origin(std::string_view origin, std::string_view host);

  // The value of Access-Control-Allow-Origin; empty: not allowed.
  [[nodiscard]] std::string_view allowed_origin(std::string_view origin) const;

 private:
  [[nodiscard]] bool anonymous(const CustomerId& customer) const;
  [[nodiscard]] bool signed_by(const CustomerId& customer, std::string_view signature) const;

  AccessOptions options_;
  std::optional<CustomerSignature> signing_;
  std::mutex customers_mutex_, addresses_mutex_;
  std::optional<RateLimit> customers_, addresses_;
};

} // namespace attune
