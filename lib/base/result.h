// Result<T>: a value, or the reason there is none. For failures a caller is expected to meet: bad input, a peer that is
// away, a full disk. A broken promise inside the program is ATTUNE_ASSERT (base/assert.h), never an Error.
//
// Thread rule: a value type; no sharing. Cost: one variant. The message is one line that names the thing and has no final
// period: `kafka://db1:9092: connect: timed out after 5 s`. The program's own name is put before it by service/tool.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace attune {

// What kind of failure, as far as a caller acts on it. base/exit_status.h maps each to an exit status.
enum class Code {
  usage, // the command line is wrong
  bad_data, // an input could not be understood
  unreachable, // a peer (broker, store) is away; worth a retry
  busy, // held by somebody else, or overloaded; worth a retry
  io, // a file or disk failed
  config, // a configuration is wrong, or a peer refuses us for good (NOAUTH, WRONGTYPE)
  gap, // records that should be read are gone from the log
  replaced, // the store is not the one it was: its incarnation changed (pipeline/ports.h)
  stopped, // the caller asked to stop
  internal, // a bug
};

struct Error {
  Code code = Code::internal;
  std::string message;
};

// Failures of these kinds may pass by themselves.
[[nodiscard]] inline bool worth_retry(const Error& error)
{
  return error.code == Code::unreachable || error.code == Code::busy;
}

template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok().
  T& value() &
  {
    ATTUNE_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const&
  {
    ATTUNE_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() &&
  {
    ATTUNE_ASSERT(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: not ok().
  [[nodiscard]] const E& error() const
  {
    ATTUNE_ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, E> state_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  Result(E error) : failed_(true), error_(std::move(error)) {}

  [[nodiscard]] bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: not ok().
  [[nodiscard]] const E& error() const
  {
    ATTUNE_ASSERT(failed_);
    return error_;
  }

 private:
  bool failed_ = false;
  E error_{};
};

using Status = Result<void>;

} // namespace attune
