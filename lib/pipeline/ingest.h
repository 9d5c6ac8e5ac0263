// Ingest: events of a log into profiles of a store, in the order of work that keeps the promises (DESIGN section 4):
//
//     read → apply → write → write acknowledged → store the position
//
// never the position first, and over the contiguous acknowledged prefix of a partition only. What can not be understood goes to the
// dead letters, what is below its floor to the late sink, both durable before a position passes them.
//
// Inside: records are dealt by hash(key) to shards, each with one thread, one store handle and one cache of the profiles it wrote last.
// A shard takes what is there, however little, and so batches grow only while a write is in flight; one read and one write per customer
// and batch. A lost compare-and-set means somebody else wrote: the profile is read and the events applied again.
//
// Thread rule: submit(), positions() and the rest are called by one thread, the feeder; sinks and on_changed are called by the shards.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/profile.h"
#include "pipeline/dead_letter.h"
#include "pipeline/ports.h"

namespace attune {

struct IngestOptions {
  std::size_t workers = 2;
  std::size_t batch_records = 8192; // most that a shard takes at a time
  std::size_t in_flight_records = 32768; // most that are submitted and not yet acknowledged
  std::size_t cache_bytes = 48u << 20; // of profiles kept, over all shards
  std::optional<Milliseconds> give_up; // how long an unreachable store is tried; nothing: for ever
};

// Where late events go, keyed by their id.
// Thread rule: any thread. put() copies; flush() returns once all put before is durable.
class LateSink {
 public:
  virtual ~LateSink() = default;
  virtual Status put(const Event& event) = 0;
  virtual Status flush(Milliseconds limit) = 0;
};

struct IngestSinks {
  DeadLetterSink* dead_letters = nullptr; // never null
  LateSink* late = nullptr; // never null
  // A profile was written; `profile` is as it stands now. May be null. Not called for pointers left by identify.
  std::function<void(const Profile& profile)> on_changed = {};
  // A batch was acknowledged; `received`: when the log got the first of its records. May be empty.
  std::function<void(Timestamp received)> on_applied = {};
};

struct IngestCounts {
  std::atomic<std::uint64_t> records{0}, accepted{0}, repeated{0}, late{0}, refused{0}, dead_letters{0};
  std::atomic<std::uint64_t> batches{0}, reads{0}, writes{0}, lost{0};
};

class Ingest {
 public:
  // `store` gives each shard a handle of its own. `wake` is called, from a shard, when there is room again, when something was
  // acknowledged while nothing is in flight, or when a shard failed.
  static Result<std::unique_ptr<Ingest>> start(ProfileStore& store, const IngestOptions& options, const IngestSinks& sinks,
                                               std::function<void()> wake);
  ~Ingest();

  // Room for another record. submit() never waits; asking first is what bounds memory.
  [[nodiscard]] bool has_room() const;
  // Gives record `index` of `block` to its shard. Records of one block are submitted in order, with none left out; the shards see
  // them at the next dispatch().
  void submit(const RecordBlockPtr& block, std::size_t index);
  void dispatch();

  // Waits until there is room, a shard failed, or `limit` has passed.
  void wait_room(Milliseconds limit);

  [[nodiscard]] bool idle() const; // nothing is in flight
  // Waits until idle, failed, or `limit` has passed; whether it is idle.
  bool wait_idle(Milliseconds limit);

  // Partition → offset after the last record of its contiguous acknowledged prefix, for those that have moved since the last take. Sinks
  // are durable up to there when it returns. ERRORS: those of a sink, which may have lost what it was given: then nothing is taken, and the
  // error stays until reset().
  Result<std::map<TopicPartition, std::int64_t>> take_positions();

  // The first failure of a shard, after which nothing more is acknowledged; the store's `replaced` among them.
  [[nodiscard]] std::optional<Error> failure() const;
  // Throws away what is in flight, the caches and the failure, and begins anew (positions are chosen again by the caller).
  Status reset();

  [[nodiscard]] const IngestCounts& counts() const;

 private:
  struct Impl;
  explicit Ingest(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace attune
