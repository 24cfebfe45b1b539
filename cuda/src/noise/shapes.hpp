// Checks and grids that the stages share.
#pragma once

#include <cstddef>

#include "crewe/checks.hpp"
#include "crewe/cuda/noise/stages.hpp"

namespace crewe::cuda::noise {

constexpr unsigned kThreads = 256;

// Images and rows lie along the second and third axis of a grid, which end at 65535.
inline unsigned grid_axis(std::size_t n) {
  if (n > 65535) reject("images", "at most 65535 of them, and rows of one, on the device", std::to_string(n));
  return static_cast<unsigned>(n);
}

template <class A, class B>
void check_stacks(const View<A, 3>& in, const View<B, 3>& out) {
  check_contiguous(in, "images");
  check_shape(out, in.shape, "out");
  check_contiguous(out, "out");
}

// As above, of a stage that reads its neighbours.
template <class A, class B>
void check_apart(const View<A, 3>& in, const View<B, 3>& out) {
  check_stacks(in, out);
  if (in.data == out.data) reject("out", "other memory than the images'", "the same");
}

template <class A>
std::size_t pixels_of(const View<A, 3>& images) {
  return images.shape[1] * images.shape[2];
}

}  // namespace crewe::cuda::noise
