// Trainer: events into a model: line by line, or a range of a log. Since a model is a function of the set of its events, partitions
// are read one beside the other, in whatever order they come.
//
// What is no event goes to the dead letters; the model is as if it had not been there. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/event_json.h"
#include "core/model.h"
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
  // Both outlive the trainer.
  Trainer(Model& model, DeadLetterSink& dead_letters) : model_(model), dead_letters_(dead_letters) {}

  // One line of JSON. `source` names it in a dead letter ("stdin:7"). An event without id or time gets them from `entry`.
  // ERRORS: of the dead letter sink.
  Status line(std::string_view text, const std::string& source, const Entry& entry);

  // Ranges of a log up to their ends, or up to a stop. The positions reached become the model's.
  // REQUIRES: every range has an end, at most one for each partition. ERRORS: of the log; unreachable: it gave nothing for
  // `give_up`.
  Status log(LogReader& log, std::span<const LogRange> ranges, const TrainOptions& options);

  [[nodiscard]] std::uint64_t events() const { return events_; }
  [[nodiscard]] std::uint64_t rejected() const { return rejected_; }

 private:
  struct Lane;
  Status bury(const std::string& source, const Reject& reject, std::string_view value, Timestamp received);
  Status take(const RecordBlock& block, Lane& lane);
  Result<std::uint64_t> advance(LogReader& log, Lane& lane);

  Model& model_;
  DeadLetterSink& dead_letters_;
  EventDecoder decoder_;
  Event event_;
  std::uint64_t events_ = 0;
  std::uint64_t rejected_ = 0;
};

} // namespace attune
