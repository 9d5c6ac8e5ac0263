// Masking: what people may see of a value that may hold a secret.
// Thread rule: pure functions. Cost: one copy.
#pragma once

#include <string>
#include <string_view>

namespace attune {

// The password of a URL (redis://user:pass@host), and the value of a setting whose name says what it is (sasl.password=…, client_secret=…),
// wherever they stand in the text, become ***. Anything else is returned as it is.
std::string mask_secrets(std::string_view text);

} // namespace attune
