// Fourier transforms of as many independent signals as a vector register has lanes: the inner loops of the multislice.
//
// A signal group is an array of n `Cx`, element j holding sample j of all lanes (real parts, then imaginary parts).
// Forward transforms are decimated in frequency, in place, and leave the spectrum in digit-reversed order; inverse ones
// are decimated in time and take it in that order, so nothing is ever reordered. No lane knows of another: every level
// and every lane count gives the same bits.
//
// Include only from *.simd.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/lane_plan.hpp"

namespace crewe::sim {
namespace CREWE_ISA_LEVEL {
namespace {

#if defined(CREWE_ISA_IS_v4)
constexpr int kVectorBytes = 64;
#elif defined(CREWE_ISA_IS_v3)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <class T>
struct Lanes;

template <>
struct Lanes<float> {
  typedef float V __attribute__((vector_size(kVectorBytes)));
  typedef std::int32_t I __attribute__((vector_size(kVectorBytes)));
  typedef float Unaligned __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));
  static constexpr int n = kVectorBytes / 4;
};

template <>
struct Lanes<double> {
  typedef double V __attribute__((vector_size(kVectorBytes)));
  typedef std::int64_t I __attribute__((vector_size(kVectorBytes)));
  typedef double Unaligned __attribute__((vector_size(kVectorBytes), aligned(8), may_alias));
  static constexpr int n = kVectorBytes / 8;
};

template <class T>
struct Cx {
  typename Lanes<T>::V re, im;
};

template <class T>
inline Cx<T> operator+(const Cx<T>& a, const Cx<T>& b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
inline Cx<T> operator-(const Cx<T>& a, const Cx<T>& b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
inline Cx<T> times(const Cx<T>& a, T re, T im) {
  return {a.re * re - a.im * im, a.re * im + a.im * re};
}
template <class T>
inline Cx<T> times_conjugate(const Cx<T>& a, T re, T im) {
  return {a.re * re + a.im * im, a.im * re - a.re * im};
}
template <class T>
inline Cx<T> times(const Cx<T>& a, const Cx<T>& b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
// a·(−i)
template <class T>
inline Cx<T> turned(const Cx<T>& a) {
  return {a.im, -a.re};
}

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
inline __attribute__((always_inline)) void exchange(Cx<T> (&a)[R]) {
#pragma GCC unroll 8
  for (int q = 0; q < R; ++q) a[q] = {a[q].im, a[q].re};
}

template <int R, class T>
inline __attribute__((always_inline)) void inverse_butterfly(Cx<T> (&a)[R]) {
  exchange<R>(a);
  Butterfly<R>::run(a);
  exchange<R>(a);
}

// --- passes over a whole group ---------------------------------------------------------------------------------------

template <int R, class T>
void forward_pass(Cx<T>* x, std::size_t n, std::size_t length, const T* twiddle) {
  const std::size_t m = length / R;
  for (std::size_t b = 0; b < n; b += length) {
    const T* w = twiddle;
    for (std::size_t j = 0; j < m; ++j, w += 2 * (R - 1)) {
      Cx<T> a[R];
      Cx<T>* at = x + b + j;
#pragma GCC unroll 8
      for (int q = 0; q < R; ++q) a[q] = at[static_cast<std::size_t>(q) * m];
      Butterfly<R>::run(a);
      at[0] = a[0];
#pragma GCC unroll 8
      for (int q = 1; q < R; ++q) at[static_cast<std::size_t>(q) * m] = times(a[q], w[2 * q - 2], w[2 * q - 1]);
    }
  }
}

template <int R, class T>
void inverse_pass(Cx<T>* x, std::size_t n, std::size_t length, const T* twiddle) {
  const std::size_t m = length / R;
  for (std::size_t b = 0; b < n; b += length) {
    const T* w = twiddle;
    for (std::size_t j = 0; j < m; ++j, w += 2 * (R - 1)) {
      Cx<T> a[R];
      Cx<T>* at = x + b + j;
      a[0] = at[0];
#pragma GCC unroll 8
      for (int q = 1; q < R; ++q)
        a[q] = times_conjugate(at[static_cast<std::size_t>(q) * m], w[2 * q - 2], w[2 * q - 1]);
      inverse_butterfly<R>(a);
#pragma GCC unroll 8
      for (int q = 0; q < R; ++q) at[static_cast<std::size_t>(q) * m] = a[q];
    }
  }
}

// The last forward pass, the product with `factor` and the first inverse pass in one visit (length = R).
template <int R, class T>
void turning_pass(Cx<T>* x, std::size_t n, const Cx<T>* factor) {
  for (std::size_t b = 0; b < n; b += R) {
    Cx<T> a[R];
#pragma GCC unroll 8
    for (int q = 0; q < R; ++q) a[q] = x[b + static_cast<std::size_t>(q)];
    Butterfly<R>::run(a);
    if (factor != nullptr) {
#pragma GCC unroll 8
      for (int q = 0; q < R; ++q) a[q] = times(a[q], factor[b + static_cast<std::size_t>(q)]);
    }
    inverse_butterfly<R>(a);
#pragma GCC unroll 8
    for (int q = 0; q < R; ++q) x[b + static_cast<std::size_t>(q)] = a[q];
  }
}

// The last inverse pass, the product with `factor` and the first forward pass in one visit (length = n).
template <int R, class T>
void returning_pass(Cx<T>* x, std::size_t n, const T* twiddle, const Cx<T>* factor) {
  const std::size_t m = n / R;
  const T* w = twiddle;
  for (std::size_t j = 0; j < m; ++j, w += 2 * (R - 1)) {
    Cx<T> a[R];
    a[0] = x[j];
#pragma GCC unroll 8
    for (int q = 1; q < R; ++q)
      a[q] = times_conjugate(x[j + static_cast<std::size_t>(q) * m], w[2 * q - 2], w[2 * q - 1]);
    inverse_butterfly<R>(a);
    if (factor != nullptr) {
#pragma GCC unroll 8
      for (int q = 0; q < R; ++q) a[q] = times(a[q], factor[j + static_cast<std::size_t>(q) * m]);
    }
    Butterfly<R>::run(a);
    x[j] = a[0];
#pragma GCC unroll 8
    for (int q = 1; q < R; ++q) x[j + static_cast<std::size_t>(q) * m] = times(a[q], w[2 * q - 2], w[2 * q - 1]);
  }
}

// A prime factor above 7: the plain sum over `radix` terms. Slow (n·radix operations) but exact for every size.
template <bool kInverse, class T>
void prime_pass(Cx<T>* x, std::size_t n, std::size_t length, std::size_t radix, const T* twiddle, const T* roots,
                Cx<T>* spare) {
  const std::size_t m = length / radix;
  for (std::size_t b = 0; b < n; b += length) {
    const T* w = twiddle;
    for (std::size_t j = 0; j < m; ++j, w += 2 * (radix - 1)) {
      Cx<T>* at = x + b + j;
      for (std::size_t q = 0; q < radix; ++q) {
        spare[q] = at[q * m];
        if (kInverse && q > 0) spare[q] = times_conjugate(spare[q], w[2 * q - 2], w[2 * q - 1]);
      }
      for (std::size_t k = 0; k < radix; ++k) {
        Cx<T> sum = spare[0];
        for (std::size_t q = 1, angle = k; q < radix; ++q, angle = angle + k < radix ? angle + k : angle + k - radix) {
          const T c = roots[2 * angle], s = roots[2 * angle + 1];
          sum = sum + (kInverse ? times(spare[q], c, s) : times_conjugate(spare[q], c, s));
        }
        if (!kInverse && k > 0) sum = times(sum, w[2 * k - 2], w[2 * k - 1]);
        at[k * m] = sum;
      }
    }
  }
}

template <class T>
void forward_step(const LanePlan<T>& plan, const LanePass<T>& pass, Cx<T>* x, Cx<T>* spare) {
  switch (pass.radix) {
    case 2:
      return forward_pass<2>(x, plan.n, pass.length, pass.twiddle);
    case 3:
      return forward_pass<3>(x, plan.n, pass.length, pass.twiddle);
    case 4:
      return forward_pass<4>(x, plan.n, pass.length, pass.twiddle);
    case 5:
      return forward_pass<5>(x, plan.n, pass.length, pass.twiddle);
    case 7:
      return forward_pass<7>(x, plan.n, pass.length, pass.twiddle);
    case 8:
      return forward_pass<8>(x, plan.n, pass.length, pass.twiddle);
    default:
      return prime_pass<false>(x, plan.n, pass.length, pass.radix, pass.twiddle, pass.roots, spare);
  }
}

template <class T>
void inverse_step(const LanePlan<T>& plan, const LanePass<T>& pass, Cx<T>* x, Cx<T>* spare) {
  switch (pass.radix) {
    case 2:
      return inverse_pass<2>(x, plan.n, pass.length, pass.twiddle);
    case 3:
      return inverse_pass<3>(x, plan.n, pass.length, pass.twiddle);
    case 4:
      return inverse_pass<4>(x, plan.n, pass.length, pass.twiddle);
    case 5:
      return inverse_pass<5>(x, plan.n, pass.length, pass.twiddle);
    case 7:
      return inverse_pass<7>(x, plan.n, pass.length, pass.twiddle);
    case 8:
      return inverse_pass<8>(x, plan.n, pass.length, pass.twiddle);
    default:
      return prime_pass<true>(x, plan.n, pass.length, pass.radix, pass.twiddle, pass.roots, spare);
  }
}

template <class T>
void multiply(Cx<T>* x, std::size_t n, const Cx<T>* factor) {
  if (factor == nullptr) return;
  for (std::size_t i = 0; i < n; ++i) x[i] = times(x[i], factor[i]);
}

template <class T>
void forward(const LanePlan<T>& plan, Cx<T>* x, Cx<T>* spare) {
  for (std::size_t s = 0; s < plan.passes; ++s) forward_step(plan, plan.pass[s], x, spare);
}

template <class T>
void inverse(const LanePlan<T>& plan, Cx<T>* x, Cx<T>* spare) {
  for (std::size_t s = plan.passes; s-- > 0;) inverse_step(plan, plan.pass[s], x, spare);
}

// x ← inverse(factor · forward(x)); factor in digit-reversed order, or none.
template <class T>
void forward_inverse(const LanePlan<T>& plan, Cx<T>* x, const Cx<T>* factor, Cx<T>* spare) {
  const std::size_t last = plan.passes - 1;
  for (std::size_t s = 0; s < last; ++s) forward_step(plan, plan.pass[s], x, spare);
  const LanePass<T>& turn = plan.pass[last];
  switch (turn.radix) {
    case 2:
      turning_pass<2>(x, plan.n, factor);
      break;
    case 3:
      turning_pass<3>(x, plan.n, factor);
      break;
    case 4:
      turning_pass<4>(x, plan.n, factor);
      break;
    case 5:
      turning_pass<5>(x, plan.n, factor);
      break;
    case 7:
      turning_pass<7>(x, plan.n, factor);
      break;
    case 8:
      turning_pass<8>(x, plan.n, factor);
      break;
    default:
      forward_step(plan, turn, x, spare);
      multiply(x, plan.n, factor);
      inverse_step(plan, turn, x, spare);
  }
  for (std::size_t s = last; s-- > 0;) inverse_step(plan, plan.pass[s], x, spare);
}

// x ← forward(factor · inverse(x)); factor in natural order, or none.
template <class T>
void inverse_forward(const LanePlan<T>& plan, Cx<T>* x, const Cx<T>* factor, Cx<T>* spare) {
  for (std::size_t s = plan.passes; s-- > 1;) inverse_step(plan, plan.pass[s], x, spare);
  const LanePass<T>& turn = plan.pass[0];
  switch (turn.radix) {
    case 2:
      returning_pass<2>(x, plan.n, turn.twiddle, factor);
      break;
    case 3:
      returning_pass<3>(x, plan.n, turn.twiddle, factor);
      break;
    case 4:
      returning_pass<4>(x, plan.n, turn.twiddle, factor);
      break;
    case 5:
      returning_pass<5>(x, plan.n, turn.twiddle, factor);
      break;
    case 7:
      returning_pass<7>(x, plan.n, turn.twiddle, factor);
      break;
    case 8:
      returning_pass<8>(x, plan.n, turn.twiddle, factor);
      break;
    default:
      inverse_step(plan, turn, x, spare);
      multiply(x, plan.n, factor);
      forward_step(plan, turn, x, spare);
  }
  for (std::size_t s = 1; s < plan.passes; ++s) forward_step(plan, plan.pass[s], x, spare);
}

// --- transposition of lanes ------------------------------------------------------------------------------------------

// v[i] lane j ↔ v[j] lane i, by exchanging ever larger blocks.
template <int D, class T>
inline __attribute__((always_inline)) void transpose_stage(typename Lanes<T>::V* v) {
  constexpr int n = Lanes<T>::n;
  typename Lanes<T>::I low, high;
#pragma GCC unroll 16
  for (int l = 0; l < n; ++l) {
    low[l] = (l & D) == 0 ? l : n + l - D;
    high[l] = (l & D) == 0 ? l + D : n + l;
  }
#pragma GCC unroll 16
  for (int i = 0; i < n; ++i) {
    if ((i & D) != 0) continue;
    const typename Lanes<T>::V a = v[i], b = v[i + D];
    v[i] = __builtin_shuffle(a, b, low);
    v[i + D] = __builtin_shuffle(a, b, high);
  }
}

template <class T>
inline __attribute__((always_inline)) void transpose(typename Lanes<T>::V* v) {
  constexpr int n = Lanes<T>::n;
  transpose_stage<1, T>(v);
  if constexpr (n > 2) transpose_stage<2, T>(v);
  if constexpr (n > 4) transpose_stage<4, T>(v);
  if constexpr (n > 8) transpose_stage<8, T>(v);
}

}  // namespace
}  // namespace CREWE_ISA_LEVEL
}  // namespace crewe::sim
