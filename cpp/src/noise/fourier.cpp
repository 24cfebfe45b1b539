// The two stages of a camera that go through Fourier space.
#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "crewe/fft.hpp"
#include "crewe/noise/camera.hpp"
#include "crewe/parallel.hpp"
#include "lines.hpp"

namespace crewe::noise {
Transfer transfer(std::size_t ny, std::size_t nx, double a, double b, double c) {
  constexpr double kLeast = 1e-3;
  if (!(b >= kLeast) || !(c >= kLeast)) {
    reject("b, c", "widths of 0.001 or more", std::to_string(b) + " and " + std::to_string(c));
  }
  // The point spread has a standard deviation of 1/(π·min(b, c)) pixels; beyond 5 of them lie 4·10⁻⁶ of it.
  const auto reach = static_cast<std::size_t>(std::ceil(5 / (std::numbers::pi * std::min(b, c)))) + 8;
  // Everything is a product of a function of y and one of x, but for the sum of the two Gaussians.
  const auto factors = [&](std::size_t n) {
    std::vector<Transfer::Factor> result(n);
    for (std::size_t k = 0; k < n; ++k) {
      const double u = 2 * frequency(k, n), t = std::numbers::pi * u / 2;
      const double aperture = t == 0 ? 1 : std::sin(t) / t;
      result[k] = {static_cast<float>(std::exp(-u * u / (2 * b * b)) * aperture),
                   static_cast<float>(std::exp(-u * u / (2 * c * c)) * aperture)};
    }
    return result;
  };
  const std::size_t height = fft::good_size(ny + 2 * reach), width = fft::good_size(nx + 2 * reach);
  return {reach, height, width, static_cast<float>(a), static_cast<float>(1 - a), factors(height), factors(width)};
}

void mtf(View<const float, 2> image, View<float, 2> out, double a, double b, double c, int threads) {
  check_pair(image, out);
  const std::size_t ny = image.shape[0], nx = image.shape[1];
  const Transfer h = transfer(ny, nx, a, b, c);
  const std::size_t reach = h.reach, height = h.height, width = h.width;
  std::vector<std::complex<float>> field(height * width);
  const auto margin = static_cast<std::ptrdiff_t>(reach);
  for (std::size_t y = 0; y < height; ++y) {
    const float* row = image.data + mirrored(static_cast<std::ptrdiff_t>(y) - margin, ny) * nx;
    for (std::size_t x = 0; x < width; ++x) {
      field[y * width + x] = row[mirrored(static_cast<std::ptrdiff_t>(x) - margin, nx)];
    }
  }
  fft::fft2(field.data(), 1, height, width, fft::Direction::forward, threads);
  parallel_for(height, 16, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t y = begin; y < end; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        field[y * width + x] *=
            h.part * h.along_y[y].first * h.along_x[x].first + h.rest * h.along_y[y].second * h.along_x[x].second;
      }
    }
  });
  fft::fft2(field.data(), 1, height, width, fft::Direction::inverse, threads);
  for (std::size_t y = 0; y < ny; ++y) {
    for (std::size_t x = 0; x < nx; ++x) out.data[y * nx + x] = field[(y + reach) * width + x + reach].real();
  }
}

void flicker(View<const float, 2> image, View<float, 2> out, double sigma, std::uint64_t seed, std::uint32_t picture,
             int threads) {
  check_pair(image, out);
  const std::size_t ny = image.shape[0], nx = image.shape[1], n = ny * nx;
  if (n < 2 || sigma == 0) {
    if (out.data != image.data) std::copy_n(image.data, n, out.data);
    return;
  }
  std::vector<float> white(n);
  const Draw draw = draw_of(seed, rng::Stage::flicker, picture);
  parallel_for(n, kPixelGrain, threads, [&](std::size_t begin, std::size_t end) {
    CREWE_SIMD_CALL(spread, white.data(), white.data(), begin, end, Spread::add, 1.0, 0.0, draw);
  });
  std::vector<std::complex<float>> field(white.begin(), white.end());
  fft::fft2(field.data(), 1, ny, nx, fft::Direction::forward, threads);
  parallel_for(ny, 16, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t y = begin; y < end; ++y) {
      for (std::size_t x = 0; x < nx; ++x) field[y * nx + x] *= flicker_gain(y, x, ny, nx);
    }
  });
  fft::fft2(field.data(), 1, ny, nx, fft::Direction::inverse, threads);
  double square = 0, sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double value = field[i].real();
    sum += value;
    square += value * value;
  }
  const double mean = sum / static_cast<double>(n), std = std::sqrt(square / static_cast<double>(n) - mean * mean);
  const auto scale = static_cast<float>(std > 0 ? sigma / std : 0);
  for (std::size_t i = 0; i < n; ++i) {
    out.data[i] = image.data[i] + scale * (field[i].real() - static_cast<float>(mean));
  }
}

}  // namespace crewe::noise
