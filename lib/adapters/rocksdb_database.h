// The databases of rocksdb_store: one per directory and process, shared by all handles on it, and what those handles need to agree on.
// Thread rule: every member of RocksdbDatabase may be used from any thread, `data` under `publishing`.
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adapters/store_options.h"
#include "pipeline/ports.h"

namespace attune {

// What stands before a profile's bytes: 16 bytes of digest and the moment it expires (8 bytes, ms, little-endian; 0: never).
struct ProfileHead {
  Digest digest{}; // all zero: there is no profile
  std::int64_t expiry = 0;

  static constexpr std::size_t kBytes = 24;
  // A value too short to have one has none.
  [[nodiscard]] static ProfileHead of(std::string_view value);
  [[nodiscard]] bool live(std::int64_t now) const { return digest != Digest{} && (expiry == 0 || expiry > now); }
};

// Which customers a call is writing: of two calls that write the same one, the second waits.
class CustomersInFlight {
 public:
  // Holds the customers of the longest beginning of `writes` that names none twice; lets go of them when it goes.
  class Hold {
   public:
    Hold(CustomersInFlight& all, std::span<const ProfileWrite> writes) : all_(all) { all_.acquire(writes, held_); }
    ~Hold() { all_.release(held_); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    [[nodiscard]] std::size_t count() const { return held_.size(); }

   private:
    CustomersInFlight& all_;
    std::vector<std::size_t> held_;
  };

 private:
  void acquire(std::span<const ProfileWrite> writes, std::vector<std::size_t>& held);
  bool try_acquire(std::span<const ProfileWrite> writes, std::vector<std::size_t>& held);
  void release(const std::vector<std::size_t>& held);

  std::mutex mutex_;
  std::condition_variable released_;
  std::unordered_map<std::size_t, const void*> owners_;
};

// The heads of the profiles written last, so that a compare-and-set need not read what this process has just written. A bounded table
// that forgets: of two keys that share a slot the later stays. An entry is read and written only while its customer is held, and is
// therefore never older than the database.
class NewestHeads {
 public:
  NewestHeads();
  // heads[i] for keys[i] where it is known; the other indexes go to `unknown`. Keys are given by their digests, which stand for them.
  void find(std::span<const Digest> keys, std::span<ProfileHead> heads, std::vector<std::size_t>& unknown);
  void put(std::span<const Digest> keys, std::span<const ProfileHead> heads);
  void drop(std::span<const Digest> keys);

 private:
  struct Entry {
    Digest key{};
    ProfileHead head;
  };
  Entry& slot_of(const Digest& key);

  std::mutex mutex_;
  std::vector<Entry> entries_;
};

struct RocksdbDatabase {
  std::string name; // as messages call it: "rocksdb:///dir"
  std::unique_ptr<rocksdb::DB> db;
  bool secondary = false; // opened beside the process that writes
  std::filesystem::path secondary_logs; // a secondary's own files, removed with it
  CustomersInFlight in_flight;
  NewestHeads newest;
  std::atomic<bool> failed{false}; // a log could not be synced: nothing is acknowledged any more
  std::shared_mutex publishing; // held shared by every call, exclusively while a generation is published
  std::map<std::string, std::string> data; // namespace → data half of the incarnation, in the process that writes

  ~RocksdbDatabase();
  [[nodiscard]] Error error(std::string_view doing, const rocksdb::Status& status) const;
};

// The one this process has open already, whatever its options were then, or a new one.
// ERRORS: as open_rocksdb_store().
[[nodiscard]] Result<std::shared_ptr<RocksdbDatabase>> open_rocksdb_database(const std::string& directory,
                                                                             const StoreOptions& options);

} // namespace attune
