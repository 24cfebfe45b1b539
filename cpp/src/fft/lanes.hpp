// What the vector code needs to know of a plan. One transform per lane: all lanes go through the same steps, so any
// factor runs at full vector width and the bits don't depend on the number of lanes.
#pragma once

#include <cstddef>

#include "crewe/cpu.hpp"

namespace crewe::fft {

// Buffers hold complex vectors as (re, im) pairs of at most this size.
inline constexpr std::size_t kVectorBytes = 64;

template <class T>
struct LanePlan {
  std::size_t n = 0;
  // Mixed radix: n = Π radices. twiddles: for each stage exp(−2πi jp/n_stage) as (re, im), p outer, j = 1 .. radix − 1.
  const std::size_t* radices = nullptr;
  std::size_t stages = 0;
  const T* twiddles = nullptr;
  // Bluestein: a convolution of length inner->n >= 2n − 1; chirp c_j = exp(−iπ j²/n) (n), filter = F{conj c}/inner->n.
  const LanePlan* inner = nullptr;
  const T* chirp = nullptr;
  const T* filter = nullptr;
  // The scratch of `transform`: two buffers of this many complex vectors.
  std::size_t buffer = 0;
};

CREWE_SIMD_DECLARE(void transform(const LanePlan<float>& plan, float* data, std::size_t count, std::ptrdiff_t distance,
                                  std::ptrdiff_t stride, bool inverse, void* scratch);
                   void transform(const LanePlan<double>& plan, double* data, std::size_t count,
                                  std::ptrdiff_t distance, std::ptrdiff_t stride, bool inverse, void* scratch);)

}  // namespace crewe::fft
