// The inner loops of the noise stages, once per instruction-set level. All arrays are contiguous.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cpu.hpp"
#include "crewe/noise/draws.hpp"

namespace crewe::noise {

// rng::Stream in plain numbers.
struct Draw {
  std::uint64_t seed;
  std::uint32_t stage, image;
};

// The smallest k with P(X <= k) >= u, X of a Poisson law of mean >= 10, from sums of its probabilities.
double poisson_quantile(double mean, double u);

CREWE_SIMD_DECLARE(
    // out[p] = base[p] + Poisson(mean[p]) for the pixels [begin, end); begin is a multiple of 32; base may be null; a
    // mean below zero counts nothing.
    void poisson(const float* mean, const float* base, float* out, std::size_t begin, std::size_t end, Draw draw);
    // Normal numbers put into the pixels [begin, end); begin is a multiple of 32.
    void spread(const float* in, float* out, std::size_t begin, std::size_t end, Spread kind, double a, double b,
                Draw draw);
    // out[i] = Σ_t taps[t]·in[i + t·step], summed in the order of t.
    void filter(const float* in, float* out, std::size_t n, const float* taps, std::size_t count, std::ptrdiff_t step);
    // out[i] = Σ_r weights[r]·rows[r][i], summed in the order of r.
    void combine(const float* const* rows, const float* weights, std::size_t count, float* out, std::size_t n);)

}  // namespace crewe::noise
