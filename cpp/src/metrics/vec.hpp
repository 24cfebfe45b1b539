// Vectors of sixteen floats for *.simd.cpp files: the same bits at every level.
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

namespace crewe::metrics::CREWE_ISA_LEVEL {

typedef float f32x16 __attribute__((vector_size(64)));
typedef float f32x16u __attribute__((vector_size(64), aligned(4), may_alias));
typedef float f32x8u __attribute__((vector_size(32), aligned(4), may_alias));
typedef double f64x8 __attribute__((vector_size(64)));
typedef float f32x8 __attribute__((vector_size(32)));
typedef std::int32_t i32x16 __attribute__((vector_size(64)));

CREWE_INLINE f32x16 load(const float* p) {
  return *reinterpret_cast<const f32x16u*>(p);
}
CREWE_INLINE void store(float* p, f32x16 x) {
  *reinterpret_cast<f32x16u*>(p) = x;
}
CREWE_INLINE f64x8 load_double(const float* p) {
  return __builtin_convertvector(f32x8(*reinterpret_cast<const f32x8u*>(p)), f64x8);
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

}  // namespace crewe::metrics::CREWE_ISA_LEVEL
