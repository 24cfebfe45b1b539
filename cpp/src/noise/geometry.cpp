#include "crewe/noise/geometry.hpp"

#include <array>
#include <cmath>
#include <numbers>

#include "crewe/parallel.hpp"
#include "lines.hpp"

namespace crewe::noise {
namespace {

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

std::array<double, 4> cubic(double f) {
  return {f * (-0.5 + f * (1 - 0.5 * f)), 1 + f * f * (-2.5 + 1.5 * f), f * (0.5 + f * (2 - 1.5 * f)),
          f * f * (-0.5 + 0.5 * f)};
}

}  // namespace

void gaussian_blur(View<const float, 2> image, View<float, 2> out, double sigma, int threads) {
  check_pair(image, out);
  if (!(sigma >= 0)) throw std::invalid_argument("gaussian_blur: sigma >= 0 wanted");
  if (image.data == out.data) throw std::invalid_argument("gaussian_blur does not work in place");
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
  check_pair(image, out);
  if (image.data == out.data) throw std::invalid_argument("interpolate does not work in place");
  const std::size_t ny = image.shape[0], nx = image.shape[1];
  const double cy = (static_cast<double>(ny) - 1) / 2, cx = (static_cast<double>(nx) - 1) / 2;
  parallel_for(ny, 16, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t y = begin; y < end; ++y) {
      for (std::size_t x = 0; x < nx; ++x) {
        const double dy = static_cast<double>(y) - cy, dx = static_cast<double>(x) - cx;
        const double py = cy + matrix[0] * dy + matrix[1] * dx, px = cx + matrix[2] * dy + matrix[3] * dx;
        const double wy = std::floor(py), wx = std::floor(px);
        const std::array<double, 4> a = cubic(py - wy), b = cubic(px - wx);
        std::array<std::size_t, 4> rows, columns;
        for (std::size_t k = 0; k < 4; ++k) {
          rows[k] = mirrored(static_cast<std::ptrdiff_t>(wy) + static_cast<std::ptrdiff_t>(k) - 1, ny);
          columns[k] = mirrored(static_cast<std::ptrdiff_t>(wx) + static_cast<std::ptrdiff_t>(k) - 1, nx);
        }
        double sum = 0;
        for (std::size_t k = 0; k < 4; ++k) {
          const float* row = image.data + rows[k] * nx;
          sum += a[k] *
                 (b[0] * row[columns[0]] + b[1] * row[columns[1]] + b[2] * row[columns[2]] + b[3] * row[columns[3]]);
        }
        out.data[y * nx + x] = static_cast<float>(sum);
      }
    }
  });
}

}  // namespace crewe::noise
