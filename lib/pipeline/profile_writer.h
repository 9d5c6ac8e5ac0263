// ProfileWriter: batches of events into the profiles of a store: read → apply → compare-and-set, again for those that were lost. It
// follows the pointers that identify leaves, and carries identify through its three steps (DESIGN section 4), each safe to repeat.
//
// It keeps what it last wrote (bounded by bytes, least recently used first out) and reads only what it does not know or lost. What it
// knows may be stale; that is safe, because nothing is decided on it that a compare-and-set does not check, and a verdict that
// writes nothing and could be wrong (late, refused) is given only on what was read in the same call.
//
// Thread rule: one thread per writer and per store handle; any number of writers, in any number of processes, on one store.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/profile.h"
#include "pipeline/ports.h"

namespace attune {

struct Verdict {
  Outcome outcome = Outcome::repeated;
  std::string conflict; // set for an identify that lost: the reason, which names the winner; for the dead letters
};

struct ProfileWriterOptions {
  std::size_t cache_bytes = 24u << 20;
  std::optional<Milliseconds> give_up; // how long a store that is away is tried; nothing: for ever
  std::function<bool()> keep_trying; // asked between tries; false ends with Code::stopped. May be empty
  std::function<void(const Profile&)> on_changed; // after each acknowledged write; may be empty
};

struct ProfileWriterCounts {
  std::uint64_t reads = 0, writes = 0, lost = 0; // profiles
};

class ProfileWriter {
 public:
  // REQUIRES: `store` outlives the writer.
  ProfileWriter(ProfileStore& store, ProfileWriterOptions options);
  ~ProfileWriter();

  // Applies complete events of any customers and types, in any order. When it returns ok every change is acknowledged and verdicts[i]
  // speaks of events[i]. After an error some may have been written: calling again with the same events does no harm.
  // ERRORS: those of the store; stopped.
  Status apply(std::span<const Event* const> events, std::vector<Verdict>& verdicts);

  void forget_what_is_known(); // empties the cache
  [[nodiscard]] const ProfileWriterCounts& counts() const { return counts_; }

 private:
  struct Known;
  struct Group;
  using Knowledge = std::unordered_map<std::string, std::unique_ptr<Known>>;

  template <class Call>
  Status persist(const Call& call);
  Status load(std::span<const CustomerId> customers);
  Result<Known*> load_one(const CustomerId& customer);
  Result<bool> write_one(Known& known);
  void drop(const CustomerId& customer);
  void touch(Known& known);
  void evict();
  Result<CustomerId> root_of(const CustomerId& customer);
  Status identify(const Event& event, Verdict& verdict);
  Status apply_groups(std::span<const Event* const> events, std::vector<Group> pending, std::vector<Verdict>& verdicts);
  Result<std::vector<Group>> at_their_roots(std::vector<Group> groups);
  bool settle(Group& group, std::span<const Event* const> events);

  ProfileStore& store_;
  ProfileWriterOptions options_;
  ProfileWriterCounts counts_;
  Knowledge known_;
  std::list<Known*> by_use_; // most recent first
  std::size_t known_bytes_ = 0;
  std::uint64_t call_ = 0; // the number of the current apply(): what was read in it is fresh
};

} // namespace attune
