// Transforms of 2, 3, 4, 5, 7 and 8 samples, in registers.
//
// Include only from *.simd.cpp.
#pragma once

#include "fft/lanes.hpp"

namespace crewe::fft {
namespace CREWE_ISA_LEVEL {
namespace {

// cos and sin of 2πk/R for the small odd radices.
template <int R>
struct Roots;
template <>
struct Roots<3> {
  static constexpr double c[1] = {-0.5};
  static constexpr double s[1] = {0.86602540378443864676};
};
template <>
struct Roots<5> {
  static constexpr double c[2] = {0.30901699437494742410, -0.80901699437494742410};
  static constexpr double s[2] = {0.95105651629515357212, 0.58778525229247312917};
};
template <>
struct Roots<7> {
  static constexpr double c[3] = {0.62348980185873353053, -0.22252093395631440429, -0.90096886790241912624};
  static constexpr double s[3] = {0.78183148246802980871, 0.97492791218182360702, 0.43388373911755812048};
};

// X_k = Σ_p a_p exp(−2πi pk/R), in place. The inverse is the same with real and imaginary parts exchanged.
template <int R>
struct Butterfly {  // 3, 5, 7: sums and differences of the pairs p, R − p
  template <class T>
  static inline __attribute__((always_inline)) void run(Cx<T> (&a)[R]) {
    constexpr int h = (R - 1) / 2;
    Cx<T> sum[h], difference[h];
    Cx<T> total = a[0];
#pragma GCC unroll 8
    for (int p = 0; p < h; ++p) {
      sum[p] = a[p + 1] + a[R - 1 - p];
      difference[p] = a[p + 1] - a[R - 1 - p];
      total = total + sum[p];
    }
    const Cx<T> first = a[0];
    a[0] = total;
#pragma GCC unroll 8
    for (int k = 1; k <= h; ++k) {
      Cx<T> even = first, odd = {};
#pragma GCC unroll 8
      for (int p = 1; p <= h; ++p) {
        const int angle = (p * k) % R;
        const T c = static_cast<T>(Roots<R>::c[(angle <= h ? angle : R - angle) - 1]);
        const T s = static_cast<T>(angle <= h ? Roots<R>::s[angle - 1] : -Roots<R>::s[R - angle - 1]);
        even = even + Cx<T>{sum[p - 1].re * c, sum[p - 1].im * c};
        const Cx<T> part = {difference[p - 1].re * s, difference[p - 1].im * s};
        odd = p == 1 ? part : odd + part;
      }
      a[k] = {even.re + odd.im, even.im - odd.re};
      a[R - k] = {even.re - odd.im, even.im + odd.re};
    }
  }
};

template <>
struct Butterfly<2> {
  template <class T>
  static inline __attribute__((always_inline)) void run(Cx<T> (&a)[2]) {
    const Cx<T> b = a[0] - a[1];
    a[0] = a[0] + a[1];
    a[1] = b;
  }
};

template <>
struct Butterfly<4> {
  template <class T>
  static inline __attribute__((always_inline)) void run(Cx<T> (&a)[4]) {
    const Cx<T> s02 = a[0] + a[2], d02 = a[0] - a[2], s13 = a[1] + a[3], d13 = turned(a[1] - a[3]);
    a[0] = s02 + s13;
    a[1] = d02 + d13;
    a[2] = s02 - s13;
    a[3] = d02 - d13;
  }
};

template <>
struct Butterfly<8> {
  template <class T>
  static inline __attribute__((always_inline)) void run(Cx<T> (&a)[8]) {
    constexpr T h = static_cast<T>(0.70710678118654752440);
    Cx<T> even[4] = {a[0] + a[4], a[1] + a[5], a[2] + a[6], a[3] + a[7]};
    const Cx<T> d1 = a[1] - a[5], d3 = a[3] - a[7];
    Cx<T> odd[4] = {a[0] - a[4],
                    {(d1.re + d1.im) * h, (d1.im - d1.re) * h},
                    turned(a[2] - a[6]),
                    {(d3.im - d3.re) * h, (-d3.re - d3.im) * h}};
    Butterfly<4>::run(even);
    Butterfly<4>::run(odd);
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) {
      a[2 * q] = even[q];
      a[2 * q + 1] = odd[q];
    }
  }
};

template <int R, class T>
inline __attribute__((always_inline)) void swap_parts(Cx<T> (&a)[R]) {
#pragma GCC unroll 8
  for (int q = 0; q < R; ++q) a[q] = {a[q].im, a[q].re};
}

template <int R, class T>
inline __attribute__((always_inline)) void inverse_butterfly(Cx<T> (&a)[R]) {
  swap_parts<R>(a);
  Butterfly<R>::run(a);
  swap_parts<R>(a);
}

}  // namespace
}  // namespace CREWE_ISA_LEVEL
}  // namespace crewe::fft
