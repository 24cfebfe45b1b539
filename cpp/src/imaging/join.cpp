#include "crewe/imaging/join.hpp"

#include <array>
#include <string>

#include "crewe/checks.hpp"
#include "imaging/join_kernel.hpp"

namespace crewe::imaging {

void check_binning(const Binning& bins, std::size_t ky, std::size_t kx) {
  const std::size_t join = bins.join;
  if (join == 0 || join > kMostJoined || bins.rows == 0 || bins.columns == 0 || bins.top > ky || bins.left > kx ||
      bins.rows > (ky - bins.top) / join || bins.columns > (kx - bins.left) / join) {
    reject("bins", "at least one, of 1 to " + std::to_string(kMostJoined) + " pixels to a side, all on the detector,",
           shape_text(std::array{bins.rows, bins.columns}) + " of " + std::to_string(join) + " from " +
               shape_text(std::array{bins.top, bins.left}) + " on");
  }
}

void join_pixels(const FrameBlock& block, std::size_t frame, const Binning& bins, const float* dark, const float* gain,
                 float* out) {
  const std::size_t corner = bins.top * block.nx + bins.left;
  const FrameBlock::Steps step = block.steps();
  const JoinTask task{block.data + static_cast<std::ptrdiff_t>(frame) * step.frame +
                          static_cast<std::ptrdiff_t>(bins.top) * step.row +
                          static_cast<std::ptrdiff_t>(bins.left) * step.column,
                      block.pixel,
                      step.row,
                      step.column,
                      bins.join,
                      bins.rows,
                      bins.columns,
                      block.nx,
                      dark == nullptr ? nullptr : dark + corner,
                      gain == nullptr ? nullptr : gain + corner};
  CREWE_SIMD_CALL(join_pixels, task, out);
}

}  // namespace crewe::imaging
