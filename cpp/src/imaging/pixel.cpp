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
  const std::ptrdiff_t column = step_of(column_stride, static_cast<std::ptrdiff_t>(pixel_size(pixel)));
  const std::ptrdiff_t row = step_of(row_stride, static_cast<std::ptrdiff_t>(nx) * column);
  return {step_of(frame_stride, static_cast<std::ptrdiff_t>(ny) * row), row, column};
}

}  // namespace crewe::imaging
