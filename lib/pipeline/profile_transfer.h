// Whole profiles out of a store, into one, and two lots of them compared: what attune-profile does with them.
// Thread rule: the thread of the store's handle.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "pipeline/ports.h"

namespace attune {

// Hands out every profile, pointers of identify included; with `sorted` by customer, whose ids are then kept in memory meanwhile.
// ERRORS: those of the store and of `take`; bad_data: a profile that can not be read.
Status export_profiles(ProfileStore& store, bool sorted, const std::function<Status(const Profile&)>& take);

// Puts profiles into a store, a few hundred a round trip. What the store has of a customer is merged with what comes, or replaced by it; what it
// does not have becomes exactly what came. Importing the same again changes nothing.
class ProfileImport {
 public:
  enum class Manner { merge, replace };

  ProfileImport(ProfileStore& store, Manner manner) : store_(store), manner_(manner) {}

  // Durable after flush(). ERRORS: those of the store; bad_data: a stored profile that can not be merged with; busy: somebody else
  // keeps writing it.
  Status add(Profile profile);
  Status flush();

  [[nodiscard]] std::uint64_t written() const { return written_; } // those that were no different are not

 private:
  Result<std::string> bytes_for(const Profile& profile, const StoredProfile& stored) const;
  Status write_round();

  ProfileStore& store_;
  Manner manner_;
  std::map<CustomerId, Profile> waiting_;
  std::uint64_t written_ = 0;
};

// One digest of the bytes of each profile: equal profiles, equal bytes.
using ProfileDigests = std::map<CustomerId, Digest>;
Result<ProfileDigests> digests_of(ProfileStore& store);

enum class Difference { missing, added, changed }; // only in the first; only in the second; in both

// In the order of customers.
void for_each_difference(const ProfileDigests& first, const ProfileDigests& second,
                         const std::function<void(const CustomerId&, Difference)>& visit);

} // namespace attune
