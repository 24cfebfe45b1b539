#include "crewe/imaging/icom.hpp"

#include <cmath>
#include <complex>
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

}  // namespace

// With z = com_y + i·com_x and the real filters h_y, h_x of the two components, φ = Re((h_y − i·h_x) ∗ z): one
// transform there and one back.
void icom(View<const float, 3> com, double step, double high_pass, View<float, 2> out, int threads) {
  const std::size_t sy = out.shape[0], sx = out.shape[1];
  if (com.shape != std::array<std::size_t, 3>{sy, sx, 2})
    throw std::invalid_argument("com: shape (sy, sx, 2) of the image wanted");
  std::vector<std::complex<float>> field(sy * sx);
  constexpr std::size_t kRows = 16;
  parallel_for(sy, kRows, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t y = begin; y < end; ++y) {
      for (std::size_t x = 0; x < sx; ++x) field[y * sx + x] = {com(y, x, 0), com(y, x, 1)};
    }
  });
  fft::fft2(field.data(), 1, sy, sx, fft::Direction::forward, threads);
  const std::vector<double> qy = frequencies(sy), qx = frequencies(sx);
  const std::vector<double> odd_y = odd_frequencies(sy), odd_x = odd_frequencies(sx);
  const double scale = step / (2 * std::numbers::pi), cut = high_pass * high_pass;
  parallel_for(sy, kRows, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t y = begin; y < end; ++y) {
      for (std::size_t x = 0; x < sx; ++x) {
        const double squared = qy[y] * qy[y] + qx[x] * qx[x];
        const double weight = squared == 0 || squared < cut ? 0.0 : scale / squared;
        // (q_y − i·q_x) / i = −q_x − i·q_y
        const auto re = static_cast<float>(-weight * odd_x[x]), im = static_cast<float>(-weight * odd_y[y]);
        const std::complex<float> z = field[y * sx + x];
        field[y * sx + x] = {re * z.real() - im * z.imag(), re * z.imag() + im * z.real()};
      }
    }
  });
  fft::fft2(field.data(), 1, sy, sx, fft::Direction::inverse, threads);
  parallel_for(sy, kRows, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t y = begin; y < end; ++y) {
      for (std::size_t x = 0; x < sx; ++x) out(y, x) = field[y * sx + x].real();
    }
  });
}

}  // namespace crewe::imaging
