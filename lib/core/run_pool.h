// RunPool: many short runs of values that grow at their end, such as the clicks of each session, in few large pieces of memory.
// A vector each would cost an allocation and 24 bytes a session; this costs 8, and what is let go of is used again.
// (Debian 12 has no library for it: Boost's pools give blocks of one size.)
//
// A run lies in one piece and holds at most kMaxRun values. Not synchronized. T is trivially copyable. Cost: O(1) amortised.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "base/assert.h"
#include "core/huge_pages.h"

namespace attune {

inline constexpr std::size_t kMaxRun = 1024;

// An empty one belongs to no memory.
struct Run {
  std::uint32_t begin = 0;
  std::uint16_t size = 0;
  std::uint16_t capacity = 0; // 0 or a power of two
};

template <class T>
class RunPool {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  // Good until the run grows or is released.
  [[nodiscard]] std::span<const T> values(const Run& run) const { return {place(run.begin), run.size}; }
  [[nodiscard]] std::span<T> values(const Run& run) { return {place(run.begin), run.size}; }
  [[nodiscard]] const T* data(const Run& run) const { return place(run.begin); }

  // REQUIRES: run.size < kMaxRun.
  void push(Run& run, const T& value)
  {
    if (run.size == run.capacity) reserve(run, run.capacity == 0 ? 1 : run.capacity * 2U);
    place(run.begin)[run.size++] = value;
  }
  // In an empty run, at most kMaxRun values.
  void assign(Run& run, std::span<const T> values)
  {
    ATTUNE_ASSERT(run.size == 0);
    if (values.empty()) return;
    reserve(run, values.size());
    std::memcpy(static_cast<void*>(place(run.begin)), values.data(), values.size_bytes());
    run.size = static_cast<std::uint16_t>(values.size());
  }
  // Makes room for `size` values in all. REQUIRES: size <= kMaxRun.
  void reserve(Run& run, std::size_t size)
  {
    if (size <= run.capacity) return;
    ATTUNE_ASSERT(size <= kMaxRun);
    Run larger{0, run.size, static_cast<std::uint16_t>(std::bit_ceil(size))};
    larger.begin = allocate(larger.capacity);
    if (run.size > 0) std::memcpy(place(larger.begin), place(run.begin), run.size * sizeof(T));
    give_back(run);
    run = larger;
  }
  void release(Run& run)
  {
    give_back(run);
    run = {};
  }
  // What a run of so many takes.
  [[nodiscard]] static std::size_t room_of(std::size_t values) { return std::bit_ceil(values); }
  // Memory for runs that take `room` together, all of them about to be assigned.
  void expect(std::size_t room)
  {
    const auto pieces = (room + kPiece - 1) / kPiece;
    if (pieces == 0) return;
    auto& block = blocks_.emplace_back(std::make_unique_for_overwrite<T[]>(pieces * kPiece));
    ask_for_huge_pages(block.get(), pieces * kPiece * sizeof(T));
    for (auto piece = pieces; piece-- > 0;) spare_.push_back(block.get() + piece * kPiece);
  }
  [[nodiscard]] std::size_t bytes() const { return (pieces_.size() + spare_.size()) * kPiece * sizeof(T); }

 private:
  static constexpr std::uint32_t kPiece = 1U << 15;
  static constexpr std::size_t kClasses = 11; // 1, 2, … 1024
  static_assert(kPiece % kMaxRun == 0);

  [[nodiscard]] T* place(std::uint32_t at) const { return pieces_.empty() ? nullptr : pieces_[at / kPiece] + at % kPiece; }

  std::uint32_t allocate(std::uint16_t capacity)
  {
    const auto kind = static_cast<std::size_t>(std::countr_zero(capacity));
    if (auto& free = free_[kind]; !free.empty()) {
      const auto begin = free.back();
      free.pop_back();
      return begin;
    }
    if (kPiece - used_ < capacity || pieces_.empty()) {
      // What is left of the old piece serves smaller runs.
      for (auto smaller = kClasses; !pieces_.empty() && smaller-- > 0;)
        for (const auto size = 1U << smaller; kPiece - used_ >= size; used_ += size)
          free_[smaller].push_back(static_cast<std::uint32_t>((pieces_.size() - 1) * kPiece) + used_);
      ATTUNE_ASSERT(pieces_.size() < 0xFFFF'FFFFU / kPiece);
      if (spare_.empty()) spare_.push_back(blocks_.emplace_back(std::make_unique_for_overwrite<T[]>(kPiece)).get());
      pieces_.push_back(spare_.back());
      spare_.pop_back();
      used_ = 0;
    }
    const auto begin = static_cast<std::uint32_t>((pieces_.size() - 1) * kPiece) + used_;
    used_ += capacity;
    return begin;
  }
  void give_back(const Run& run)
  {
    if (run.capacity > 0) free_[static_cast<std::size_t>(std::countr_zero(run.capacity))].push_back(run.begin);
  }

  std::vector<std::unique_ptr<T[]>> blocks_; // of one piece each, or of several
  std::vector<T*> pieces_;
  std::vector<T*> spare_; // expected, and not begun yet
  std::uint32_t used_ = 0; // of the last piece
  std::array<std::vector<std::uint32_t>, kClasses> free_;
};

} // namespace attune
