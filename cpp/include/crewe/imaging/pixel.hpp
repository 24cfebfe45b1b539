// Detector frames as they lie in memory. Plain types only: the vectorised loops include this header.
#pragma once

#include <cstddef>
#include <cstdint>

namespace crewe::imaging {

// How a pixel lies in memory. Merlin detectors send big-endian numbers; they are summed as they come.
enum class Pixel : std::uint8_t { u8, u16, u32, f32, u16_be, u32_be };

std::size_t pixel_size(Pixel pixel);

// As a stride: the same frame, row or pixel again. For strides in NumPy's sense, where that is 0: `stride_of`.
inline constexpr std::ptrdiff_t kRepeated = PTRDIFF_MIN;
constexpr std::ptrdiff_t stride_of(std::ptrdiff_t step) {
  return step == 0 ? kRepeated : step;
}

// n frames (ny, nx) in memory; strides in bytes. A stride of 0 is dense, as in C: pixels of a row side by side, a row
// behind the row before (nx steps from pixel to pixel), a frame behind the frame before (ny steps from row to row).
struct FrameBlock {
  const std::byte* data = nullptr;
  Pixel pixel = Pixel::u16;
  std::size_t count = 0, ny = 0, nx = 0;
  std::ptrdiff_t frame_stride = 0, row_stride = 0, column_stride = 0;

  struct Steps {
    std::ptrdiff_t frame, row, column;
  };
  Steps steps() const;  // the strides as they are walked [bytes]
};

}  // namespace crewe::imaging
