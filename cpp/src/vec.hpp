// Vectors of eight doubles and sixteen floats for *.simd.cpp files: plain operations in a fixed order, so that every
// instruction-set level gives the same bits. All is static: each level has its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/elementary.hpp"
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 says so of its own _mm512_undefined_ps()
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace crewe {

typedef double f64x8 __attribute__((vector_size(64)));
typedef std::uint64_t u64x8 __attribute__((vector_size(64)));
typedef std::int64_t i64x8 __attribute__((vector_size(64)));
typedef float f32x16 __attribute__((vector_size(64)));
typedef std::int32_t i32x16 __attribute__((vector_size(64)));
typedef std::uint32_t u32x16 __attribute__((vector_size(64)));
typedef std::uint32_t u32x8 __attribute__((vector_size(32)));
typedef float f32x8 __attribute__((vector_size(32)));
typedef float f32x16u __attribute__((vector_size(64), aligned(4), may_alias));
typedef float f32x8u __attribute__((vector_size(32), aligned(4), may_alias));
typedef double f64x8u __attribute__((vector_size(64), aligned(8), may_alias));

CREWE_INLINE f32x16 load16(const float* p) {
  return *reinterpret_cast<const f32x16u*>(p);
}
CREWE_INLINE void store16(float* p, f32x16 x) {
  *reinterpret_cast<f32x16u*>(p) = x;
}
CREWE_INLINE f64x8 load8(const float* p) {
  return __builtin_convertvector(f32x8(*reinterpret_cast<const f32x8u*>(p)), f64x8);
}
CREWE_INLINE void store8(float* p, f64x8 x) {
  *reinterpret_cast<f32x8u*>(p) = __builtin_convertvector(x, f32x8);
}

// Low 32 bits of each lane × low 32 bits → 64 bits.
CREWE_INLINE u64x8 multiply32(u64x8 a, u64x8 b) {
#if defined(CREWE_ISA_IS_v4)
  return u64x8(_mm512_mul_epu32(__m512i(a), __m512i(b)));
#elif defined(CREWE_ISA_IS_v3)
  union {
    u64x8 whole;
    __m256i part[2];
  } x{a}, y{b};
  x.part[0] = _mm256_mul_epu32(x.part[0], y.part[0]);
  x.part[1] = _mm256_mul_epu32(x.part[1], y.part[1]);
  return x.whole;
#elif defined(__x86_64__)
  union {
    u64x8 whole;
    __m128i part[4];
  } x{a}, y{b};
  for (int k = 0; k < 4; ++k) x.part[k] = _mm_mul_epu32(x.part[k], y.part[k]);
  return x.whole;
#else
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

CREWE_INLINE f64x8 square_root(f64x8 x) {
#if defined(CREWE_ISA_IS_v4)
  return f64x8(_mm512_sqrt_pd(__m512d(x)));
#else
  for (int k = 0; k < 8; ++k) x[k] = __builtin_sqrt(x[k]);
  return x;
#endif
}

CREWE_INLINE f32x16 square_root(f32x16 x) {
#if defined(CREWE_ISA_IS_v4)
  return f32x16(_mm512_sqrt_ps(__m512(x)));
#elif defined(CREWE_ISA_IS_v3)
  union {
    f32x16 whole;
    __m256 part[2];
  } y{x};
  y.part[0] = _mm256_sqrt_ps(y.part[0]);
  y.part[1] = _mm256_sqrt_ps(y.part[1]);
  return y.whole;
#else
  for (int k = 0; k < 16; ++k) x[k] = __builtin_sqrtf(x[k]);
  return x;
#endif
}

CREWE_INLINE bool any(i64x8 mask) {
#if defined(CREWE_ISA_IS_v4)
  return _mm512_test_epi64_mask(__m512i(mask), __m512i(mask)) != 0;
#elif defined(CREWE_ISA_IS_v3)
  const union {
    i64x8 whole;
    __m256i part[2];
  } x{mask};
  const __m256i both = _mm256_or_si256(x.part[0], x.part[1]);
  return _mm256_testz_si256(both, both) == 0;
#elif defined(__x86_64__)
  const union {
    i64x8 whole;
    __m128i part[4];
  } x{mask};
  const __m128i all = _mm_or_si128(_mm_or_si128(x.part[0], x.part[1]), _mm_or_si128(x.part[2], x.part[3]));
  return _mm_movemask_epi8(_mm_cmpeq_epi8(all, _mm_setzero_si128())) != 0xFFFF;
#else
  std::int64_t all = 0;
  for (int k = 0; k < 8; ++k) all |= mask[k];
  return all != 0;
#endif
}

// All bits where x > 0. gcc takes comparisons of vectors wider than the registers apart, lane by lane.
CREWE_INLINE i64x8 positive(f64x8 x) {
#if defined(CREWE_ISA_IS_v3)
  union {
    f64x8 whole;
    __m256d part[2];
  } y{x};
  for (int k = 0; k < 2; ++k) y.part[k] = _mm256_cmp_pd(y.part[k], _mm256_setzero_pd(), _CMP_GT_OQ);
  return i64x8(y.whole);
#elif defined(CREWE_ISA_IS_base) && defined(__x86_64__)
  union {
    f64x8 whole;
    __m128d part[4];
  } y{x};
  for (int k = 0; k < 4; ++k) y.part[k] = _mm_cmpgt_pd(y.part[k], _mm_setzero_pd());
  return i64x8(y.whole);
#else
  return x > 0.0;
#endif
}

template <>
struct Lanes<f64x8> {
  using Signed = i64x8;
  using Unsigned = u64x8;
  static __attribute__((always_inline)) bool any(i64x8 mask) { return crewe::any(mask); }
  static __attribute__((always_inline)) i64x8 positive(f64x8 x) { return crewe::positive(x); }
  static __attribute__((always_inline)) f64x8 one_where(i64x8 mask) { return f64x8(mask & i64x8(f64x8{} + 1.0)); }
  static __attribute__((always_inline)) f64x8 square_root(f64x8 x) { return crewe::square_root(x); }
};

template <>
struct Lanes<f32x16> {
  using Signed = i32x16;
  using Unsigned = u32x16;
  static __attribute__((always_inline)) f32x16 square_root(f32x16 x) { return crewe::square_root(x); }
  static __attribute__((always_inline)) f32x16 convert(i32x16 x) { return __builtin_convertvector(x, f32x16); }
  static __attribute__((always_inline)) i32x16 truncate(f32x16 x) { return __builtin_convertvector(x, i32x16); }
  // The pairs at 2·index.
  static __attribute__((always_inline)) void pairs(const float* values, i32x16 index, f32x16& first, f32x16& second) {
#if defined(CREWE_ISA_IS_v4)
    const __m512i k = __m512i(index);
    const __m512 low = _mm512_castpd_ps(_mm512_i32gather_pd(_mm512_castsi512_si256(k), values, 8));
    const __m512 high = _mm512_castpd_ps(_mm512_i32gather_pd(_mm512_extracti64x4_epi64(k, 1), values, 8));
    const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    first = f32x16(_mm512_permutex2var_ps(low, even, high));
    second = f32x16(_mm512_permutex2var_ps(low, _mm512_or_si512(even, _mm512_set1_epi32(1)), high));
#else
    for (int lane = 0; lane < 16; ++lane) {
      first[lane] = values[2 * index[lane]];
      second[lane] = values[2 * index[lane] + 1];
    }
#endif
  }
  static __attribute__((always_inline)) f32x16 exponential(f32x16 x) {
    union {
      f32x16 whole;
      f32x8 part[2];
    } y{x};
    for (f32x8& part : y.part) {
      part = __builtin_convertvector(crewe::exponential(__builtin_convertvector(part, f64x8)), f32x8);
    }
    return y.whole;
  }
};

}  // namespace crewe
