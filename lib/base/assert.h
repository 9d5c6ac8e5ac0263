// ATTUNE_ASSERT: a promise of this program to itself. It stays on in release builds, where NDEBUG is set for simdjson's
// sake: a broken promise ends the process (SIGABRT) with the place it broke, before it can write anything wrong.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace attune {

[[noreturn]] inline void assertion_failed(const char* condition, const char* file, int line)
{
  std::fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, condition);
  std::abort();
}

} // namespace attune

#define ATTUNE_ASSERT(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::attune::assertion_failed(#condition, __FILE__, __LINE__))
