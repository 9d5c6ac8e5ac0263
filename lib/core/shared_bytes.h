// SharedBytes: bytes that never change and that copies share; one allocation may hold the bytes of many. A profile is read from one
// blob, and each of its events stays a part of it: reading costs one allocation instead of one an event.
//
// A part keeps the whole alive. Thread rule: as std::shared_ptr: any thread may own a copy. At most 4 GiB. Cost of a copy: one atomic
// increment.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace attune {

class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(std::string_view bytes)
      : SharedBytes(bytes.size(), [bytes](char* to) { std::memcpy(to, bytes.data(), bytes.size()); })
  {
  }
  // `fill` writes all `size` bytes at the address it is given.
  template <class Fill>
  SharedBytes(std::size_t size, const Fill& fill) : size_(static_cast<std::uint32_t>(size))
  {
    ATTUNE_ASSERT(size <= UINT32_MAX);
    if (size == 0) return;
    block_ = new (::operator new(sizeof(Block) + size)) Block;
    fill(block_->bytes());
  }
  // A part of `whole`. REQUIRES: `part` lies in it.
  SharedBytes(const SharedBytes& whole, std::string_view part)
      : block_(part.empty() ? nullptr : whole.block_), size_(static_cast<std::uint32_t>(part.size()))
  {
    if (block_ == nullptr) return;
    ATTUNE_ASSERT(part.data() >= whole.view().data() && part.data() + part.size() <= whole.view().data() + whole.size_);
    from_ = static_cast<std::uint32_t>(part.data() - block_->bytes());
    block_->owners.fetch_add(1, std::memory_order_relaxed);
  }

  SharedBytes(const SharedBytes& other) : block_(other.block_), from_(other.from_), size_(other.size_)
  {
    if (block_ != nullptr) block_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  SharedBytes(SharedBytes&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), from_(std::exchange(other.from_, 0)), size_(std::exchange(other.size_, 0))
  {
  }
  SharedBytes& operator=(SharedBytes other) noexcept
  {
    std::swap(block_, other.block_);
    std::swap(from_, other.from_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~SharedBytes()
  {
    if (block_ != nullptr && block_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) ::operator delete(block_);
  }

  [[nodiscard]] std::string_view view() const
  {
    return block_ == nullptr ? std::string_view() : std::string_view(block_->bytes() + from_, size_);
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  friend bool operator==(const SharedBytes& a, const SharedBytes& b) { return a.view() == b.view(); }

 private:
  struct Block {
    std::atomic<std::uint32_t> owners{1};
    [[nodiscard]] char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };

  Block* block_ = nullptr; // null: empty
  std::uint32_t from_ = 0;
  std::uint32_t size_ = 0;
};

} // namespace attune
