// GroupFeed: a member of a log's group that feeds an Ingest, and keeps the promises about positions (DESIGN section 4):
//
// - a position is stored after what stands before it is acknowledged and its sinks are durable, with the incarnation of the store;
// - a position of another incarnation is void: the partition is read from its beginning. The same data served by another run (a
//   restart, a failover that may have lost its last seconds): the partition is read again from where it stood `rewind` before,
//   which the profiles make harmless. That place is known from a short trail of (wall time, offset) stored with the position;
//   While it feeds it does not wait for a position to be stored: how that went is looked at when the next is due. At a stop, at the ends
//   and when partitions go it does wait;
// - a sink, or whatever a shard writes to, that was away may have lost what it was given: everything behind the stored positions is read
//   again, after a pause, as often as it takes; with a `give_up` it is the end, and the next run reads it again;
// - new groups and new partitions begin at the earliest record; a position before that is a gap: reported with the number lost, and
//   the end, unless on_gap_continue.
//
// Thread rule: run() on one thread, which becomes the feeder of the Ingest.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pipeline/ingest.h"
#include "pipeline/merge_reader.h"
#include "pipeline/patience.h"
#include "pipeline/ports.h"

namespace attune {

// What is stored in StoredPosition::note.
struct PositionNote {
  Incarnation incarnation;
  std::vector<std::pair<Timestamp, std::int64_t>> trail; // oldest first
};
[[nodiscard]] std::string to_note(const PositionNote& note);
// A note that is not ours is one of an unknown incarnation.
[[nodiscard]] PositionNote parse_note(std::string_view text);

struct FeedOptions {
  std::vector<std::string> topics;
  MergeOptions merge;
  bool until_end = false; // stop at the ends seen at the start, whatever arrives meanwhile
  bool on_gap_continue = false;
  Milliseconds rewind = std::chrono::seconds(60);
  Milliseconds store_every = std::chrono::seconds(1);
  std::optional<Milliseconds> give_up; // how long a log or store that is away is tried; nothing: for ever
  std::function<bool()> stop; // asked in every round
  std::function<void(const std::string&)> say; // a line for people: rewinds, gaps, other incarnations
  std::function<Status()> quiet; // nothing is left to do just now: flush what is held. May be empty
  std::function<void(std::uint64_t done, std::optional<std::uint64_t> total)> progress; // may be empty; records
};

class GroupFeed final : private GroupListener {
 public:
  GroupFeed(LogGroup& log, ProfileStore& store, Ingest& ingest, const Clock& clock, FeedOptions options);

  // Feeds until stopped, or until the ends are reached and acknowledged. On a stop what is in flight is finished first.
  // ERRORS: those of the log and the store; busy: one of them was away for longer than `give_up`; gap.
  Status run();

 private:
  struct Mine {
    std::vector<std::pair<Timestamp, std::int64_t>> trail;
    std::int64_t stored = -1;
  };

  void assigned(const std::vector<TopicPartition>& partitions) override;
  void revoked(const std::vector<TopicPartition>& partitions, bool lost) override;

  Status loop();
  Status begin(const TopicPartition& at);
  Result<std::int64_t> choose_start(const TopicPartition& at, Mine& mine);
  Status begin_anew();
  Status read_again(const Error& error);
  Status feed(bool* moved);
  Status bridge_gaps(const Error& gap);
  enum class Storing { later, now }; // whether somebody waits until the log has answered
  Status store_positions(Storing when);
  Status settle_store(Storing when);
  Status keep(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions, const Status& stored);
  Result<bool> at_the_ends();
  Status retry(const std::function<Status()>& call);

  LogGroup& log_;
  ProfileStore& store_;
  Ingest& ingest_;
  const Clock& clock_;
  FeedOptions options_;
  MergeReader merge_;
  Incarnation incarnation_;
  std::vector<std::pair<TopicPartition, StoredPosition>> under_way_; // begun to be stored, and not known to be
  std::map<TopicPartition, Mine> mine_;
  std::map<TopicPartition, PartitionEnds> ends_; // at the start, with until_end
  std::set<TopicPartition> others_done_; // of others' partitions, those known to be at their ends
  std::chrono::steady_clock::time_point next_store_{}, next_look_{};
  Patience patience_; // with the log
  std::uint64_t fed_ = 0;
  Status trouble_; // what a callback met
  Milliseconds pause_{0}; // before what is behind the positions is read again; 0: it went well since
};

} // namespace attune
