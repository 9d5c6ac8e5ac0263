// What every profile store promises (pipeline/ports.h), as tests. Each *_store_contract_test.cc is compiled together with store_suite.cc and
// says here how its kind of store is opened; what only that kind promises it tests itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/store_options.h"
#include "pipeline/ports.h"

namespace attune::test {

// --- Given by the adapter's test -----------------------------------------------------------------------------------------

// A handle on the store under test, the same store every time.
std::unique_ptr<ProfileStore> open_store_under_test(const StoreOptions& options);
// Whether its profiles expire.
extern const bool kProfilesExpire;

// --- For those tests -------------------------------------------------------------------------------------------------------

// Options with a namespace no other test has, and so patient that no machine is too slow for what should succeed.
StoreOptions fresh_options();

// The bytes of a profile and their digest, as a caller computes it.
Digest digest_for(std::string_view bytes);
StoredProfile read_one(ProfileStore& store, const std::string& customer);
// Writes `bytes` ("" deletes) where `expected` are the bytes thought to be there ("": none).
WriteOutcome write_one(ProfileStore& store, const std::string& customer, std::string_view expected, std::string_view bytes);
std::vector<std::pair<std::string, std::string>> scan_all(ProfileStore& store); // sorted (customer, bytes)

// The value of a Result, or a failed test with its message.
template <class T>
T need(Result<T> result)
{
  if (!result.ok()) throw std::runtime_error(result.error().message);
  return *std::move(result);
}
inline void need(const Status& status)
{
  if (!status.ok()) throw std::runtime_error(status.error().message);
}

} // namespace attune::test
