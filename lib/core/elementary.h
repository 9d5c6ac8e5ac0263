// log_of, exp_of: the natural logarithm and exponential in single precision, the same bits on every machine and in every build.
// The C library's differ with the processor (it picks variants with and without fused multiply-add at run time), and a model learned
// from them would differ too. After Cephes (S. Moshier, logf.c and expf.c, 1984–1992): relative error under 3e-7. Branch-free, so
// that a loop over an array is vectorised. Needs -ffp-contract=off, which the build sets.
#pragma once

#include <bit>
#include <cstdint>

namespace attune {

// REQUIRES: x is normal and above 0.
[[nodiscard]] inline float log_of(float x)
{
  // x = m 2^e with m in [sqrt(1/2), sqrt(2)).
  const auto bits = std::bit_cast<std::int32_t>(x);
  const std::int32_t shifted = bits - 0x3F3504F3;
  const auto e = static_cast<float>(shifted >> 23);
  const float m = std::bit_cast<float>((shifted & 0x007FFFFF) + 0x3F3504F3) - 1.0F;
  const float z = m * m;
  float y = 7.0376836292E-2F;
  y = y * m - 1.1514610310E-1F;
  y = y * m + 1.1676998740E-1F;
  y = y * m - 1.2420140846E-1F;
  y = y * m + 1.4249322787E-1F;
  y = y * m - 1.6668057665E-1F;
  y = y * m + 2.0000714765E-1F;
  y = y * m - 2.4999993993E-1F;
  y = y * m + 3.3333331174E-1F;
  y = y * m * z;
  y = y + e * -2.12194440E-4F;
  y = y - 0.5F * z;
  return m + y + e * 0.693359375F;
}

// 0 below -87; REQUIRES: x <= 88.
[[nodiscard]] inline float exp_of(float x)
{
  const float kept = x < -87.0F ? -87.0F : x;
  // kept = n ln 2 + r with |r| <= ln(2) / 2; the sum with 1.5 2^23 rounds to the nearest integer.
  const float n = (kept * 1.44269504088896341F + 12582912.0F) - 12582912.0F;
  const float r = kept - n * 0.693359375F + n * 2.12194440E-4F;
  const float z = r * r;
  float y = 1.9875691500E-4F;
  y = y * r + 1.3981999507E-3F;
  y = y * r + 8.3334519073E-3F;
  y = y * r + 4.1665795894E-2F;
  y = y * r + 1.6666665459E-1F;
  y = y * r + 5.0000001201E-1F;
  y = y * z + r + 1.0F;
  const float scale = std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
  return x < -87.0F ? 0.0F : y * scale;
}

} // namespace attune
