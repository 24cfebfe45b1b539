// One detector pixel as it lies in memory. For kernels (.cu) only.
#pragma once

#include "crewe/cuda/device.hpp"
#include "crewe/imaging/pixel.hpp"

namespace crewe::cuda::imaging {

// kFloat: the pixel is f32; else it is one of the integers.
template <bool kFloat>
__device__ double read_pixel(crewe::imaging::Pixel pixel, const std::byte* place) {
  using crewe::imaging::Pixel;
  if constexpr (kFloat) return static_cast<double>(*reinterpret_cast<const float*>(place));
  switch (pixel) {
    case Pixel::u8:
      return static_cast<double>(*reinterpret_cast<const std::uint8_t*>(place));
    case Pixel::u16:
      return static_cast<double>(*reinterpret_cast<const std::uint16_t*>(place));
    case Pixel::u16_be:
      return static_cast<double>(__byte_perm(*reinterpret_cast<const std::uint16_t*>(place), 0, 0x4401));
    case Pixel::u32_be:
      return static_cast<double>(__byte_perm(*reinterpret_cast<const unsigned*>(place), 0, 0x0123));
    default:
      return static_cast<double>(*reinterpret_cast<const unsigned*>(place));
  }
}

__device__ inline double read_pixel(crewe::imaging::Pixel pixel, const std::byte* place) {
  return pixel == crewe::imaging::Pixel::f32 ? read_pixel<true>(pixel, place) : read_pixel<false>(pixel, place);
}

}  // namespace crewe::cuda::imaging
