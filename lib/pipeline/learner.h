// Learner: keeps the knowledge of a service current by tailing a log: the model learns every event from the positions its snapshot names (without
// any: from the log's start), catalog lines replace their items, offers' budgets are used up. Now and then a snapshot is written.
//
// The model is not asked about anybody's freshness: profiles are (pipeline/known_profiles.h). It follows within milliseconds.
// An event that can not be read is skipped: whoever updates profiles buries it. A gap (records gone before they were read) is said and
// crossed: a model lives with it.
//
// Rules and a catalog's file that were read again are handed to it (renew()). A catalog is made of its file and the lines in the log, so the
// lines are read again from their beginning into the new one, beside what answers are made of, and the whole takes the old one's place.
//
// Thread rule: run() on a thread of its own; it alone changes the Knowledge. renew() and counts() from any thread. Cost: some 7 us an event,
// see core/model.h; answers wait for one turn of it: 100 us and one event.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/event_record.h"
#include "pipeline/knowledge.h"
#include "pipeline/ports.h"

namespace attune {

struct LearnerOptions {
  std::vector<std::string> topics; // of events; whole names
  std::string catalog_topic; // empty: the catalog is not followed
  bool learn = true; // --learn off: the catalog alone is followed
  Milliseconds snapshot_every{0}; // 0: none
  std::function<Status(const Model&)>
      snapshot; // written on this thread while answers go on; on an error it is said and tried again
  // The segments a customer is in, as far as it is known; what is popular in them is counted. Views that stay good while a `rules` is held.
  // May be empty.
  std::function<std::vector<std::string_view>(const Rules& rules, const Catalog& catalog, const Event& event)> segments;
  std::function<bool(const CustomerId&)> skip; // whose events teach nothing (a probe's). May be empty
  std::function<void()> renewed; // rules or a catalog took their place. May be empty
  std::function<bool()> stop;
  std::function<void(const std::string&)> say;
};

// What was read again. Nothing: what stands stands.
struct Renewal {
  std::optional<Rules> rules;
  std::optional<Catalog> catalog; // of the file alone
};

struct LearnerCounts {
  std::atomic<std::uint64_t> events{0}, skipped{0}, unread{0}, catalog{0}, snapshots{0};
  std::atomic<bool> caught_up{false}; // everything that was durable at the start has been learned; true for good
  std::atomic<bool> behind{true}; // there was more to learn at the last look
  std::atomic<std::int64_t> newest_ms{0}; // timestamp of the newest record learned
};

class Learner {
 public:
  Learner(LogReader& log, Knowledge& knowledge, LearnerOptions options);

  // Until stopped; writes a last snapshot then. Log trouble is waited out (said once). ERRORS: those that are not worth a retry.
  Status run();
  // Rules are taken up in the next round, a catalog once its lines have been read again. A later one takes the place of what is under way.
  void renew(Renewal renewal);
  [[nodiscard]] const LearnerCounts& counts() const { return counts_; }

 private:
  using Offsets = std::map<TopicPartition, std::int64_t>;

  Status look_for_partitions();
  Status take_renewal();
  Status read_catalog_again();
  [[nodiscard]] bool reached(Offsets& goals);
  Result<bool> round();
  void take(const RecordBlock& block);
  void take_catalog(const RecordBlock& block);
  void take_events(const RecordBlock& block);
  void write_snapshot();

  LogReader& log_;
  Knowledge& knowledge_;
  LearnerOptions options_;
  LearnerCounts counts_;
  EventDecoder decoder_;
  Offsets next_;
  bool looked_ = false; // at all partitions, once
  Offsets at_start_; // what readiness waits for: the ends at the first look of what is not yet learned
  std::mutex mutex_;
  Renewal renewal_; // handed over, not taken up
  // A catalog under way: its lines so far, whether they have yet to be sought, and where they ended then.
  std::optional<Catalog> fresh_;
  bool to_seek_ = false;
  Offsets lines_until_;
  std::vector<Event> events_;
  std::uint64_t learned_at_snapshot_ = 0;
};

} // namespace attune
