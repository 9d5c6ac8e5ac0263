// Progress of a program, as one line on standard error that is drawn anew at most ten times a second, and only when standard error is a
// terminal. `1,234,567 events  45%  210,000/s  0:07 left`.
//
// Thread rule: one thread. Cost of update(): a clock reading when shown, a test of a bool when not.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace attune {

class Progress {
 public:
  // `unit` is a plural: "events". `wanted` false (-q): never shown.
  Progress(std::string unit, bool wanted);
  // Erases the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `fraction` of all the work that is done, in [0, 1], where the end is known.
  void update(std::uint64_t done, std::optional<double> fraction = {});

 private:
  using Instant = std::chrono::steady_clock::time_point;

  std::string unit_;
  bool shown_;
  Instant start_;
  Instant drawn_;
};

// The text of the line after `elapsed`. Pure.
std::string progress_text(std::uint64_t done, const std::string& unit, std::optional<double> fraction,
                          std::chrono::milliseconds elapsed);

// Takes the line away, if one is drawn, so that a message can stand in its place. Any thread.
void erase_progress();

} // namespace attune
