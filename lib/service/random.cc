#include "service/random.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/assert.h"

namespace attune {
namespace {

void of_the_kernel(std::span<std::byte> bytes)
{
  while (!bytes.empty()) {
    const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    // getrandom(2) without flags fails by a signal alone.
    ATTUNE_ASSERT(got > 0 || errno == EINTR);
    if (got > 0) bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

} // namespace

void random_bytes(std::span<std::byte> bytes)
{
  thread_local std::array<std::byte, kRandomAtOnce> stock;
  thread_local std::size_t left = 0; // at the end of the stock
  if (bytes.size() > stock.size()) return of_the_kernel(bytes);
  if (bytes.size() > left) {
    of_the_kernel(stock);
    left = stock.size();
  }
  std::copy_n(stock.end() - static_cast<std::ptrdiff_t>(left), bytes.size(), bytes.begin());
  left -= bytes.size();
}

} // namespace attune
