// KnownProfiles: the profiles a process knows, decoded and shared, so that an answer costs no read. It holds those that were asked for,
// the least recently used going first, and is told of every change: by the updater in this process with the profile itself, by a
// notification of the store with the name alone. What may have changed since it was read is no longer `current`, but kept: a fallback
// answers from it, and says how old it is.
//
// A read that races with a change does not bring the old profile back: it is begun with begin_load(), and what it gives counts as current
// only if no change came in between. An alias is an entry that leads to its root's, and is no more current than what it was read from.
//
// Thread rule: any thread. Cost: a lock of one of 16 shards and a lookup, some 100 ns. Memory: bounded by `bytes`, about.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "core/profile.h"

namespace attune {

using ProfilePtr = std::shared_ptr<const Profile>; // null: there is none

class KnownProfiles {
 public:
  explicit KnownProfiles(std::size_t bytes) : bytes_per_shard_(bytes / kShards) {}

  struct Known {
    ProfilePtr profile;
    bool current = false;
    Timestamp as_of; // when it was last known to be current
  };
  // Of an alias that is known to be one, its root's. `told`: changes are told just now; while they are not, nothing is current, and what
  // is known grows old.
  [[nodiscard]] std::optional<Known> find(const CustomerId& customer, Timestamp now, bool told);

  struct Load {
    std::uint64_t change = 0, generation = 0;
  };
  [[nodiscard]] Load begin_load(const CustomerId& customer);
  // What a read that began at `begun` gave.
  void loaded(const CustomerId& customer, Load load, ProfilePtr profile, Timestamp begun);
  // It gave a pointer, which in the end leads to `root`.
  void leads_to(const CustomerId& alias, Load load, const CustomerId& root, Timestamp begun);

  // It stands so now. Copied only when it is known, that is, when somebody asked for it. Its aliases are read anew.
  void changed(const Profile& profile, Timestamp now);
  // Somebody else wrote it. Whether it is known: somebody asked for it lately.
  bool changed(const CustomerId& customer);
  // Anything may have changed.
  void all_changed();

  [[nodiscard]] std::size_t size() const;

 private:
  static constexpr std::size_t kShards = 16;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  using ByUse = std::list<const std::string*>;
  struct Entry {
    ProfilePtr profile;
    std::string root; // an alias: whose profile stands for it
    std::size_t bytes = 0;
    bool current = false;
    std::uint64_t generation = 0; // of the store: what all_changed() counts
    std::uint64_t changes = 0; // Shard::changes at its last one
    bool has = false; // a profile (or the fact that there is none) was loaded
    Timestamp as_of;
    ByUse::iterator use;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries;
    ByUse by_use; // most recent first
    std::size_t bytes = 0;
    std::uint64_t changes = 0; // of all its entries, those that went included: an entry that comes again is no old one
  };

  Shard& shard_of(std::string_view customer) { return shards_[Hash{}(customer) % kShards]; }
  void evict(Shard& shard);
  void put(Shard& shard, Entry& entry, ProfilePtr profile, Timestamp now);
  Entry& entry_of(Shard& shard, std::string_view customer);
  [[nodiscard]] bool stands(const Entry& entry, Load load) const;

  std::size_t bytes_per_shard_;
  std::array<Shard, kShards> shards_;
  std::atomic<std::uint64_t> generation_{1};
};

} // namespace attune
