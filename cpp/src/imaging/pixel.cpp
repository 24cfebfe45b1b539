#include "crewe/imaging/pixel.hpp"

namespace crewe::imaging {
namespace {

std::ptrdiff_t step_of(std::ptrdiff_t stride, std::ptrdiff_t dense) {
  if (stride == kRepeated) return 0;
  return stride == 0 ? dense : stride;
}

}  // namespace

std::size_t pixel_size(Pixel pixel) {
  switch (pixel) {
    case Pixel::u8:
      return 1;
    case Pixel::u16:
    case Pixel::u16_be:
      return 2;
    default:
      return 4;
  }
}

FrameBlock::Steps FrameBlock::steps() const {
  const std::ptrdiff_t col = step_of(stride_col, static_cast<std::ptrdiff_t>(pixel_size(pixel)));
  const std::ptrdiff_t row = step_of(stride_row, static_cast<std::ptrdiff_t>(nx) * col);
  return {step_of(stride_frame, static_cast<std::ptrdiff_t>(ny) * row), row, col};
}

}  // namespace crewe::imaging
