// RateLimit: how often somebody may come: so many a second on average, and `burst` at once. One time per name: the generic cell rate
// algorithm (ITU-T I.371, annex A). Times are the caller's, in nanoseconds of any clock that does not go back.
//
// Not synchronized. Memory: bounded; names that are owed nothing are let go of, and when too many are, a stranger is let in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace attune {

class RateLimit {
 public:
  // REQUIRES: per_second > 0, burst >= 1.
  RateLimit(double per_second, double burst, std::size_t most_names = 100'000);

  // 0: it may, and `cost` is counted. Else how many nanoseconds it has to wait. Cost of a call: some 50 ns; once a second at most, and
  // only when there are too many names, some 10 ns for each of them.
  [[nodiscard]] std::int64_t take(std::string_view name, std::int64_t now, double cost = 1);
  // What take() would say. Nothing is counted.
  [[nodiscard]] std::int64_t wait_of(std::string_view name, std::int64_t now, double cost = 1) const;
  [[nodiscard]] std::size_t size() const { return due_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  using Due = std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>>;
  [[nodiscard]] std::int64_t wait_of(Due::const_iterator found, std::int64_t now, double cost) const;

  double interval_; // ns one takes
  std::int64_t tolerance_;
  std::size_t most_;
  std::int64_t swept_; // when names that are owed nothing were last let go of
  Due due_; // theoretical arrival time
};

} // namespace attune
