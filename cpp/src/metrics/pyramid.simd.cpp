// One band of the pyramid: its transfer function on a row of the spectrum, and the comparison of two images'
// coefficients in windows. Pixel by pixel, in one fixed order: the width of the registers does not show in the result.
#include <cstddef>
#include <cstdint>

#include "metrics/kernels.hpp"
#include "vec.hpp"

namespace crewe::metrics::CREWE_ISA_LEVEL {
namespace {

constexpr int kWindow = 2 * static_cast<int>(kReach) + 1;

template <class T>
CREWE_INLINE T power(T base, int exponent) {
  T result = T{} + 1.0f;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result *= base;
    base *= base;
  }
  return result;
}

// Re x y*, Im x y* and |x|² + |y|².
template <class T>
struct Products {
  T re, im, power;
};
template <class T>
CREWE_INLINE Products<T> products(T xr, T xi, T yr, T yi) {
  return {xr * yr + xi * yi, xi * yr - xr * yi, (xr * xr + xi * xi) + (yr * yr + yi * yi)};
}

CREWE_INLINE f32x16 even(f32x16 a, f32x16 b) {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
CREWE_INLINE f32x16 odd(f32x16 a, f32x16 b) {
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

void multiply_row(const float* x, const float* y, std::size_t nx, float* re, float* im, float* power) {
  std::size_t j = 0;
  for (; j + 16 <= nx; j += 16) {
    const f32x16 x0 = load16(x + 2 * j), x1 = load16(x + 2 * j + 16), y0 = load16(y + 2 * j),
                 y1 = load16(y + 2 * j + 16);
    const Products<f32x16> p = products(even(x0, x1), odd(x0, x1), even(y0, y1), odd(y0, y1));
    store16(re + j, p.re);
    store16(im + j, p.im);
    store16(power + j, p.power);
  }
  for (; j < nx; ++j) {
    const Products<float> p = products(x[2 * j], x[2 * j + 1], y[2 * j], y[2 * j + 1]);
    re[j] = p.re;
    im[j] = p.im;
    power[j] = p.power;
  }
}

// Sums of seven rows, then of seven columns.
CREWE_INLINE f32x16 across(const float* p) {
  f32x16 sum = load16(p);
  for (int k = 1; k < kWindow; ++k) sum += load16(p + k);
  return sum;
}

}  // namespace

void filter_row(const Band& band, const float* spectrum, float* out) {
  std::size_t j = 0;
  for (; j + 16 <= band.nx; j += 16) {
    f32x16 cosine = (load16(band.across + j) + band.along) * load16(band.inverse + j);
    cosine = cosine > band.least ? cosine : f32x16{};
    const f32x16 h = power(cosine, band.power) * (load16(band.radial + j) * band.gain);
    const f32x16 h0 = __builtin_shufflevector(h, h, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    const f32x16 h1 = __builtin_shufflevector(h, h, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15);
    store16(out + 2 * j, load16(spectrum + 2 * j) * h0);
    store16(out + 2 * j + 16, load16(spectrum + 2 * j + 16) * h1);
  }
  for (; j < band.nx; ++j) {
    float cosine = (band.across[j] + band.along) * band.inverse[j];
    cosine = cosine > band.least ? cosine : 0.0f;
    const float h = power(cosine, band.power) * (band.radial[j] * band.gain);
    out[2 * j] = spectrum[2 * j] * h;
    out[2 * j + 1] = spectrum[2 * j + 1] * h;
  }
}

void compare_rows(const float* x, const float* y, std::size_t ny, std::size_t nx, std::size_t first, std::size_t last,
                  float k, float* out, float* scratch) {
  const std::size_t width = window_width(nx);
  float* const summed[3] = {scratch, scratch + width, scratch + 2 * width};
  float* const ring = scratch + 3 * width;
  for (std::size_t i = 0; i < 3 * (kWindow + 1) * width; ++i) scratch[i] = 0;
  const auto slot = [&](std::size_t row) { return ring + row % kWindow * 3 * width; };
  for (std::size_t row = first < kReach ? 0 : first - kReach; row < last + kReach; ++row) {
    float* const now = slot(row);
    if (row < ny) {
      multiply_row(x + 2 * row * nx, y + 2 * row * nx, nx, now + kReach, now + width + kReach,
                   now + 2 * width + kReach);
    } else {
      for (std::size_t i = 0; i < 3 * width; ++i) now[i] = 0;
    }
    if (row < first + kReach) continue;
    const std::size_t middle =
        row - kReach;  // its rows from three above to three below, those above the image as zeros
    for (std::size_t i = 0; i < 3 * width; i += 16) {
      f32x16 sum = load16(slot(middle + kWindow - kReach) + i);
      for (std::size_t d = 1; d < kWindow; ++d) sum += load16(slot(middle + kWindow - kReach + d) + i);
      store16(summed[0] + i, sum);
    }
    float* const to = out + middle * nx;
    for (std::size_t j = 0; j < nx; j += 16) {
      const f32x16 re = across(summed[0] + j), im = across(summed[1] + j), power = across(summed[2] + j);
      const f32x16 d = 1.0f - (2.0f * square_root(re * re + im * im) + k) / (power + k);
      if (j + 16 <= nx) {
        store16(to + j, load16(to + j) + d);
      } else {
        for (std::size_t i = 0; j + i < nx; ++i) to[j + i] += d[i];
      }
    }
  }
}

}  // namespace crewe::metrics::CREWE_ISA_LEVEL
