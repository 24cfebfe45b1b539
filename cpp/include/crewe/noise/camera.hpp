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

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "crewe/host_device.hpp"
#include "crewe/rng.hpp"
#include "crewe/view.hpp"

namespace crewe::noise {

// Cycles per pixel of index k of n.
inline CREWE_HOST_DEVICE double frequency(std::size_t k, std::size_t n) {
  const auto index = static_cast<double>(k);
  return (k <= (n - 1) / 2 ? index : index - static_cast<double>(n)) / static_cast<double>(n);
}

// How an image is put into a larger field, mirrored at its border, and the two factors of every line and column of its
// spectrum: the transfer is part·y.first·x.first + rest·y.second·x.second.
struct Transfer {
  struct Factor {
    float first, second;
  };
  std::size_t reach, height, width;
  float part, rest;
  std::vector<Factor> along_y, along_x;
};
Transfer transfer(std::size_t ny, std::size_t nx, double a, double b, double c);

// Dark current: ln D = mean + std·N, and the hot pixels.
struct Dark {
  double log_mean, log_std, mean, std, hot;
};
Dark dark(double mean, double std, double hot);
// What a hot pixel has more; 0 on others. words: its block of the stage hot_pixels.
inline CREWE_HOST_DEVICE double hot_charge(const Dark& d, const rng::Block& words) {
  if (rng::open_unit(words[0], words[1]) >= d.hot) return 0;
  return d.mean + d.std * (5 + 3 * rng::open_unit(words[2], words[3]));
}

// One over the frequency of the point (y, x) of a spectrum; 0 at 0.
inline CREWE_HOST_DEVICE float flicker_gain(std::size_t y, std::size_t x, std::size_t ny, std::size_t nx) {
  const double fy = frequency(y, ny), fx = frequency(x, nx), f = std::sqrt(fy * fy + fx * fx);
  return f == 0 ? 0.0f : static_cast<float>(1 / f);
}

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
