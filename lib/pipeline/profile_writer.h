// ProfileWriter: batches of events into the profiles of a store: read → apply → compare-and-set, again for those that were lost. It
// follows the pointers that identify leaves, and carries identify through its three steps (DESIGN section 4), each safe to repeat.
//
// It keeps what it last wrote (bounded by bytes, least recently used first out) and reads only what it does not know or lost. What it
// knows may be stale; that is safe, because nothing is decided on it that a compare-and-set does not check, and a verdict that
// writes nothing and could be wrong (late, refused) is given only on what was read in the same call.
//
// Thread rule: one thread per writer and per store handle; any number of writers, in any number of processes, on one store.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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
  // The events of one customer in a round: `count` of order_ from `first` on.
  struct Group {
    const CustomerId* customer;
    Known* known;
    std::uint32_t first, count;
  };
  struct Ready {
    const Group* group;
    std::size_t begin, size; // of its bytes in encoded_
    Digest digest;
  };
  enum class Settled {
    ready, // to be written
    unchanged, // its verdicts stand
    unsure, // they may be wrong: what was known is not of this call
  };
  // By bytes, so that looking a customer up makes no string. Not noexcept: libstdc++ then keeps each hash, and a look-up that passes over
  // other customers need not read their names.
  struct BytesHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view bytes) const { return std::hash<std::string_view>{}(bytes); }
  };
  using Knowledge = std::unordered_map<std::string, std::unique_ptr<Known>, BytesHash, std::equal_to<>>;

  template <class Call>
  Status persist(const Call& call);
  Known* find(const CustomerId& customer);
  Status load(std::span<const CustomerId> missing);
  Status load_some(std::span<const CustomerId> missing);
  Result<Known*> load_one(const CustomerId& customer);
  Result<bool> write_one(Known& known);
  void drop(const CustomerId& customer);
  void touch(Known& known);
  void evict();
  Result<CustomerId> root_of(const CustomerId& customer);
  Status identify(const Event& event, Verdict& verdict);
  void group();
  Status load_groups();
  Status group_at_roots();
  Settled settle(const Group& group, std::span<const Event* const> events, std::vector<Verdict>& verdicts);
  void again(const Group& group);
  Status write_ready();
  Status apply_pending(std::span<const Event* const> events, std::vector<Verdict>& verdicts);

  ProfileStore& store_;
  ProfileWriterOptions options_;
  ProfileWriterCounts counts_;
  Knowledge known_;
  std::list<Known*> by_use_; // most recent first
  std::size_t known_bytes_ = 0;
  std::uint64_t call_ = 0; // the number of the current apply(): what was read in it is fresh

  // Of the current apply(); kept for their memory.
  std::vector<std::uint32_t> pending_, again_; // indexes of events: of this round, of the next
  std::vector<const CustomerId*> to_; // whom each event is addressed to
  std::deque<CustomerId> roots_; // those that pointers led to
  std::vector<Group> groups_;
  std::vector<std::uint32_t> order_, group_of_, slots_;
  std::vector<CustomerId> missing_;
  std::vector<StoredProfile> stored_;
  std::vector<const Event*> kept_;
  std::vector<Outcome> outcomes_;
  std::vector<Ready> ready_;
  std::string encoded_; // the profiles that are ready, one after the other
  std::vector<ProfileWrite> writes_;
  std::vector<WriteOutcome> written_;
};

} // namespace attune
