// What the integration by Fourier transform multiplies with, for the CPU and for CUDA: crewe/imaging/icom.hpp.
//
// With z = com_y + i·com_x and the real filters h_y, h_x of the two components, φ = Re((h_y − i·h_x) ∗ z):
//
//   H(Q) = scale·(q_y − i·q_x) / (i·|Q|²),   0 where |Q|² < cut;   q = Q, but 0 at a Nyquist frequency, where an odd
//   real function has no part
#pragma once

#include <cstddef>

#include "crewe/host_device.hpp"

namespace crewe::imaging {

// Frequency k of a transform of length n [cycles/position].
CREWE_HOST_DEVICE inline double frequency(std::size_t k, std::size_t n) {
  return (static_cast<double>(k) - (2 * k >= n ? static_cast<double>(n) : 0.0)) / static_cast<double>(n);
}

CREWE_HOST_DEVICE inline double odd_frequency(std::size_t k, std::size_t n) {
  return 2 * k == n ? 0.0 : frequency(k, n);
}

struct IcomFactor {
  float re, im;
};

CREWE_HOST_DEVICE inline IcomFactor icom_factor(double scale, double cut, double qy, double qx, double odd_y,
                                                double odd_x) {
  const double squared = qy * qy + qx * qx;
  const double weight = squared < cut ? 0.0 : scale / squared;
  return {static_cast<float>(-weight * odd_x), static_cast<float>(-weight * odd_y)};
}

}  // namespace crewe::imaging
