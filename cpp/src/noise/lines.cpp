#include "lines.hpp"

#include <cmath>
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

void spline_taps(double f, float* taps) {
  const double z = std::sqrt(3.0) - 2.0;
  const auto basis = [](double t) {
    t = std::abs(t);
    if (t < 1.0) return 2.0 / 3.0 - t * t * (1.0 - t / 2.0);
    return t < 2.0 ? (2.0 - t) * (2.0 - t) * (2.0 - t) / 6.0 : 0.0;
  };
  double weights[2 * kReach], sum = 0;
  for (std::ptrdiff_t m = 1 - kReach; m <= kReach; ++m) {
    double weight = 0;
    for (std::ptrdiff_t k = -2; k <= 2; ++k) {  // coefficients near the place; each is a filter over all elements
      const double centre = std::floor(f) + static_cast<double>(k);
      weight += basis(f - centre) * std::sqrt(3.0) * std::pow(z, std::abs(static_cast<double>(m) - centre));
    }
    weights[m + kReach - 1] = weight;
    sum += weight;
  }
  for (std::ptrdiff_t m = 0; m < 2 * kReach; ++m) taps[m] = static_cast<float>(weights[m] / sum);
}

}  // namespace crewe::noise
