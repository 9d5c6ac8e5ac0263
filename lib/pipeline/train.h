// Trainer: events to learn from, out of ranges of a log, for whoever collects them (core/lesson.h as a rule). The partitions of a log are read in the order of record time (pipeline/merge_reader.h), so that whoever folds events meets a customer's in the order they came.
//
// What is no event goes to the dead letters, and nowhere else. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/position.h"
#include "core/event_json.h"
#include "pipeline/dead_letter.h"
#include "pipeline/event_record.h"
#include "pipeline/log_range.h"

namespace attune {

struct TrainOptions {
  std::function<bool()> stop = [] { return false; };
  std::function<void(std::uint64_t done, std::uint64_t total)> progress; // records; may be empty
  Milliseconds give_up = std::chrono::seconds(60); // how long a log may give nothing although it has more
};

class Trainer {
 public:
  using Take = std::function<void(const Event&)>;

  // `take` gets every event, whole. `dead_letters` outlives the trainer.
  Trainer(Take take, DeadLetterSink& dead_letters) : take_(std::move(take)), dead_letters_(dead_letters) {}

  // Ranges of a log up to their ends, or up to a stop.
  // REQUIRES: every range has an end, at most one for each partition. ERRORS: of the log; unreachable: it gave nothing for
  // `give_up`.
  Status log(LogReader& log, std::span<const LogRange> ranges, const TrainOptions& options);

  // The positions log() reached, sorted.
  [[nodiscard]] const std::vector<LogPosition>& positions() const { return positions_; }
  [[nodiscard]] std::uint64_t rejected() const { return rejected_; }

 private:
  Status take(const RecordBlock& block, const Record& record);

  Take take_;
  DeadLetterSink& dead_letters_;
  EventDecoder decoder_;
  Event event_;
  std::vector<LogPosition> positions_;
  std::uint64_t rejected_ = 0;
};

} // namespace attune
