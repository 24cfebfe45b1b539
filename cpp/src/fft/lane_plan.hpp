// What the vector code reads of a plan: plain data, owned by Tables (tables.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

namespace crewe::fft {

constexpr std::size_t kMaxPasses = 40;

// One pass of radix `radix` over blocks of `length`: m = length / radix, twiddle[j][q−1] = exp(−2πi jq/length), j < m.
template <class T>
struct LanePass {
  std::size_t radix = 0, length = 0;
  const T* twiddle = nullptr;
};

// A transform of n samples: passes of radix 2, 3, 4, 5, 7, 8; or, where n has another prime factor, Bluestein's
// convolution of length inner->n >= 2n − 1.
template <class T>
struct LanePlan {
  std::size_t n = 0, passes = 0;
  LanePass<T> pass[kMaxPasses];
  const std::uint32_t* order = nullptr;  // frequency k stands at order[k] of the spectrum
  const LanePlan* inner = nullptr;       // Bluestein's, else none
  const T* chirp = nullptr;              // c_j = exp(−iπ j²/n), j < n, as (re, im)
  const T* filter = nullptr;             // F{conj c}/inner->n in the order of the inner spectrum, as (re, im)
  std::size_t spare() const { return inner == nullptr ? 0 : inner->n; }  // Cx of scratch that a transform needs
};

}  // namespace crewe::fft
