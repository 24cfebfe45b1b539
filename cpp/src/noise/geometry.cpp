#include "crewe/noise/geometry.hpp"

#include <cmath>
#include <numbers>

#include "crewe/parallel.hpp"
#include "lines.hpp"

namespace crewe::noise {
// exp(−t)·I_m(t) = 1/π ∫ exp(t(cos θ − 1))·cos(mθ) dθ over 0 ... π; the trapezoidal rule is exact for this integrand.
std::vector<float> gaussian_taps(double sigma) {
  const double t = sigma * sigma;
  const auto reach = static_cast<std::size_t>(std::ceil(5 * sigma)) + 3;
  const std::size_t points = 4 * reach + 64;
  std::vector<float> taps(2 * reach + 1);
  for (std::size_t m = 0; m <= reach; ++m) {
    double sum = 0;
    for (std::size_t k = 0; k < points; ++k) {
      const double theta = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(points);
      sum += std::exp(t * (std::cos(theta) - 1)) * std::cos(static_cast<double>(m) * theta);
    }
    taps[reach + m] = taps[reach - m] = static_cast<float>(sum / static_cast<double>(points));
  }
  return taps;
}

void gaussian_blur(View<const float, 2> image, View<float, 2> out, double sigma, int threads) {
  check_apart(image, out);
  if (!(sigma >= 0 && sigma <= 1000)) reject("sigma", "0 to 1000 pixels", std::to_string(sigma));
  const std::size_t ny = image.shape[0], nx = image.shape[1];
  const std::vector<float> taps = gaussian_taps(sigma);
  const auto reach = static_cast<std::ptrdiff_t>(taps.size() / 2);
  parallel_for(ny, 16, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<const float*> rows(taps.size());
    std::vector<float> line(nx), padded(nx + taps.size() - 1);
    for (std::size_t y = begin; y < end; ++y) {
      for (std::size_t t = 0; t < rows.size(); ++t) {
        rows[t] = image.data + mirrored(static_cast<std::ptrdiff_t>(y + t) - reach, ny) * nx;
      }
      CREWE_SIMD_CALL(combine, rows.data(), taps.data(), taps.size(), line.data(), nx);
      mirrored_line(line.data(), nx, -reach, padded.size(), 1, padded.data());
      CREWE_SIMD_CALL(filter, padded.data(), out.data + y * nx, nx, taps.data(), taps.size(), 1);
    }
  });
}

void interpolate(View<const float, 2> image, View<float, 2> out, const double matrix[4], int threads) {
  check_apart(image, out);
  const std::size_t ny = image.shape[0], nx = image.shape[1];
  parallel_for(ny, 16, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t y = begin; y < end; ++y) {
      for (std::size_t x = 0; x < nx; ++x) out.data[y * nx + x] = interpolated(image.data, ny, nx, y, x, matrix);
    }
  });
}

}  // namespace crewe::noise
