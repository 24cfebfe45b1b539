#include "mib_kernels.hpp"

#if CREWE_ISA_IS_v4
#include <immintrin.h>
#endif

namespace crewe::io::CREWE_ISA_LEVEL {
namespace {

template <class Word>
inline Word load(const void* in) {
  Word word;
  __builtin_memcpy(&word, in, sizeof word);
  return word;
}

inline void store(void* out, std::uint64_t word) {
  __builtin_memcpy(out, &word, sizeof word);
}

// Four big-endian numbers of 16 bits → native ones, each in its place.
inline std::uint64_t swap_each16(std::uint64_t word) {
  constexpr std::uint64_t low = 0x00FF00FF00FF00FF;
  return (word & low) << 8 | (word >> 8 & low);
}

#if CREWE_ISA_IS_v4
inline std::uint64_t reverse_bits_of_bytes(std::uint64_t word) {
  word = (word & 0x5555555555555555) << 1 | (word >> 1 & 0x5555555555555555);
  word = (word & 0x3333333333333333) << 2 | (word >> 2 & 0x3333333333333333);
  return (word & 0x0F0F0F0F0F0F0F0F) << 4 | (word >> 4 & 0x0F0F0F0F0F0F0F0F);
}

// Bit j of the mask → byte j, 0 or 1.
inline void spread64(std::uint64_t mask, std::uint8_t* out) {
  _mm512_storeu_si512(out, _mm512_maskz_set1_epi8(mask, 1));
}
#else
// Bit j of a byte → byte j of a word, 0 or 1; no sum of two bytes carries into the next.
inline std::uint64_t spread8(std::uint64_t byte) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  const std::uint64_t picked = (byte * ones) & 0x8040201008040201;  // byte j: 0 or 2^j
  return (picked + 0x7F * ones) >> 7 & ones;
}
#endif

}  // namespace

void swap16(const unsigned char* in, std::size_t n, std::uint16_t* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = __builtin_bswap16(load<std::uint16_t>(in + 2 * i));
}

void swap32(const unsigned char* in, std::size_t n, std::uint32_t* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = __builtin_bswap32(load<std::uint32_t>(in + 4 * i));
}

void raw1(const unsigned char* in, std::size_t words, bool turned, std::uint8_t* out) {
  for (std::size_t w = 0; w < words; ++w, out += 64) {
#if CREWE_ISA_IS_v4
    if (turned) {
      spread64(reverse_bits_of_bytes(load<std::uint64_t>(in + 8 * (words - 1 - w))), out);
    } else {
      spread64(__builtin_bswap64(load<std::uint64_t>(in + 8 * w)), out);
    }
#else
    if (turned) {
      const unsigned char* word = in + 8 * (words - 1 - w);
      for (std::size_t i = 0; i < 8; ++i) store(out + 8 * i, __builtin_bswap64(spread8(word[i])));
    } else {
      const unsigned char* word = in + 8 * w;
      for (std::size_t i = 0; i < 8; ++i) store(out + 8 * i, spread8(word[7 - i]));
    }
#endif
  }
}

void raw6(const unsigned char* in, std::size_t words, bool turned, std::uint8_t* out) {
  if (turned) {
    for (std::size_t w = 0; w < words; ++w) store(out + 8 * w, load<std::uint64_t>(in + 8 * (words - 1 - w)));
  } else {
    for (std::size_t w = 0; w < words; ++w) store(out + 8 * w, __builtin_bswap64(load<std::uint64_t>(in + 8 * w)));
  }
}

void raw12(const unsigned char* in, std::size_t words, bool turned, std::uint16_t* out) {
  if (turned) {
    for (std::size_t w = 0; w < words; ++w) {
      store(out + 4 * w, swap_each16(load<std::uint64_t>(in + 8 * (words - 1 - w))));
    }
  } else {
    for (std::size_t w = 0; w < words; ++w) store(out + 4 * w, __builtin_bswap64(load<std::uint64_t>(in + 8 * w)));
  }
}

}  // namespace crewe::io::CREWE_ISA_LEVEL
