// Vectors of eight doubles and sixteen floats for *.simd.cpp files: plain operations in a fixed order, so that every
// instruction-set level gives the same bits. All is static: each level has its own.
#pragma once

#include <cstddef>
#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 says so of its own _mm512_undefined_ps()
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#define CREWE_INLINE static inline __attribute__((always_inline))

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

// Nearest whole number, |x| < 2^51.
CREWE_INLINE f64x8 nearest(f64x8 x) {
  return (x + 0x1.8p52) - 0x1.8p52;
}

// Σ c_k·x^k, even and odd powers side by side: half as long to wait.
template <int n>
CREWE_INLINE f64x8 polynomial(f64x8 x, const double (&c)[n]) {
  const f64x8 square = x * x;
  f64x8 a = f64x8{} + c[n - 1], b = f64x8{} + c[n - 2];
  for (int k = n - 3; k >= 0; k -= 2) {
    a = a * square + c[k];
    if (k > 0) b = b * square + c[k - 1];
  }
  return n % 2 == 1 ? a + x * b : b + x * a;
}

// e^x for -700 < x < 700: x = n ln 2 + r, |r| <= ln 2 / 2, Taylor to r^13.
CREWE_INLINE f64x8 exponential(f64x8 x) {
  const f64x8 n = nearest(x * 0x1.71547652b82fep0);
  const f64x8 r = (x - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;
  f64x8 p = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  const u64x8 power = (u64x8(n + 0x1.8p52) + 1023) << 52;  // the low bits of n + 1.5·2^52 are n
  return p * f64x8(power);
}

// ln x for normal x > 0: x = 2^n m, m in [√½, √2), ln m = 2 artanh s, s = (m − 1)/(m + 1), |s| <= 0.1716; to 10⁻¹⁰.
constexpr double kLogarithm[] = {1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0, 1.0 / 13.0};
CREWE_INLINE f64x8 logarithm(f64x8 x) {
  const u64x8 shifted = u64x8(x) - 0x3FE6A09E667F3BCDu;
  const i64x8 exponent = i64x8(shifted) >> 52;
  const f64x8 m = f64x8(u64x8(x) - (u64x8(exponent) << 52));
  const f64x8 n = f64x8(u64x8(exponent) + 0x4338000000000000u) - 0x1.8p52;
  const f64x8 s = (m - 1.0) / (m + 1.0), t = s * s;
  const f64x8 series = s + s * t * polynomial(t, kLogarithm);
  return n * 0x1.62e42fee00000p-1 + (2.0 * series + n * 0x1.a39ef35793c76p-33);
}

// ln x in single precision, x > 0 normal.
CREWE_INLINE f32x16 logarithm(f32x16 x) {
  const i32x16 exponent = (i32x16(x) - 0x3F3504F3) >> 23;
  const f32x16 m = f32x16(i32x16(x) - (exponent << 23));
  const f32x16 s = (m - 1.0f) / (m + 1.0f), t = s * s;
  f32x16 p = t * (1.0f / 9.0f) + 1.0f / 7.0f;
  p = p * t + 1.0f / 5.0f;
  p = p * t + 1.0f / 3.0f;
  p = 2.0f * (s + s * t * p);
  return __builtin_convertvector(exponent, f32x16) * 0.693147180559945f + p;
}

}  // namespace crewe
