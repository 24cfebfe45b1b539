#include "crewe/imaging/icom.hpp"

#include <algorithm>
#include <array>
#include <complex>
#include <cstring>
#include <limits>
#include <memory>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "crewe/fft.hpp"
#include "crewe/parallel.hpp"

namespace crewe::imaging {
namespace {

// Frequencies [cycles/position] in the transform's order.
std::vector<double> frequencies(std::size_t n) {
  std::vector<double> q(n);
  for (std::size_t k = 0; k < n; ++k) {
    q[k] = (static_cast<double>(k) - (2 * k >= n ? static_cast<double>(n) : 0.0)) / static_cast<double>(n);
  }
  return q;
}

// The same with 0 at the Nyquist frequency, where an odd real function has no part.
std::vector<double> odd_frequencies(std::size_t n) {
  std::vector<double> q = frequencies(n);
  if (n % 2 == 0) q[n / 2] = 0;
  return q;
}

// Multiplies a row of the spectrum by (q_y − i·q_x)·scale/(i·|q|²), where the square is 0 or below `cut` by 0.
void integrate_row(std::complex<float>* row, std::size_t n, double scale, double cut, double qy, double odd_y,
                   const double* qx, const double* odd_x) {
  float* z = reinterpret_cast<float*>(row);
  for (std::size_t x = 0; x < n; ++x) {
    const double squared = qy * qy + qx[x] * qx[x];
    const double weight = squared < cut ? 0.0 : scale / squared;
    const float re = static_cast<float>(-weight * odd_x[x]), im = static_cast<float>(-weight * odd_y);
    const float a = z[2 * x], b = z[2 * x + 1];
    z[2 * x] = re * a - im * b;
    z[2 * x + 1] = re * b + im * a;
  }
}

}  // namespace

// With z = com_y + i·com_x and the real filters h_y, h_x of the two components, φ = Re((h_y − i·h_x) ∗ z): one
// transform there and one back.
void icom(View<const float, 3> com, double step, double high_pass, View<float, 2> out, int threads) {
  const std::size_t sy = out.shape[0], sx = out.shape[1];
  if (com.shape != std::array<std::size_t, 3>{sy, sx, 2}) {
    throw std::invalid_argument("com: shape (sy, sx, 2) of the image wanted");
  }
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
  const std::vector<double> qy = frequencies(sy), qx = frequencies(sx);
  const std::vector<double> odd_y = odd_frequencies(sy), odd_x = odd_frequencies(sx);
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
