// Weights of neighbouring pixels, for the CPU and the GPU.
#pragma once

#include <cstddef>
#include <vector>

#include "crewe/host_device.hpp"

namespace crewe::noise {

// The index of a pixel of the image that stands at index i of the line 0 ... n − 1 continued as in a mirror.
inline CREWE_HOST_DEVICE std::size_t mirrored(std::ptrdiff_t i, std::size_t n) {
  if (i >= 0 && i < static_cast<std::ptrdiff_t>(n)) return static_cast<std::size_t>(i);
  if (n == 1) return 0;
  const auto period = static_cast<std::ptrdiff_t>(2 * (n - 1));
  i %= period;
  if (i < 0) i += period;
  return static_cast<std::size_t>(i < static_cast<std::ptrdiff_t>(n) ? i : period - i);
}

// A place on a line of pixels: between element `whole` and the next.
struct Place {
  std::ptrdiff_t whole;
  double fraction;
};
inline CREWE_HOST_DEVICE Place split(double x) {
  const auto below = static_cast<std::ptrdiff_t>(x);
  const std::ptrdiff_t whole = below - (static_cast<double>(below) > x ? 1 : 0);
  return {whole, x - static_cast<double>(whole)};
}

// Weights of cubic spline interpolation at fraction f (0 <= f < 1) for the elements −kReach + 1 ... kReach; their sum
// is 1.
constexpr std::ptrdiff_t kReach = 8;
constexpr std::size_t kTaps = 2 * kReach;

// Values → coefficients of a cubic B-spline: c_k = √3·Σ_m z^|m − k|·x_m, z = √3 − 2. The powers for |m − k| = 0, 1, ...
struct FilterPowers {
  double of[kTaps];
};
constexpr FilterPowers filter_powers() {
  FilterPowers powers{};
  powers.of[0] = 1.7320508075688772;
  for (std::size_t k = 1; k < kTaps; ++k) powers.of[k] = powers.of[k - 1] * (powers.of[0] - 2.0);
  return powers;
}

inline CREWE_HOST_DEVICE void spline_taps(double f, float* taps) {
  constexpr FilterPowers powers = filter_powers();
  const double g = 1 - f;
  const double basis[4] = {g * g * g / 6, 2.0 / 3 - f * f * (1 - f / 2), 2.0 / 3 - g * g * (1 - g / 2),
                           f * f * f / 6};  // of the coefficients −1, 0, 1, 2
  double weights[kTaps], sum = 0;
  for (std::ptrdiff_t m = 0; m < 2 * kReach; ++m) {
    double weight = 0;
    for (std::ptrdiff_t k = 0; k < 4; ++k) {
      const std::ptrdiff_t distance = m + 2 - kReach - k;
      weight += basis[k] * powers.of[distance < 0 ? -distance : distance];
    }
    weights[m] = weight;
    sum += weight;
  }
  for (std::size_t m = 0; m < kTaps; ++m) taps[m] = static_cast<float>(weights[m] / sum);
}

// Cubic convolution, a = −½ (Keys, IEEE ASSP 29 (1981) 1153): the weights of the elements −1, 0, 1, 2 at fraction f.
struct Cubic {
  double of[4];
};
inline CREWE_HOST_DEVICE Cubic cubic(double f) {
  return {{f * (-0.5 + f * (1 - 0.5 * f)), 1 + f * f * (-2.5 + 1.5 * f), f * (0.5 + f * (2 - 1.5 * f)),
           f * f * (-0.5 + 0.5 * f)}};
}

// image(c + M·(p − c)) at the pixel p = (y, x), c the centre of the image.
inline CREWE_HOST_DEVICE float interpolated(const float* image, std::size_t ny, std::size_t nx, std::size_t y,
                                            std::size_t x, const double matrix[4]) {
  const double cy = (static_cast<double>(ny) - 1) / 2, cx = (static_cast<double>(nx) - 1) / 2;
  const double dy = static_cast<double>(y) - cy, dx = static_cast<double>(x) - cx;
  const Place py = split(cy + matrix[0] * dy + matrix[1] * dx), px = split(cx + matrix[2] * dy + matrix[3] * dx);
  const Cubic a = cubic(py.fraction), b = cubic(px.fraction);
  std::size_t columns[4];
  for (std::ptrdiff_t k = 0; k < 4; ++k) columns[k] = mirrored(px.whole + k - 1, nx);
  double sum = 0;
  for (std::ptrdiff_t k = 0; k < 4; ++k) {
    const float* row = image + mirrored(py.whole + k - 1, ny) * nx;
    sum += a.of[k] * (b.of[0] * row[columns[0]] + b.of[1] * row[columns[1]] + b.of[2] * row[columns[2]] +
                      b.of[3] * row[columns[3]]);
  }
  return static_cast<float>(sum);
}

// The discrete Gaussian exp(−σ²)·I_m(σ²) for m = −reach ... reach.
std::vector<float> gaussian_taps(double sigma);

// What fast_scan sums along a line of n pixels, of a response h(0), h(1), ...: the last min(n, size) of it, reversed,
// and the weight of what lies further back, where the line goes on with its first pixel.
struct LineTaps {
  std::vector<float> taps;
  float before = 0;
};
LineTaps line_taps(const std::vector<float>& response, std::size_t n);

}  // namespace crewe::noise
