// Random bytes from the kernel, for ids; not for keys, as each thread keeps a stock of them, which a fork(2) would double.
// Thread rule: any thread. Cost: one system call for each kRandomAtOnce bytes.
#pragma once

#include <cstddef>
#include <span>

namespace attune {

inline constexpr std::size_t kRandomAtOnce = 512;

void random_bytes(std::span<std::byte> bytes);

} // namespace attune
