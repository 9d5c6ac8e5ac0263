#include "adapters/http_access.h"

#include <fnmatch.h>

#include <algorithm>

#include "adapters/header_words.h"
#include "adapters/ip_range.h"

namespace attune {

namespace {

constexpr double kBurstSeconds = 10;

Denial unsigned_customer(std::string_view field, std::string_view what)
{
  return {403, std::string(field), std::string(what) + " needs a signed customer id", 0};
}

std::optional<Denial> wait_for(std::int64_t ns)
{
  if (ns == 0) return {};
  return Denial{429, "", "too many requests", (ns + 999'999'999) / 1'000'000'000};
}

std::optional<RateLimit> limit_of(double per_second)
{
  if (per_second <= 0) return {};
  return RateLimit(per_second, std::max(1.0, per_second * kBurstSeconds));
}

} // namespace

HttpAccess::HttpAccess(AccessOptions options)
    : options_(std::move(options)), customers_(limit_of(options_.per_customer)), addresses_(limit_of(options_.per_address))
{
  if (!options_.signing_key.empty()) signing_.emplace(options_.signing_key);
}

bool HttpAccess::anonymous(const CustomerId& customer) const
{
  return fnmatch(options_.anonymous_pattern.c_str(), customer.text.c_str(), 0) == 0;
}

bool HttpAccess::signed_by(const CustomerId& customer, std::string_view signature) const
{
  return signing_ && !signature.empty() && signing_->verify(customer, signature);
}

std::optional<Denial> HttpAccess::may_collect(const Credentials& who) const
{
  if (who.trusted || options_.write_keys.empty()) return {};
  bool known = false;
  for (const auto& key : options_.write_keys) known = same_secret(key, who.key) || known; // all, whatever was found
  if (known) return {};
  return Denial{401, "key", who.key.empty() ? "collecting needs a write key" : "not a write key", 0};
}

std::optional<Denial> HttpAccess::may_send(const Credentials& who, const Event& event) const
{
  if (who.trusted) return {};
  const bool proven = signed_by(event.customer, who.signature);
  if (!proven && !who.signature.empty() && signing_) return Denial{403, "customer", "the signature is not this customer's", 0};
  if (event.type == EventType::identify) {
    if (!signing_ && !anonymous(event.alias)) return Denial{403, "alias", "not an anonymous id, and nothing is signed here", 0};
    if (signing_ && !proven) return unsigned_customer("customer", "identify");
    if (signing_ && !signed_by(event.alias, who.alias_signature)) return unsigned_customer("alias", "an alias");
    return {};
  }
  if (event.type == EventType::forget && !proven) {
    if (signing_) return unsigned_customer("customer", "forget");
    return Denial{403, "type", "forget is for the admin listener", 0};
  }
  if (event.type == EventType::consent && signing_ && !proven) return unsigned_customer("customer", "consent");
  if (signing_ && !proven && !anonymous(event.customer)) return unsigned_customer("customer", "whoever is not anonymous");
  return {};
}

std::optional<Denial> HttpAccess::may_read(const Credentials& who, const CustomerId& customer, bool why) const
{
  if (who.trusted) return {};
  const bool proven = signed_by(customer, who.signature);
  if (!proven && !who.signature.empty() && signing_) return Denial{403, "customer", "the signature is not this customer's", 0};
  if (why && !proven) return signing_ ? unsigned_customer("why", "why") : Denial{403, "why", "why is for the admin listener", 0};
  if (signing_ && !proven && !customer.empty() && !anonymous(customer))
    return unsigned_customer("customer", "whoever is not anonymous");
  return {};
}

bool HttpAccess::may_read_root(const Credentials& who, const CustomerId& customer) const
{
  return who.trusted || !signing_ || signed_by(customer, who.signature);
}

bool HttpAccess::is_admin(std::string_view authorization) const
{
  if (options_.admin_token.empty()) return true;
  constexpr std::string_view kBearer = "Bearer ";
  return same_word(authorization.substr(0, kBearer.size()), kBearer) &&
         same_secret(options_.admin_token, trimmed(authorization.substr(kBearer.size())));
}

bool HttpAccess::own_origin(std::string_view origin, std::string_view host)
{
  if (origin.empty()) return true;
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin.starts_with(scheme) && !host.empty() && same_word(origin.substr(scheme.size()), host)) return true;
  return false;
}

std::optional<Denial> HttpAccess::address_too_often(std::string_view address, std::int64_t now_ns)
{
  if (!addresses_) return {};
  const auto parsed = parse_ip_address(address);
  const auto name = parsed ? to_string(site_of(*parsed)) : std::string(address);
  const std::lock_guard lock(addresses_mutex_);
  return wait_for(addresses_->take(name, now_ns));
}

std::optional<Denial> HttpAccess::customers_too_often(std::vector<std::string_view> customers, std::int64_t now_ns)
{
  if (!customers_) return {};
  std::sort(customers.begin(), customers.end());
  customers.erase(std::unique(customers.begin(), customers.end()), customers.end());
  if (!customers.empty() && customers.front().empty()) customers.erase(customers.begin());
  std::int64_t wait = 0;
  const std::lock_guard lock(customers_mutex_);
  for (const auto customer : customers) wait = std::max(wait, customers_->wait_of(customer, now_ns));
  if (wait == 0)
    for (const auto customer : customers) wait = std::max(wait, customers_->take(customer, now_ns));
  return wait_for(wait);
}

std::string_view HttpAccess::allowed_origin(std::string_view origin) const
{
  if (origin.empty()) return {};
  for (const auto& each : options_.origins) {
    if (each == "*") return "*";
    if (each == origin) return origin;
  }
  return {};
}

} // namespace attune
