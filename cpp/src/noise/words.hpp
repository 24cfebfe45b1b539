// Philox4x32-10 and what is made of its words, side by side in vector registers.
#pragma once

#include "vec.hpp"

namespace crewe::noise::CREWE_ISA_LEVEL {

// Four words each of eight Philox4x32-10 blocks in 64-bit lanes; the upper halves of the lanes are undefined.
struct Words {
  u64x8 w0, w1, w2, w3;
};

CREWE_INLINE Words philox8(u64x8 index, std::uint32_t stage, std::uint32_t image, std::uint64_t seed) {
  u64x8 c0 = index, c1 = index >> 32, c2 = u64x8{} + stage, c3 = u64x8{} + image;
  std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  const u64x8 m0 = u64x8{} + 0xD2511F53u, m1 = u64x8{} + 0xCD9E8D57u;
  for (int round = 0; round < 10; ++round) {
    const u64x8 a = multiply32(c0, m0), b = multiply32(c2, m1);
    c0 = (b >> 32) ^ c1 ^ (u64x8{} + k0);
    c1 = b;
    c2 = (a >> 32) ^ c3 ^ (u64x8{} + k1);
    c3 = a;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {c0, c1, c2, c3};
}

// Two words → (0, 1), as rng::open_unit.
CREWE_INLINE f64x8 open_unit(u64x8 low, u64x8 high) {
  const u64x8 bits = ((high << 32) | (low & 0xFFFFFFFFu)) >> 12;
  return (f64x8(bits | 0x3FF0000000000000u) - 1.0) + 0x1p-53;
}

}  // namespace crewe::noise::CREWE_ISA_LEVEL
