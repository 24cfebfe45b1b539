// Fourier transforms in the lanes of vectors, in place.
//
// A signal group is an array of n `Cx`, element j holding sample j of all lanes (real parts, then imaginary parts).
// Forward transforms are decimated in frequency and leave the spectrum in the order of the plan (digit-reversed); the
// inverse ones are decimated in time and take it in that order, so nothing is ever reordered. Neither scales.
//
// Include only from *.simd.cpp.
#pragma once

#include <cstddef>

#include "fft/butterflies.hpp"
#include "fft/lane_plan.hpp"

namespace crewe::fft {
namespace CREWE_ISA_LEVEL {
namespace {

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

template <int R>
struct Radix {
  static constexpr int value = R;
};

// Calls f(Radix<R>()) for the radix of a pass.
template <class F>
inline void with_radix(std::size_t radix, F f) {
  switch (radix) {
    case 2:
      return f(Radix<2>());
    case 3:
      return f(Radix<3>());
    case 4:
      return f(Radix<4>());
    case 5:
      return f(Radix<5>());
    case 7:
      return f(Radix<7>());
    default:
      return f(Radix<8>());
  }
}

template <class T>
void forward_step(const LanePlan<T>& plan, const LanePass<T>& pass, Cx<T>* x) {
  with_radix(pass.radix, [&](auto radix) { forward_pass<radix.value>(x, plan.n, pass.length, pass.twiddle); });
}

template <class T>
void inverse_step(const LanePlan<T>& plan, const LanePass<T>& pass, Cx<T>* x) {
  with_radix(pass.radix, [&](auto radix) { inverse_pass<radix.value>(x, plan.n, pass.length, pass.twiddle); });
}

template <class T>
void multiply(Cx<T>* x, std::size_t n, const Cx<T>* factor) {
  if (factor == nullptr) return;
  for (std::size_t i = 0; i < n; ++i) x[i] = times(x[i], factor[i]);
}

// Lengths with prime factors above 7. The way back is the way there with all tables conjugated.
template <bool kInverse, class T>
void bluestein(const LanePlan<T>& plan, Cx<T>* x, Cx<T>* spare) {
  const LanePlan<T>& inner = *plan.inner;
  const auto product = [](const Cx<T>& a, const T* b) {
    return kInverse ? times_conjugate(a, b[0], b[1]) : times(a, b[0], b[1]);
  };
  for (std::size_t j = 0; j < plan.n; ++j) spare[j] = product(x[j], plan.chirp + 2 * j);
  for (std::size_t j = plan.n; j < inner.n; ++j) spare[j] = Cx<T>{};
  for (std::size_t s = 0; s < inner.passes; ++s) forward_step(inner, inner.pass[s], spare);
  for (std::size_t k = 0; k < inner.n; ++k) spare[k] = product(spare[k], plan.filter + 2 * k);
  for (std::size_t s = inner.passes; s-- > 0;) inverse_step(inner, inner.pass[s], spare);
  for (std::size_t k = 0; k < plan.n; ++k) x[k] = product(spare[k], plan.chirp + 2 * k);
}

// `spare`: scratch of plan.spare() Cx.
template <class T>
void forward(const LanePlan<T>& plan, Cx<T>* x, Cx<T>* spare) {
  if (plan.inner != nullptr) return bluestein<false>(plan, x, spare);
  for (std::size_t s = 0; s < plan.passes; ++s) forward_step(plan, plan.pass[s], x);
}

template <class T>
void inverse(const LanePlan<T>& plan, Cx<T>* x, Cx<T>* spare) {
  if (plan.inner != nullptr) return bluestein<true>(plan, x, spare);
  for (std::size_t s = plan.passes; s-- > 0;) inverse_step(plan, plan.pass[s], x);
}

// x ← inverse(factor · forward(x)); factor in the order of the spectrum, or none.
template <class T>
void forward_inverse(const LanePlan<T>& plan, Cx<T>* x, const Cx<T>* factor, Cx<T>* spare) {
  if (plan.passes == 0) {
    forward(plan, x, spare);
    multiply(x, plan.n, factor);
    return inverse(plan, x, spare);
  }
  const std::size_t last = plan.passes - 1;
  for (std::size_t s = 0; s < last; ++s) forward_step(plan, plan.pass[s], x);
  with_radix(plan.pass[last].radix, [&](auto radix) { turning_pass<radix.value>(x, plan.n, factor); });
  for (std::size_t s = last; s-- > 0;) inverse_step(plan, plan.pass[s], x);
}

// x ← forward(factor · inverse(x)); factor in natural order, or none.
template <class T>
void inverse_forward(const LanePlan<T>& plan, Cx<T>* x, const Cx<T>* factor, Cx<T>* spare) {
  if (plan.passes == 0) {
    inverse(plan, x, spare);
    multiply(x, plan.n, factor);
    return forward(plan, x, spare);
  }
  for (std::size_t s = plan.passes; s-- > 1;) inverse_step(plan, plan.pass[s], x);
  const LanePass<T>& turn = plan.pass[0];
  with_radix(turn.radix, [&](auto radix) { returning_pass<radix.value>(x, plan.n, turn.twiddle, factor); });
  for (std::size_t s = 1; s < plan.passes; ++s) forward_step(plan, plan.pass[s], x);
}

}  // namespace
}  // namespace CREWE_ISA_LEVEL
}  // namespace crewe::fft
