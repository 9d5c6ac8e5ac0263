// LiveView: the object of GET /v1/live, what /metrics has no words for: what the model holds, and why inputs were refused. Made at most once a
// second, whoever asks. Thread rule: text() from any thread; the parts outlive it.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "pipeline/dead_letter.h"
#include "pipeline/knowledge.h"

namespace attune {

class LiveView {
 public:
  LiveView(const DeadLetterReasons& reasons, const Knowledge* knowledge) : reasons_(reasons), knowledge_(knowledge) {}

  // {"model":{…},"refused":{"price: not a decimal":3}}; without `model` where nobody answers (core/model_view.h).
  [[nodiscard]] std::string text();

 private:
  const DeadLetterReasons& reasons_;
  const Knowledge* knowledge_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point made_;
  std::string text_;
};

} // namespace attune
