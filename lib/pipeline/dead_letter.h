// Where dead letters go. Programs open the place a user names (adapters/dead_letter_place.h); LogDeadLetters is the topic.
#pragma once

#include <string>

#include "core/dead_letter.h"
#include "pipeline/ports.h"

namespace attune {

// Thread rule: any thread. put() copies; flush() returns once all put before is durable (on stderr: written).
// ERRORS: those of the place. After one, the program stops before it lets go of the input.
class DeadLetterSink {
 public:
  virtual ~DeadLetterSink() = default;
  virtual Status put(const DeadLetter& letter) = 0;
  virtual Status flush(Milliseconds limit) = 0;
};

// The dead letters' topic of a log. Bytes the log would not take are cut, and the reason says so.
class LogDeadLetters final : public DeadLetterSink {
 public:
  // `topic`: whole name, namespace included. `writer` outlives the sink; others may use it too.
  LogDeadLetters(LogWriter& writer, std::string topic) : writer_(writer), topic_(std::move(topic)) {}

  Status put(const DeadLetter& letter) override;
  Status flush(Milliseconds limit) override { return writer_.flush(limit); }

 private:
  Status append(const DeadLetter& letter);

  LogWriter& writer_;
  std::string topic_;
};

} // namespace attune
