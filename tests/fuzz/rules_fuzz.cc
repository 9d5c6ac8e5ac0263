#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "core/rules.h"

using namespace attune;

// What is read is used once, so that no file makes an answer fail.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const auto rules = Rules::parse({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  if (!rules) {
    ATTUNE_ASSERT(rules.error().message.rfind("fuzz.toml:", 0) == 0 && rules.error().message.find('\n') == std::string::npos);
    return 0;
  }
  Profile profile;
  profile.customer = CustomerId("c");
  const Catalog catalog;
  AppliedRules applied(*rules, {&profile, &catalog, profile.customer, Slot("home"), ItemId("p"), {}, Timestamp{1'700'000'000'000}});
  const ItemId item("a");
  const RankedItem ranked{&item, nullptr, applied.adjusted(1, item, nullptr)};
  const std::size_t refused = applied.refuses(item, nullptr) ? 1 : 0;
  const auto arrangement = applied.arrange({&ranked, 1 - refused}, 3, true);
  ATTUNE_ASSERT(arrangement.items.size() <= 3);
  for (const auto name : rules->segments_of(profile, catalog, {})) ATTUNE_ASSERT(!name.data() || name.size() <= size);
  return 0;
}
