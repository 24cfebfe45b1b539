#include "lines.hpp"

#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace crewe::noise {

void mirrored_line(const float* line, std::size_t n, std::ptrdiff_t first, std::size_t count, std::size_t width,
                   float* out) {
  const auto length = static_cast<std::ptrdiff_t>(n);
  for (std::size_t i = 0; i < count;) {
    const std::ptrdiff_t at = first + static_cast<std::ptrdiff_t>(i);
    std::size_t run = 1;
    if (at >= 0 && at < length) run = std::min(count - i, static_cast<std::size_t>(length - at));
    std::memcpy(out + i * width, line + mirrored(at, n) * width, run * width * sizeof(float));
    i += run;
  }
}

namespace {

constexpr std::size_t kTaps = 2 * kReach;

// Values → coefficients of a cubic B-spline: c_k = √3·Σ_m z^|m − k|·x_m, z = √3 − 2. The powers for |m − k| = 0, 1, ...
std::array<double, kTaps> filter_powers() {
  std::array<double, kTaps> powers;
  powers[0] = std::sqrt(3.0);
  for (std::size_t k = 1; k < kTaps; ++k) powers[k] = powers[k - 1] * (powers[0] - 2.0);
  return powers;
}

}  // namespace

void spline_taps(double f, float* taps) {
  static const std::array<double, kTaps> powers = filter_powers();
  const double g = 1 - f;
  const std::array<double, 4> basis{g * g * g / 6, 2.0 / 3 - f * f * (1 - f / 2), 2.0 / 3 - g * g * (1 - g / 2),
                                    f * f * f / 6};  // of the coefficients −1, 0, 1, 2
  std::array<double, kTaps> weights{};
  double sum = 0;
  for (std::ptrdiff_t m = 0; m < 2 * kReach; ++m) {
    double& weight = weights[static_cast<std::size_t>(m)];
    for (std::ptrdiff_t k = 0; k < 4; ++k) {
      weight += basis[static_cast<std::size_t>(k)] * powers[static_cast<std::size_t>(std::abs(m + 2 - kReach - k))];
    }
    sum += weight;
  }
  for (std::size_t m = 0; m < kTaps; ++m) taps[m] = static_cast<float>(weights[m] / sum);
}

}  // namespace crewe::noise
