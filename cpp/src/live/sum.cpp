#include "live/sum.hpp"

#include <algorithm>

#include "live/sum_kernel.hpp"

namespace crewe::live {

void add_frames(const imaging::FrameBlock& block, std::span<const std::uint32_t> frames, std::size_t begin,
                std::size_t end, double* sums) {
  const imaging::FrameBlock::Steps step = block.steps();
  const auto size = static_cast<std::ptrdiff_t>(imaging::pixel_size(block.pixel));
  const bool dense = step.column == size && step.row == static_cast<std::ptrdiff_t>(block.nx) * size;
  for (const std::uint32_t frame : frames) {
    const std::byte* const data = block.data + static_cast<std::ptrdiff_t>(frame) * step.frame;
    for (std::size_t at = begin; at < end;) {
      const std::size_t row = at / block.nx, col = at % block.nx;
      const std::size_t n = dense ? end - at : std::min(end - at, block.nx - col);
      const std::byte* const from =
          data + static_cast<std::ptrdiff_t>(row) * step.row + static_cast<std::ptrdiff_t>(col) * step.column;
      CREWE_SIMD_CALL(add_pixels, block.pixel, from, step.column, n, sums + at);
      at += n;
    }
  }
}

}  // namespace crewe::live
