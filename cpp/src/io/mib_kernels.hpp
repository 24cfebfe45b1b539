// The inner loops of the Merlin decoder, over pixels that lie one after the other.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cpu.hpp"

namespace crewe::io {

// n big-endian numbers → native ones; `in` of any alignment.
CREWE_SIMD_DECLARE(void swap16(const unsigned char* in, std::size_t n, std::uint16_t* out);
                   void swap32(const unsigned char* in, std::size_t n, std::uint32_t* out);)

// `words` raw words of 64 bits → 64, 8 or 4 pixels each. `turned`: the row comes out from its last pixel to the first.
CREWE_SIMD_DECLARE(void raw1(const unsigned char* in, std::size_t words, bool turned, std::uint8_t* out);
                   void raw6(const unsigned char* in, std::size_t words, bool turned, std::uint8_t* out);
                   void raw12(const unsigned char* in, std::size_t words, bool turned, std::uint16_t* out);)

}  // namespace crewe::io
