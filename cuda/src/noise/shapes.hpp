// Checks and grids that the stages share.
#pragma once

#include <cstddef>
#include <stdexcept>

#include "crewe/cuda/noise/stages.hpp"

namespace crewe::cuda::noise {

constexpr unsigned kThreads = 256;

// Images and rows lie along the second and third axis of a grid, which end at 65535.
inline unsigned grid_axis(std::size_t n) {
  if (n > 65535) throw std::invalid_argument("at most 65535 images, and rows of one, wanted on the device");
  return static_cast<unsigned>(n);
}

template <class A, class B>
void check_stacks(const View<A, 3>& in, const View<B, 3>& out) {
  if (in.shape != out.shape) throw std::invalid_argument("images and out differ in shape");
  if (!in.contiguous() || !out.contiguous()) throw std::invalid_argument("C-contiguous images wanted");
}

template <class A>
std::size_t pixels_of(const View<A, 3>& images) {
  return images.shape[1] * images.shape[2];
}

}  // namespace crewe::cuda::noise
