// Random bytes from the kernel, for ids.
// Thread rule: any thread. Cost: one system call.
#pragma once

#include <cstddef>
#include <span>

namespace attune {

void random_bytes(std::span<std::byte> bytes);

} // namespace attune
