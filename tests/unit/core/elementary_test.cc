#include "core/elementary.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

using namespace attune;

namespace {

constexpr double kRelative = 3e-7;

struct Expected {
  std::uint32_t x;
  std::uint32_t value;
};

std::uint32_t bits(float x)
{
  return std::bit_cast<std::uint32_t>(x);
}

} // namespace

BOOST_AUTO_TEST_SUITE(elementary)

BOOST_AUTO_TEST_CASE(log_is_the_logarithm)
{
  double worst = 0;
  // All binades, densely; near 1 the result itself is small.
  for (std::uint32_t x = bits(std::numeric_limits<float>::min()); x < bits(std::numeric_limits<float>::infinity()); x += 997) {
    const auto value = std::bit_cast<float>(x);
    const double expected = std::log(static_cast<double>(value));
    if (expected == 0) continue;
    worst = std::max(worst, std::abs(static_cast<double>(log_of(value)) - expected) / std::abs(expected));
  }
  BOOST_TEST(worst <= kRelative);
  BOOST_TEST(log_of(1.0F) == 0.0F);
}

BOOST_AUTO_TEST_CASE(exp_is_the_exponential)
{
  double worst = 0;
  for (double x = -87; x <= 88; x += 0.000'317) {
    const auto at = static_cast<float>(x);
    const double expected = std::exp(static_cast<double>(at));
    worst = std::max(worst, std::abs(static_cast<double>(exp_of(at)) - expected) / expected);
  }
  BOOST_TEST(worst <= kRelative);
  BOOST_TEST(exp_of(0.0F) == 1.0F);
  BOOST_TEST(exp_of(-87.5F) == 0.0F);
  BOOST_TEST(exp_of(-1e30F) == 0.0F);
  BOOST_TEST(exp_of(-std::numeric_limits<float>::infinity()) == 0.0F);
}

// On every machine and in every build, or models differ.
BOOST_AUTO_TEST_CASE(log_has_these_bits)
{
  static constexpr std::array kTable{
      Expected{0x0DA24260U, 0xC28A27B5U}, Expected{0x3A83126FU, 0xC0DD0C55U}, Expected{0x3CA3D70AU, 0xC07A5E96U},
      Expected{0x3F000000U, 0xBF317218U}, Expected{0x3F3504F3U, 0xBEB17218U}, Expected{0x3F7D70A4U, 0xBC24AA20U},
      Expected{0x3F8147AEU, 0x3C2306ACU}, Expected{0x3FB504F3U, 0x3EB17217U}, Expected{0x40000000U, 0x3F317218U},
      Expected{0x402DF854U, 0x3F800000U}, Expected{0x41200000U, 0x40135D8EU}, Expected{0x447A4000U, 0x40DD1485U},
      Expected{0x47F12064U, 0x413B940EU}, Expected{0x4F32D05EU, 0x41AE9335U}, Expected{0x7149F2CAU, 0x428A27B5U},
      Expected{0x7F7FC99EU, 0x42B171ABU}};
  for (const auto& [x, value] : kTable) BOOST_TEST(bits(log_of(std::bit_cast<float>(x))) == value, std::bit_cast<float>(x));
}

BOOST_AUTO_TEST_CASE(exp_has_these_bits)
{
  static constexpr std::array kTable{
      Expected{0xC2ADCCCDU, 0x00C60F89U}, Expected{0xC2480000U, 0x1B692BEBU}, Expected{0xC1280000U, 0x37E6FE13U},
      Expected{0xC0555555U, 0x3D121EE5U}, Expected{0xBF800000U, 0x3EBC5AB2U}, Expected{0xBF333333U, 0x3EFE406EU},
      Expected{0xBDCCCCCDU, 0x3F67A36DU}, Expected{0xB58637BDU, 0x3F7FFFEFU}, Expected{0x3E99999AU, 0x3FACC82CU},
      Expected{0x3EB17218U, 0x3FB504F3U}, Expected{0x3F800000U, 0x402DF854U}, Expected{0x40200000U, 0x4142EB7FU},
      Expected{0x41200000U, 0x46AC14EEU}, Expected{0x42053333U, 0x5783C1FAU}, Expected{0x42853333U, 0x6F87A032U},
      Expected{0x42B00000U, 0x7EF882B7U}};
  for (const auto& [x, value] : kTable) BOOST_TEST(bits(exp_of(std::bit_cast<float>(x))) == value, std::bit_cast<float>(x));
}

BOOST_AUTO_TEST_SUITE_END()
