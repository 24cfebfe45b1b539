// Detector pixels joined b × b:
//
//   out(Y, X) = Σ_{i<b, j<b} (raw(y, x) − dark(y, x))·gain(y, x),  y = top + b·Y + i, x = left + b·X + j
//
// float32 sums: exact for counts up to 2^24. Where gain is 0 a pixel is left out, whatever it holds.
#pragma once

#include <cstddef>

#include "crewe/imaging/pixel.hpp"

namespace crewe::imaging {

struct Binning {
  std::size_t join = 1;               // b, at most 256
  std::size_t top = 0, left = 0;      // first detector pixel
  std::size_t rows = 0, columns = 0;  // of `out`
};

// std::invalid_argument where there are none, or bins beyond a detector of (ky, kx) pixels.
void check_binning(const Binning& bins, std::size_t ky, std::size_t kx);

// One frame of a block to out (rows, columns), with bins that were checked. dark, gain: (ny, nx) of the block, or null.
void join_pixels(const FrameBlock& block, std::size_t frame, const Binning& bins, const float* dark, const float* gain,
                 float* out);

}  // namespace crewe::imaging
