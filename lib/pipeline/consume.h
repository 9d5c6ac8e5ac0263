// Consumer: records of a log, in record-time order, to an output (attune-consume).
//
// Alone, it reads ranges of partitions of its own choice and keeps no positions. As a member of a group it begins where the group's positions
// stand, and stores a position only after the output has taken everything before it: a crash repeats records, never skips any.
// Partitions that appear while it follows are read from their beginning.
//
// Thread rule: run() on one thread; `stop` may turn true at any time, followed by a wake() of the log.
// ERRORS: those of the log and of the output; gap: records that should be read are gone (the message says how many).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pipeline/log_range.h"
#include "pipeline/merge_reader.h"
#include "pipeline/patience.h"
#include "pipeline/ports.h"

namespace attune {

// What records become. Thread rule: that of the Consumer.
class RecordOutput {
 public:
  virtual ~RecordOutput() = default;
  // True: the record counts as one of --count; false: it was left out.
  virtual Result<bool> put(const TopicPartition& at, const Record& record) = 0;
  // What was put has left the program when it returns.
  virtual Status flush() = 0;
};

struct ConsumeOptions {
  std::vector<std::string> topics; // whole names
  bool all_must_exist = false; // a topic that does not exist is an error; else it is waited for
  std::vector<std::int32_t> partitions; // empty: all. REQUIRES, with a group: empty
  std::optional<LogBound> from; // nothing: earliest; with a group: where it has no position
  std::optional<LogBound> to; // nothing: without end. latest: the ends there are at the start, however busy the log is
  std::optional<std::uint64_t> count; // stop after that many
  bool on_gap_continue = false;
  Milliseconds store_every = std::chrono::seconds(1);
  Milliseconds give_up = std::chrono::seconds(60); // how long a log that went away is waited for
  MergeOptions merge;
  std::function<bool()> stop; // asked in every round
  std::function<void(const std::string&)> say; // a line for people: gaps
  std::function<void(std::uint64_t done, std::optional<std::uint64_t> total)> progress; // records; may be empty
};

class Consumer final : private GroupListener {
 public:
  Consumer(LogReader& log, RecordOutput& output, ConsumeOptions options);
  // As a member of the group `log` was opened for.
  Consumer(LogGroup& log, RecordOutput& output, ConsumeOptions options);

  // Until stopped, `count` is reached, or everything below `to` has been put out.
  Status run();

  [[nodiscard]] std::uint64_t read() const { return read_; }

 private:
  void assigned(const std::vector<TopicPartition>& partitions) override;
  void revoked(const std::vector<TopicPartition>& partitions, bool lost) override;

  Status begin_alone();
  Status begin_group();
  Status begin_member(const TopicPartition& at);
  Status add(const LogRange& range);
  Status look_for_new_partitions();
  Result<std::vector<TopicPartition>> chosen_partitions();
  Status check_topics(const std::vector<TopicPartition>& partitions) const;
  Status follow();
  Result<std::size_t> take();
  Status bridge_gaps(const Error& gap);
  Status flush_and_store();
  Result<bool> finished();
  Status tolerate(const Error& error);
  void tell_progress() const;

  LogReader& log_;
  LogGroup* group_ = nullptr;
  RecordOutput& output_;
  ConsumeOptions options_;
  MergeReader merge_;
  std::map<TopicPartition, std::int64_t> stored_; // what is read; with a group, its stored position
  std::map<TopicPartition, LogRange> ends_; // with `to`; with a group of all partitions, ours or not
  std::set<TopicPartition> others_done_;
  std::uint64_t read_ = 0; // records handed over
  std::uint64_t put_ = 0; // of them, those that count
  bool unflushed_ = false;
  bool output_failed_ = false; // no position is stored any more
  std::chrono::steady_clock::time_point next_store_{}, next_look_{};
  Patience patience_; // with the log
  Status trouble_; // what a callback met
};

} // namespace attune
