#include "core/customer_line.h"

#include <algorithm>

#include "core/json_tree.h"

namespace attune {

namespace {

constexpr int kMaxDepth = 64; // of what stands beside the customer

Result<CustomerId, Reject> checked(std::string_view id)
{
  if (const auto fits = check_text(id, kMaxCustomerBytes); !fits) return Reject{"customer", std::string(fits.error())};
  return CustomerId(id);
}

} // namespace

Result<CustomerId, Reject> parse_customer_line(std::string_view line)
{
  constexpr std::string_view kSpace = " \t\r\n";
  line.remove_prefix(std::min(line.find_first_not_of(kSpace), line.size()));
  line = line.substr(0, line.find_last_not_of(kSpace) + 1);
  if (line.empty()) return Reject{"", "empty"};
  if (line.front() != '{') {
    if (!simdjson::validate_utf8(line.data(), line.size())) return Reject{"customer", "not UTF-8"};
    return checked(line);
  }
  thread_local JsonTree tree;
  if (const auto parsed = tree.parse(line, kMaxDepth); !parsed) return Reject{"", std::string(parsed.error())};
  const auto* customer = tree.find(tree.root(), "customer");
  if (customer == nullptr) return Reject{"customer", "missing"};
  if (customer->kind != JsonNode::Kind::string) return Reject{"customer", "not a string"};
  return checked(customer->text);
}

} // namespace attune
