// Detector frames as they lie in memory. Plain types only: the vectorised loops include this header.
#pragma once

#include <cstddef>
#include <cstdint>

namespace crewe::imaging {

// How a pixel lies in memory. Merlin detectors send big-endian numbers; they are summed as they come.
enum class Pixel : std::uint8_t { u8, u16, u32, f32, u16_be, u32_be };

std::size_t pixel_size(Pixel pixel);

// n frames (ny, nx) in memory; strides in bytes, all to be set: 0 is the same pixel again.
struct FrameBlock {
  const std::byte* data = nullptr;
  Pixel pixel = Pixel::u16;
  std::size_t count = 0, ny = 0, nx = 0;
  std::ptrdiff_t stride_frame = 0, stride_row = 0, stride_col = 0;
};

}  // namespace crewe::imaging
