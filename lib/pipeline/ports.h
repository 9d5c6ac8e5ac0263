// The ports: what the pipeline needs of a log and of a profile store, and nothing a vendor would recognise. Every adapter of a port
// passes that port's contract suite (tests/contract/), memory ones included.
//
// Units: offsets count records; a position is the offset of the NEXT record to read; timestamps are when the log received a
// record. Strings handed in are copied before a call returns; views handed out live as long as the block they came in.
// ERRORS everywhere: unreachable (peer away; worth a retry), busy (held, overloaded), io (disk), config (refused for good),
// usage (a URL or topic that can not be), and those a member names. Nothing blocks for ever: each call that waits takes a limit or
// has one of its adapter's options.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/position.h"
#include "base/result.h"
#include "core/profile_proto.h"

namespace attune {

// --- Log ----------------------------------------------------------------------------------------------------------------

struct Header {
  std::string_view name;
  std::optional<std::string_view> value; // bytes; nothing: null
};

struct Record {
  std::int64_t offset = 0;
  Timestamp timestamp;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value; // bytes; nothing: a tombstone
  std::vector<Header> headers;
};

// Some records of one partition, in order, and the memory their views point into.
class RecordBlock {
 public:
  virtual ~RecordBlock() = default;
  TopicPartition from;
  std::vector<Record> records; // never empty
};
using RecordBlockPtr = std::shared_ptr<const RecordBlock>;

struct Placed {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
};

inline constexpr std::int32_t kPartitionByKey = -1; // murmur2 of the key, as Kafka's Java client; without a key: any

struct OutgoingRecord {
  std::string_view topic;
  std::int32_t partition = kPartitionByKey;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value; // nothing: a tombstone
  std::span<const Header> headers;
  std::optional<Timestamp> timestamp; // default: now
};

// Appends records durably.
// Thread rule: append and flush may be called from any thread.
class LogWriter {
 public:
  virtual ~LogWriter() = default;

  // Called once per record from a thread of the adapter (or of a flush), in order per partition: it is durable at Placed, or it is
  // not and never will be by this writer.
  using Delivered = std::function<void(const Result<Placed>&)>;

  // Takes one record. Waits while the bounded queue is full; fails at once when the writer has failed for good.
  // An error returned here means `delivered` will not be called. ERRORS: bad_data: too large for the log.
  virtual Status append(const OutgoingRecord& record, Delivered delivered = {}) = 0;

  // Waits until all appended before are delivered or `limit` has passed. ERRORS: the first failed delivery since the last
  // flush; unreachable when the limit passed.
  virtual Status flush(Milliseconds limit) = 0;

  // Records that append() took and that are not known to be durable: those under way, and those that failed. Who only counts asks here
  // instead of being called back for each.
  [[nodiscard]] virtual std::uint64_t undelivered() const = 0;
  // Whether a delivery has failed since the last flush. Costs nothing.
  [[nodiscard]] virtual bool delivery_failed() const = 0;
};

// The offsets a partition has: [begin, end). end: what is durable now.
struct PartitionEnds {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// Reads partitions of one's own choice. Thread rule: one thread, but wake() from any.
class LogReader {
 public:
  virtual ~LogReader() = default;

  // All partitions of these topics, sorted. A topic that does not exist has none.
  virtual Result<std::vector<TopicPartition>> partitions(std::span<const std::string> topics) = 0;
  // All topics, sorted; internal ones left out.
  virtual Result<std::vector<std::string>> topics() = 0;
  virtual Result<PartitionEnds> ends(const TopicPartition& at) = 0;
  // The first offset whose timestamp is at or after `time`; the end when there is none.
  virtual Result<std::int64_t> offset_at(const TopicPartition& at, Timestamp time) = 0;

  // Reads `at` from `offset` on; moves there if it is being read already.
  virtual Status seek(const TopicPartition& at, std::int64_t offset) = 0;
  virtual void stop(const TopicPartition& at) = 0;

  // What is there of a partition that was sought, up to `max` records, without waiting; null when there is nothing now.
  // Records never come twice or out of order. ERRORS: gap: the next offset is gone (message: partition and how many are lost).
  virtual Result<RecordBlockPtr> read(const TopicPartition& at, std::size_t max) = 0;
  // Whether read() has returned everything known to be durable in the partition. False before the log has answered.
  virtual bool caught_up(const TopicPartition& at) = 0;

