// Detector pixels of one row as float32, in either byte order: for inner loops, compiled with each of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cpu.hpp"
#include "crewe/imaging/pixel.hpp"

namespace crewe::imaging::CREWE_ISA_LEVEL {
namespace {

inline std::uint16_t swapped(std::uint16_t value) {
  return __builtin_bswap16(value);
}
inline std::uint32_t swapped(std::uint32_t value) {
  return __builtin_bswap32(value);
}

template <class T, bool kSwap>
inline void convert(const std::byte* from, std::ptrdiff_t stride, std::size_t n, float* out) {
  if (stride == static_cast<std::ptrdiff_t>(sizeof(T))) {
    for (std::size_t i = 0; i < n; ++i) {
      T value;
      __builtin_memcpy(&value, from + i * sizeof(T), sizeof(T));
      if constexpr (kSwap) value = swapped(value);
      out[i] = static_cast<float>(value);
    }
    return;
  }
  for (std::size_t i = 0; i < n; ++i) {
    T value;
    __builtin_memcpy(&value, from + static_cast<std::ptrdiff_t>(i) * stride, sizeof(T));
    if constexpr (kSwap) value = swapped(value);
    out[i] = static_cast<float>(value);
  }
}

inline void read_pixels(const std::byte* from, Pixel pixel, std::ptrdiff_t stride, std::size_t n, float* out) {
  switch (pixel) {
    case Pixel::u8:
      return convert<std::uint8_t, false>(from, stride, n, out);
    case Pixel::u16:
      return convert<std::uint16_t, false>(from, stride, n, out);
    case Pixel::u32:
      return convert<std::uint32_t, false>(from, stride, n, out);
    case Pixel::f32:
      return convert<float, false>(from, stride, n, out);
    case Pixel::u16_be:
      return convert<std::uint16_t, true>(from, stride, n, out);
    case Pixel::u32_be:
      return convert<std::uint32_t, true>(from, stride, n, out);
  }
}

}  // namespace
}  // namespace crewe::imaging::CREWE_ISA_LEVEL
