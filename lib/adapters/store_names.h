// The names a store keeps its profiles under: generations, the data half of an incarnation, and Redis keys. Pure but for the random ones.
//
// The data half of an incarnation is "RANDOM" or "RANDOM@GENERATION": which data this is, and which generation of it is in use. They stand
// in one value, so that publishing a generation is one write and a handle learns of it with one read. The first generation's name is "".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace attune {

[[nodiscard]] std::string random_name(); // 16 bytes of the system's randomness, as 32 lower-case hex digits

[[nodiscard]] std::string incarnation_data(std::string_view random, std::string_view generation);
[[nodiscard]] std::string generation_of(std::string_view incarnation_data);

// Redis: "NS:{CUSTOMER}:profile" or "NS:{CUSTOMER}:profile@GENERATION". The customer, with `{ } %` and bytes below 0x21 percent-encoded, is
// the hash tag: all keys of a customer live in one slot of a Cluster.
void append_redis_key(std::string_view name_space, std::string_view generation, const CustomerId& customer, std::string& out);
// The customer of such a key; nothing for a key of another namespace, generation or kind.
[[nodiscard]] std::optional<CustomerId> customer_of_redis_key(std::string_view name_space, std::string_view generation,
                                                              std::string_view key);
// A MATCH pattern for the keys of one generation (others may match too).
[[nodiscard]] std::string redis_key_pattern(std::string_view name_space, std::string_view generation);
// The same for all generations, and which one a key is of ("": the first); nothing for a key of another namespace or kind.
[[nodiscard]] std::string redis_pattern_of_all(std::string_view name_space);
[[nodiscard]] std::optional<std::string> generation_of_redis_key(std::string_view name_space, std::string_view key);
[[nodiscard]] std::string redis_incarnation_key(std::string_view name_space); // "NS:incarnation"

} // namespace attune
