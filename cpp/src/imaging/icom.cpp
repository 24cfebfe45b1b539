#include "crewe/imaging/icom.hpp"

#include <algorithm>
#include <complex>
#include <cstring>
#include <limits>
#include <memory>
#include <numbers>
#include <vector>

#include "crewe/checks.hpp"
#include "crewe/fft.hpp"
#include "crewe/imaging/icom_filter.hpp"
#include "crewe/parallel.hpp"

namespace crewe::imaging {
namespace {

using FrequencyOf = double (*)(std::size_t, std::size_t);

std::vector<double> frequencies(std::size_t n, FrequencyOf of) {
  std::vector<double> q(n);
  for (std::size_t k = 0; k < n; ++k) q[k] = of(k, n);
  return q;
}

void integrate_row(std::complex<float>* row, std::size_t n, double scale, double cut, double qy, double odd_y,
                   const double* qx, const double* odd_x) {
  float* z = reinterpret_cast<float*>(row);
  for (std::size_t x = 0; x < n; ++x) {
    const IcomFactor h = icom_factor(scale, cut, qy, qx[x], odd_y, odd_x[x]);
    const float a = z[2 * x], b = z[2 * x + 1];
    z[2 * x] = h.re * a - h.im * b;
    z[2 * x + 1] = h.re * b + h.im * a;
  }
}

}  // namespace

// One transform there and one back.
void icom(View<const float, 3> com, View<float, 2> out, double step, double high_pass, int threads) {
  const std::size_t sy = out.shape[0], sx = out.shape[1];
  check_shape(com, {sy, sx, 2}, "com");
  const std::unique_ptr<std::complex<float>[]> field(new std::complex<float>[sy * sx]);
  constexpr std::size_t kRows = 16;
  const bool packed = com.strides[2] == 1 && com.strides[1] == 2;  // already z
  parallel_for(sy, kRows, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t y = begin; y < end; ++y) {
      std::complex<float>* row = field.get() + y * sx;
      if (packed) {
        std::memcpy(static_cast<void*>(row), &com(y, 0, 0), sx * sizeof *row);
      } else {
        for (std::size_t x = 0; x < sx; ++x) row[x] = {com(y, x, 0), com(y, x, 1)};
      }
    }
  });
  fft::fft2(field.get(), 1, sy, sx, fft::Direction::forward, threads);
  const std::vector<double> qy = frequencies(sy, frequency), qx = frequencies(sx, frequency);
  const std::vector<double> odd_y = frequencies(sy, odd_frequency), odd_x = frequencies(sx, odd_frequency);
  const double scale = step / (2 * std::numbers::pi);
  const double cut = std::max(high_pass * high_pass, std::numeric_limits<double>::min());  // 0 at zero frequency
  parallel_for(sy, kRows, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t y = begin; y < end; ++y) {
      integrate_row(field.get() + y * sx, sx, scale, cut, qy[y], odd_y[y], qx.data(), odd_x.data());
    }
  });
  fft::fft2(field.get(), 1, sy, sx, fft::Direction::inverse, threads);
  parallel_for(sy, kRows, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t y = begin; y < end; ++y) {
      const std::complex<float>* row = field.get() + y * sx;
      for (std::size_t x = 0; x < sx; ++x) out(y, x) = row[x].real();
    }
  });
}

}  // namespace crewe::imaging