  // Waits until a sought partition may have something to read (or may have become caught up), wake() was called, or `limit` has
  // passed. May return early for no reason. Membership callbacks of a LogGroup are made here.
  virtual Status wait(Milliseconds limit) = 0;
  virtual void wake() = 0;
};

// What a group keeps per partition. `note` is the pipeline's own text, stored with the offset in one step (the incarnation of the store).
struct StoredPosition {
  std::int64_t offset = 0;
  std::string note;
  friend bool operator==(const StoredPosition&, const StoredPosition&) = default;
};

struct GroupListener {
  virtual ~GroupListener() = default;
  // These partitions are ours now; nothing is read of them until seek().
  virtual void assigned(const std::vector<TopicPartition>& partitions) = 0;
  // These stop being ours when the call returns: finish what is in flight and store positions here. With `lost` they already
  // belong to somebody else: store nothing.
  virtual void revoked(const std::vector<TopicPartition>& partitions, bool lost) = 0;
};

// A member of a group whose members share the partitions of some topics, each partition with one member at a time.
class LogGroup : public LogReader {
 public:
  // Joins; assignments arrive in wait(). Topics that appear later, and new partitions, are assigned when they do.
  virtual Status join(const std::vector<std::string>& topics, GroupListener& listener) = 0;
  virtual Result<std::optional<StoredPosition>> stored(const TopicPartition& at) = 0;
  // Durable when it returns. REQUIRES: the partitions are ours. ERRORS: stopped: not ours any more (nothing is stored).
  virtual Status store(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) = 0;
  // Begins what store() does, and does not wait: stored_outcome() tells. One at a time; store() waits for one that is under way.
  // REQUIRES and ERRORS of store(), those of the beginning here and those of the end there.
  virtual Status begin_store(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) = 0;
  // What became of the last begin_store(), told once: nothing while it is under way after `limit`, and when nothing was begun. ERRORS:
  // unreachable: no answer within the limit of the adapter.
  virtual std::optional<Status> stored_outcome(Milliseconds limit) = 0;
  // Gives everything back (revoked() is called first) and leaves. Safe to call twice.
  virtual Status leave() = 0;
};

struct TopicSettings {
  std::string topic;
  std::int32_t partitions = 0;
  std::int32_t replication = 0; // 0: the broker's default; an embedded log has 1
  std::optional<Milliseconds> retention; // nothing: kept for ever
  std::optional<std::int64_t> retention_bytes; // per partition; nothing: no limit
  bool compacted = false; // the newest record of each key is kept
};

class LogAdmin {
 public:
  virtual ~LogAdmin() = default;
  virtual Result<std::vector<TopicSettings>> describe() = 0; // sorted by topic
  virtual Status create(const TopicSettings& settings) = 0; // ERRORS: busy: it exists
  virtual Status alter(const TopicSettings& settings) = 0; // retention and compaction; more partitions, never fewer
  // Stores positions for a group nobody is a member of (attune-replay --rebuild).
  virtual Status store_positions(std::string_view group,
                                 const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) = 0;
};

// --- Profile store --------------------------------------------------------------------------------------------------------

// Which data a store holds, and which process serves it. A position is only good for the incarnation it was stored with.
struct Incarnation {
  std::string data; // random, written into an empty store by whoever opens it first
  std::string run; // changes when the serving process restarts (Redis' run_id); constant for embedded stores
  friend bool operator==(const Incarnation&, const Incarnation&) = default;
};

// Bytes and what to compare next time.
struct StoredProfile {
  std::string bytes; // of encode_profile(); empty: there is none
  Digest digest{}; // all zero: there is none
};

struct ProfileWrite {
  const CustomerId* customer = nullptr;
  Digest expected{}; // all zero: there must be none
  std::string_view bytes; // empty: delete
  Digest digest{}; // digest_of(bytes)
};

enum class WriteOutcome : std::uint8_t {
  written,
  lost, // somebody else wrote since: read and apply again
};

// One blob per customer. Thread rule: one thread per handle; handles of one store share what can be shared.
// After the store's incarnation changed under a handle (a reconnect found another one), every call fails with `replaced` until
// incarnation() has been called again.
class ProfileStore {
 public:
  virtual ~ProfileStore() = default;
  virtual Result<std::unique_ptr<ProfileStore>> another() = 0; // one more handle, for another thread

  virtual Result<Incarnation> incarnation() = 0;

  // out[i] answers customers[i]. One round trip for all.
  virtual Status get(std::span<const CustomerId> customers, std::vector<StoredProfile>& out) = 0;

  // Each write succeeds or is lost by itself; acknowledged writes survive what the store promises to survive. A write whose reply was
  // lost and that is sent again counts as written (each write carries a nonce). One round trip for all.
  virtual Status compare_and_set(std::span<const ProfileWrite> writes, std::vector<WriteOutcome>& out) = 0;

  // Every profile once, in no order, those that come or go meanwhile perhaps. `visit` returns false to stop.
  virtual Status scan(const std::function<bool(const CustomerId&, const StoredProfile&)>& visit) = 0;

  // --- Generations: attune-replay --rebuild fills a fresh one beside the one in use, then swaps. ---
  // A handle on a new, empty generation that nobody else sees.
  virtual Result<std::unique_ptr<ProfileStore>> fresh_generation() = 0;
  // Makes this handle's generation the one that is opened from now on and removes the old one. Its incarnation's `data` is new.
  virtual Status publish_generation() = 0;
};

} // namespace attune
