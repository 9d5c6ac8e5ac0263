// Where dead letters go. Programs open the place a user names (adapters/dead_letter_place.h); LogDeadLetters is the topic.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

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

// How many there were of each reason, for whoever looks: "price: not a decimal". At most kMost of them, the rest under "other". Any thread.
class DeadLetterReasons {
 public:
  static constexpr std::size_t kMost = 50;
  void note(const DeadLetter& letter);
  [[nodiscard]] std::map<std::string, std::uint64_t> counts() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> counts_;
};

// Another sink's, counted.
class CountedDeadLetters final : public DeadLetterSink {
 public:
  CountedDeadLetters(std::unique_ptr<DeadLetterSink> sink, DeadLetterReasons& reasons) : sink_(std::move(sink)), reasons_(reasons)
  {
  }

  Status put(const DeadLetter& letter) override
  {
    reasons_.note(letter);
    return sink_->put(letter);
  }
  Status flush(Milliseconds limit) override { return sink_->flush(limit); }

 private:
  std::unique_ptr<DeadLetterSink> sink_;
  DeadLetterReasons& reasons_;
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
