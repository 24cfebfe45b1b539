// Helpers that the noise stages share.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "crewe/rng.hpp"
#include "crewe/view.hpp"
#include "kernels.hpp"

namespace crewe::noise {

constexpr std::size_t kPixelGrain = 32768;  // pixels per chunk: 128 KiB, a multiple of 32

inline Draw draw_of(std::uint64_t seed, rng::Stage stage, std::uint32_t image) {
  return {seed, static_cast<std::uint32_t>(stage), image};
}

template <class A, class B>
void check_pair(const View<A, 2>& in, const View<B, 2>& out) {
  if (in.shape != out.shape) throw std::invalid_argument("image and out differ in shape");
  if (!in.contiguous() || !out.contiguous()) throw std::invalid_argument("C-contiguous images wanted");
}

// The index of a pixel of the image that stands at index i of the line 0 ... n − 1 continued as in a mirror.
inline std::size_t mirrored(std::ptrdiff_t i, std::size_t n) {
  if (i >= 0 && i < static_cast<std::ptrdiff_t>(n)) return static_cast<std::size_t>(i);
  if (n == 1) return 0;
  const auto period = static_cast<std::ptrdiff_t>(2 * (n - 1));
  i %= period;
  if (i < 0) i += period;
  return static_cast<std::size_t>(i < static_cast<std::ptrdiff_t>(n) ? i : period - i);
}

// line[i + first] for i = 0 ... count − 1 of a mirrored line, `width` numbers per element.
void mirrored_line(const float* line, std::size_t n, std::ptrdiff_t first, std::size_t count, std::size_t width,
                   float* out);

// Weights of cubic spline interpolation at fraction f (0 <= f < 1) for the elements −kReach + 1 ... kReach; their sum
// is 1.
constexpr std::ptrdiff_t kReach = 8;
void spline_taps(double f, float* taps);

}  // namespace crewe::noise
