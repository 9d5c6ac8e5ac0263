// Stages: the parts of the way from an event to a changed answer, as they are timed everywhere: in Server-Timing, in /metrics, by the probe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace attune {

enum class Stage : std::uint8_t {
  accepted, // a request's events were read and checked
  durable, // … until the log said they are durable
  profile, // a request for an answer: until the profile was there
  wait, // … for the events of its token
  rank, // … the ranking itself
  answer, // … all of it
  applied, // an event: from its receipt until its profile was written
};
inline constexpr std::size_t kStages = 7;

[[nodiscard]] constexpr std::string_view stage_name(Stage stage)
{
  constexpr std::string_view kNames[kStages] = {"accepted", "durable", "profile", "wait", "rank", "answer", "applied"};
  return kNames[static_cast<std::size_t>(stage)];
}

// Thread rule: any thread. Cheap: a histogram.
class StageTimes {
 public:
  virtual ~StageTimes() = default;
  virtual void took(Stage stage, std::chrono::nanoseconds time) = 0;
};

} // namespace attune
