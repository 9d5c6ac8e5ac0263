// The customers attune-latency-probe invents are marked by their names, so that they teach no model and can be told from others everywhere.
#pragma once

#include <string_view>

#include "base/ids.h"

namespace attune {

inline constexpr std::string_view kProbePrefix = "attune-probe-";

[[nodiscard]] inline bool is_probe_customer(const CustomerId& customer)
{
  return customer.text.starts_with(kProbePrefix);
}

} // namespace attune
