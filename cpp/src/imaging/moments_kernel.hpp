// What the loops over the pixels of one frame need, in plain types: filled in by moments.cpp, read by
// moments_*.simd.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cpu.hpp"
#include "crewe/imaging/pixel.hpp"

namespace crewe::imaging {

// One frame in memory; strides in bytes.
struct FrameView {
  const std::byte* data;
  Pixel pixel;
  std::ptrdiff_t stride_row, stride_col;
};

// Sums in double; pointers are null where there is nothing to do.
struct RealTask {
  std::size_t ny, nx;
  bool moments;
  const float *weights, *dark, *gain;  // (ny·nx); dark is 0 at dead pixels
  const std::uint32_t*
      dead_start;  // (ny + 1): the dead pixels of row y are dead_column[dead_start[y] .. dead_start[y + 1])
  const std::uint32_t* dead_column;
  const float* const* detectors;  // each (ny·nx), or null: all ones
  std::size_t detector_count;
  const std::uint8_t* rings;  // (ny·nx)
};

// nyx[3] = (n, y, x); sums[detector_count]; profile[256]. False: a number that isn't finite; what was summed is
// undefined.
CREWE_SIMD_DECLARE(bool reduce_real(const RealTask& task, const FrameView& frame, double* nyx, double* sums,
                                    double* profile);)

}  // namespace crewe::imaging
