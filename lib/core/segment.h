// Segments: named conditions on profiles (`vip`, `new`, `cart-holder`), the [segment.NAME] of a rules file. Immutable once read;
// may be shared between threads.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/condition.h"

namespace attune {

struct Segment {
  std::string name;
  Condition when; // on the customer alone
};

class Segments {
 public:
  Segments() = default;
  // REQUIRES: sorted by name, each once; no condition leads back to its own segment.
  explicit Segments(std::vector<Segment> sorted) : segments_(std::move(sorted)) {}

  [[nodiscard]] std::size_t size() const { return segments_.size(); }
  [[nodiscard]] const Segment& operator[](std::size_t at) const { return segments_[at]; }

 private:
  std::vector<Segment> segments_;
};

// The names of the segments the asker is in, in their order.
[[nodiscard]] std::vector<std::string_view> segments_of(const Segments& segments, Asker& asker);

} // namespace attune
