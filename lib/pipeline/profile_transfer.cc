#include "pipeline/profile_transfer.h"

#include <algorithm>

#include "core/profile_proto.h"

namespace attune {
namespace {

constexpr std::size_t kRound = 500;
constexpr int kMostRounds = 100; // of writes lost to somebody else

Status hand_out(const CustomerId& customer, const StoredProfile& stored, const std::function<Status(const Profile&)>& take)
{
  auto profile = decode_profile(customer, stored.bytes);
  return profile.ok() ? take(*profile) : Status(profile.error());
}

Status export_in_any_order(ProfileStore& store, const std::function<Status(const Profile&)>& take)
{
  Status taken;
  Status scanned = store.scan([&](const CustomerId& customer, const StoredProfile& stored) {
    taken = hand_out(customer, stored, take);
    return taken.ok();
  });
  return scanned.ok() ? taken : scanned;
}

Status export_in_order(ProfileStore& store, const std::function<Status(const Profile&)>& take)
{
  std::vector<CustomerId> customers;
  Status scanned = store.scan([&](const CustomerId& customer, const StoredProfile&) {
    customers.push_back(customer);
    return true;
  });
  if (!scanned.ok()) return scanned;
  std::sort(customers.begin(), customers.end());
  std::vector<StoredProfile> found;
  for (std::size_t begin = 0; begin < customers.size(); begin += kRound) {
    const auto round = std::span(customers).subspan(begin, std::min(kRound, customers.size() - begin));
    if (Status got = store.get(round, found); !got.ok()) return got;
    for (std::size_t i = 0; i < round.size(); ++i) {
      if (found[i].bytes.empty()) continue; // it went meanwhile
      if (Status taken = hand_out(round[i], found[i], take); !taken.ok()) return taken;
    }
  }
  return {};
}

// An alias belongs to the first claim, whichever side knows of it.
void keep_first_claim(Profile& into, const Profile& other)
{
  if (!other.moved_to) return;
  if (!into.moved_to || other.moved_to->by < into.moved_to->by) into.moved_to = other.moved_to;
}

} // namespace

Status export_profiles(ProfileStore& store, bool sorted, const std::function<Status(const Profile&)>& take)
{
  return sorted ? export_in_order(store, take) : export_in_any_order(store, take);
}

Status ProfileImport::add(Profile profile)
{
  const auto [known, inserted] = waiting_.try_emplace(profile.customer, std::move(profile));
  if (!inserted) {
    // The same customer twice in the input: as if it had come in two calls.
    if (Status flushed = flush(); !flushed.ok()) return flushed;
    waiting_.emplace(profile.customer, std::move(profile));
  }
  return waiting_.size() < kRound ? Status() : flush();
}

Status ProfileImport::flush()
{
  for (int rounds = 0; !waiting_.empty(); ++rounds) {
    if (rounds == kMostRounds) {
      return Error{Code::busy, "profile of " + waiting_.begin()->first.text + ": somebody else keeps writing it"};
    }
    if (Status written = write_round(); !written.ok()) return written;
  }
  return {};
}

// The bytes the store should have instead of `stored`.
Result<std::string> ProfileImport::bytes_for(const Profile& profile, const StoredProfile& stored) const
{
  std::string bytes;
  if (manner_ == Manner::replace || stored.bytes.empty()) {
    encode_profile(profile, bytes);
    return bytes;
  }
  auto known = decode_profile(profile.customer, stored.bytes);
  if (!known.ok()) return known.error();
  merge(*known, profile);
  keep_first_claim(*known, profile);
  encode_profile(*known, bytes);
  return bytes;
}

Status ProfileImport::write_round()
{
  std::vector<CustomerId> customers;
  for (const auto& [customer, profile] : waiting_) customers.push_back(customer);
  std::vector<StoredProfile> stored;
  if (Status got = store_.get(customers, stored); !got.ok()) return got;
  std::vector<std::string> bytes(customers.size());
  std::vector<ProfileWrite> writes;
  for (std::size_t i = 0; i < customers.size(); ++i) {
    auto wanted = bytes_for(waiting_.at(customers[i]), stored[i]);
    if (!wanted.ok()) return wanted.error();
    bytes[i] = *std::move(wanted);
    const Digest digest = digest_of(bytes[i]);
    if (digest == stored[i].digest) {
      waiting_.erase(customers[i]);
    } else {
      writes.push_back({&customers[i], stored[i].digest, bytes[i], digest});
    }
  }
  std::vector<WriteOutcome> outcomes;
  if (Status put = store_.compare_and_set(writes, outcomes); !put.ok()) return put;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (outcomes[i] == WriteOutcome::lost) continue;
    waiting_.erase(*writes[i].customer);
    ++written_;
  }
  return {};
}

Result<ProfileDigests> digests_of(ProfileStore& store)
{
  ProfileDigests digests;
  const Status scanned = store.scan([&](const CustomerId& customer, const StoredProfile& stored) {
    digests.emplace(customer, stored.digest);
    return true;
  });
  if (!scanned.ok()) return scanned.error();
  return digests;
}

void for_each_difference(const ProfileDigests& first, const ProfileDigests& second,
                         const std::function<void(const CustomerId&, Difference)>& visit)
{
  auto a = first.begin();
  auto b = second.begin();
  while (a != first.end() || b != second.end()) {
    if (b == second.end() || (a != first.end() && a->first < b->first)) {
      visit(a++->first, Difference::missing);
    } else if (a == first.end() || b->first < a->first) {
      visit(b++->first, Difference::added);
    } else {
      if (a->second != b->second) visit(a->first, Difference::changed);
      ++a;
      ++b;
    }
  }
}

} // namespace attune
