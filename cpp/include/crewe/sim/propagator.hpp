// Free flight over Δz, and the limit of all frequencies, on a periodic grid (ny, nx) of pixels (dy, dx) [Å]:
//
//   A(k) P(k) = A(|k|)·exp(−iπλΔz|k|² + 2πiΔz k·tan θ)
//
// A = 1 up to k_c − w, falls as a half cosine to 0 at k_c, with k_c = (2/3)/(2d), w = 0.01/d, d = max(dy, dx).
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

namespace crewe::sim {

// Signed frequency of index k of n: 0, 1, …, −2, −1.
inline double frequency(std::size_t k, std::size_t n) {
  return 2 * k >= n && n > 1 && k > (n - 1) / 2 ? static_cast<double>(k) - static_cast<double>(n)
                                                : static_cast<double>(k);
}

struct BandLimit {
  double cut, width;
  BandLimit(double dy, double dx) : cut(1.0 / (3.0 * std::max(dy, dx))), width(0.01 / std::max(dy, dx)) {}
  double operator()(double k) const {
    if (k <= cut - width) return 1.0;
    return k < cut ? 0.5 * (1.0 + std::cos(std::numbers::pi * (k - cut + width) / width)) : 0.0;
  }
};

// Columns inside the band limit, and one pixel more, where the soft edge of an aperture may reach.
inline std::vector<std::uint32_t> kept_columns(std::size_t nx, double dx, double cut) {
  std::vector<std::uint32_t> columns;
  const double length = static_cast<double>(nx) * dx;
  for (std::size_t k = 0; k < nx; ++k) {
    if (std::abs(frequency(k, nx)) <= cut * length + 1.0) columns.push_back(static_cast<std::uint32_t>(k));
  }
  return columns;
}

// A·P at (ky, kx) [1/Å]; wavelength and thickness [Å], tilt of the beam [rad].
inline std::complex<double> propagator(const BandLimit& band, double ky, double kx, double wavelength, double thickness,
                                       double tilt_y, double tilt_x) {
  const double amplitude = band(std::sqrt(ky * ky + kx * kx));
  const double phase = std::numbers::pi * thickness *
                       (-wavelength * (ky * ky + kx * kx) + 2.0 * (ky * std::tan(tilt_y) + kx * std::tan(tilt_x)));
  return {amplitude * std::cos(phase), amplitude * std::sin(phase)};
}

}  // namespace crewe::sim
