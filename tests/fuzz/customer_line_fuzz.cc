#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "core/customer_line.h"

using namespace attune;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto customer = parse_customer_line(line);
  if (!customer) {
    ATTUNE_ASSERT(!customer.error().reason.empty());
    return 0;
  }
  ATTUNE_ASSERT(!customer->empty() && customer->text.size() <= kMaxCustomerBytes);
  // An id that is found is found again where it stands alone, unless it reads as JSON or begins or ends with white space.
  const auto again = parse_customer_line(customer->text);
  const auto first = customer->text.front(), last = customer->text.back();
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  if (first != '{' && !space(first) && !space(last)) ATTUNE_ASSERT(again && *again == *customer);
  return 0;
}
