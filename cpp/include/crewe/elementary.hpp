// Elementary functions of plain operations in a fixed order: the same bits on the CPU, whatever its vectors, and on the
// GPU (compiled without contraction to multiply-add).
//
// V is float or double, or a vector of them for which Lanes<V> is specialised (cpp/src/vec.hpp).
#pragma once

#include <cstdint>

#include "crewe/host_device.hpp"

namespace crewe {

// What a number and a vector of numbers do in different ways.
template <class V>
struct Lanes;

template <>
struct Lanes<double> {
  using Signed = std::int64_t;
  using Unsigned = std::uint64_t;
  static CREWE_HOST_DEVICE bool any(bool mask) { return mask; }
  static CREWE_HOST_DEVICE bool positive(double x) { return x > 0.0; }
  static CREWE_HOST_DEVICE double one_where(bool mask) { return mask ? 1.0 : 0.0; }
  static CREWE_HOST_DEVICE double square_root(double x) { return __builtin_sqrt(x); }
};

template <class V>
using Signed = typename Lanes<V>::Signed;
template <class V>
using Unsigned = typename Lanes<V>::Unsigned;

// Nearest whole number, |x| < 2^51.
template <class V>
CREWE_INLINE V nearest(V x) {
  return (x + 0x1.8p52) - 0x1.8p52;
}

// Σ c_k·x^k, even and odd powers side by side: half as long to wait.
template <class V, int n>
CREWE_INLINE V polynomial(V x, const double (&c)[n]) {
  const V square = x * x;
  V a = V{} + c[n - 1], b = V{} + c[n - 2];
  for (int k = n - 3; k >= 0; k -= 2) {
    a = a * square + c[k];
    if (k > 0) b = b * square + c[k - 1];
  }
  return n % 2 == 1 ? a + x * b : b + x * a;
}

// e^x for -700 < x < 700, of doubles: x = n ln 2 + r, |r| <= ln 2 / 2, Taylor to r^13.
template <class V>
CREWE_INLINE V exponential(V x) {
  const V n = nearest(x * 0x1.71547652b82fep0);
  const V r = (x - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;
  V p = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
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
  // The low bits of n + 1.5·2^52 are n.
  const Unsigned<V> power = (__builtin_bit_cast(Unsigned<V>, n + 0x1.8p52) + 1023) << 52;
  return p * __builtin_bit_cast(V, power);
}

// ln x of doubles, x > 0 normal: x = 2^n m, m in [√½, √2), ln m = 2 artanh s, s = (m − 1)/(m + 1), |s| <= 0.1716;
// to 10⁻¹⁰.
template <class V>
CREWE_INLINE V logarithm(V x) {
  constexpr double series[] = {1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0, 1.0 / 13.0};
  const Unsigned<V> bits = __builtin_bit_cast(Unsigned<V>, x), shifted = bits - 0x3FE6A09E667F3BCDu;
  const Signed<V> exponent = Signed<V>(shifted) >> 52;
  const V m = __builtin_bit_cast(V, bits - (Unsigned<V>(exponent) << 52));
  const V n = __builtin_bit_cast(V, Unsigned<V>(exponent) + 0x4338000000000000u) - 0x1.8p52;
  const V s = (m - 1.0) / (m + 1.0), t = s * s;
  const V sum = s + s * t * polynomial(t, series);
  return n * 0x1.62e42fee00000p-1 + (2.0 * sum + n * 0x1.a39ef35793c76p-33);
}

template <>
struct Lanes<float> {
  using Signed = std::int32_t;
  using Unsigned = std::uint32_t;
  static CREWE_HOST_DEVICE float square_root(float x) { return __builtin_sqrtf(x); }
  static CREWE_HOST_DEVICE float convert(std::int32_t x) { return static_cast<float>(x); }
  static CREWE_HOST_DEVICE std::int32_t truncate(float x) { return static_cast<std::int32_t>(x); }
  // The pair at 2·index.
  static CREWE_HOST_DEVICE void pairs(const float* values, std::int32_t index, float& first, float& second) {
    first = values[2 * index];
    second = values[2 * index + 1];
  }
  static CREWE_HOST_DEVICE float exponential(float x) {
    return static_cast<float>(crewe::exponential(static_cast<double>(x)));
  }
};

// ln x of floats, x > 0 normal.
template <class V>
CREWE_INLINE V logarithm_single(V x) {
  const Signed<V> bits = __builtin_bit_cast(Signed<V>, x), exponent = (bits - 0x3F3504F3) >> 23;
  const V m = __builtin_bit_cast(V, bits - (exponent << 23));
  const V s = (m - 1.0f) / (m + 1.0f), t = s * s;
  V p = t * (1.0f / 9.0f) + 1.0f / 7.0f;
  p = p * t + 1.0f / 5.0f;
  p = p * t + 1.0f / 3.0f;
  p = 2.0f * (s + s * t * p);
  return Lanes<V>::convert(exponent) * 0.693147180559945f + p;
}

// cos and sin, as floats, of a whole turn × bits / 2^32, the bits read as a signed number.
template <class V>
CREWE_INLINE void turn(Unsigned<V> bits, V& cosine, V& sine) {
  const Unsigned<V> quarter = Unsigned<V>(Signed<V>(bits + 0x20000000u) >> 30);  // −2 ... 1
  const Signed<V> rest = Signed<V>(bits - (quarter << 30));                      // within ± 1/8 turn
  const V a = Lanes<V>::convert(rest) * (6.28318530717958648f * 0x1p-32f), t = a * a;
  V s = t * (1.0f / 362880.0f) - 1.0f / 5040.0f;
  s = s * t + 1.0f / 120.0f;
  s = s * t - 1.0f / 6.0f;
  s = a + a * t * s;
  V c = t * (1.0f / 40320.0f) - 1.0f / 720.0f;
  c = c * t + 1.0f / 24.0f;
  c = c * t - 0.5f;
  c = c * t + 1.0f;
  const Unsigned<V> odd = 0u - (quarter & 1u);  // all bits where cos and sin change places
  const Unsigned<V> cb = __builtin_bit_cast(Unsigned<V>, c), sb = __builtin_bit_cast(Unsigned<V>, s);
  const Unsigned<V> first = (cb & ~odd) | (sb & odd), second = (sb & ~odd) | (cb & odd);
  cosine = __builtin_bit_cast(V, first ^ (((quarter + 1u) & 2u) << 30));
  sine = __builtin_bit_cast(V, second ^ ((quarter & 2u) << 30));
}

}  // namespace crewe
