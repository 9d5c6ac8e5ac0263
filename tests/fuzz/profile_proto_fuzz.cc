// Bytes that were read as a profile are written as one profile, and can be lived with: read, merged, added to, forgotten.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "core/profile_json.h"
#include "core/profile_proto.h"
#include "core/session.h"
#include "support/profile_builders.h"

using namespace attune;
using namespace attune::testing;

namespace {

void check_same_bytes(const Profile& profile)
{
  const std::string bytes = bytes_of(profile);
  const auto back = decode_profile(profile.customer, bytes);
  ATTUNE_ASSERT(back.ok() && *back == profile && bytes_of(*back) == bytes);
}

void live_with(Profile profile)
{
  std::string view;
  append_profile_view(profile, {}, {.at = {}, .items = true, .recent = true}, view);
  ATTUNE_ASSERT(sessions(profile).empty() == recent_in_order(profile).empty());
  profile.moved_to.reset();
  const std::uint64_t version = profile.version();
  put_in(profile, {a_purchase("new", kNoon, {a_line("a", 1, "1")}), an_event(EventType::view, "newer", kNoon + 60 * kDay)});
  check_same_bytes(profile);
  Profile other = profile_of({an_event(EventType::view, "other", kNoon + 90 * kDay)});
  absorb(other, profile, {CustomerId("alias"), {Timestamp{kNoon}, EventId("claim")}});
  check_same_bytes(other);
  forget(profile, a_forget("forget", kNoon));
  check_same_bytes(profile);
  ATTUNE_ASSERT(profile.version() >= version);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const auto profile = decode_profile(CustomerId("c1"), {reinterpret_cast<const char*>(data), size});
  if (profile) {
    check_same_bytes(*profile);
    live_with(*profile);
  }
  return 0;
}
