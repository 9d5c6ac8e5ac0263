#include "service/random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/assert.h"

namespace attune {

void random_bytes(std::span<std::byte> bytes)
{
  while (!bytes.empty()) {
    const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    // getrandom(2) without flags fails by a signal alone.
    ATTUNE_ASSERT(got > 0 || errno == EINTR);
    if (got > 0) bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

} // namespace attune
