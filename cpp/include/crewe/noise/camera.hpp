// What a camera does: Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 27-36.
//
//   mtf            F{x}·[a·exp(−g²/2b²) + (1 − a)·exp(−g²/2c²)]·sinc(u/2)·sinc(v/2), g² = u² + v², u = 1: Nyquist
//   fixed pattern  x·(1 + N(0, σ²)), one map per sensor
//   dark current   x + Poisson(D), D log-normal of a given mean and std, hot pixels U(mean + 5 std, mean + 8 std) more
//   thermal        x + N(0, σ²)
//   flicker        x + σ·standardised Re F⁻¹{F{N(0, 1)}/f}, no mean
//   reset          x + N(0, σ²), one number per row
//
// Arrays are C-contiguous, `out` may be the input; values in electrons per pixel.
#pragma once

#include <cstdint>

#include "crewe/view.hpp"

namespace crewe::noise {

void mtf(View<const float, 2> image, View<float, 2> out, double a, double b, double c, int threads);
void fixed_pattern(View<const float, 2> image, View<float, 2> out, double sigma, std::uint64_t sensor, int threads);
void dark_map(View<float, 2> out, double mean, double std, double hot, std::uint64_t sensor, int threads);
void dark_shot(View<const float, 2> image, View<const float, 2> map, View<float, 2> out, std::uint64_t seed,
               std::uint32_t picture, int threads);
void thermal(View<const float, 2> image, View<float, 2> out, double sigma, std::uint64_t seed, std::uint32_t picture,
             int threads);
void flicker(View<const float, 2> image, View<float, 2> out, double sigma, std::uint64_t seed, std::uint32_t picture,
             int threads);
void reset(View<const float, 2> image, View<float, 2> out, double sigma, std::uint64_t seed, std::uint32_t picture,
           int threads);

}  // namespace crewe::noise
