// Learner: keeps the knowledge of a service current by tailing a log: the model learns every event from the positions its snapshot names (without
// any: from the log's start), catalog lines replace their items, offers' budgets are used up. Now and then a snapshot is written.
//
// The model is not asked about anybody's freshness: profiles are (pipeline/known_profiles.h). It follows within milliseconds.
// An event that can not be read is skipped: whoever updates profiles buries it. A gap (records gone before they were read) is said and
// crossed: a model lives with it.
//
// Thread rule: run() on a thread of its own; it alone changes the Knowledge. Cost: some 7 us an event, see core/model.h; answers wait for
// at most one event at a time.
#pragma once

#include <atomic>
#include <functional>
#include <map>
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
  std::function<bool()> stop;
  std::function<void(const std::string&)> say;
};

struct LearnerCounts {
  std::atomic<std::uint64_t> events{0}, skipped{0}, unread{0}, catalog{0}, snapshots{0};
  std::atomic<bool> caught_up{false}; // everything that was durable at the start has been learned
  std::atomic<std::int64_t> newest_ms{0}; // timestamp of the newest record learned
};

class Learner {
 public:
  Learner(LogReader& log, Knowledge& knowledge, LearnerOptions options);

  // Until stopped; writes a last snapshot then. Log trouble is waited out (said once). ERRORS: those that are not worth a retry.
  Status run();
  [[nodiscard]] const LearnerCounts& counts() const { return counts_; }

 private:
  Status look_for_partitions();
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
  std::map<TopicPartition, std::int64_t> next_;
  std::vector<Event> events_;
  std::uint64_t learned_at_snapshot_ = 0;
};

} // namespace attune
