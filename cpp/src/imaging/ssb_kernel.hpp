// The loops of single-sideband ptychography in plain types: filled in by ssb.cpp, read by ssb.simd.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cpu.hpp"
#include "crewe/imaging/pixel.hpp"
#include "crewe/imaging/ssb_layout.hpp"

namespace crewe::imaging {

struct SsbGather {
  const std::byte* frame;
  Pixel pixel;
  std::ptrdiff_t row_stride, column_stride;  // [bytes]
  const SsbPiece* pieces;
  std::size_t piece_count, join, nx;  // join × join detector pixels count as one
  const float *dark, *gain;           // (ky·nx) or null
};

// Adds the frame's bright pixels to out[place].
CREWE_SIMD_DECLARE(void ssb_gather(const SsbGather& task, float* out);)

// Two real signals 2j, 2j + 1 were transformed as one complex signal j; z, mirror: its values at a frequency and at the
// opposite one, `pairs` complex numbers each. → real and imaginary parts of the signals 0, 2, 4, ..., 1, 3, 5, ...
CREWE_SIMD_DECLARE(void ssb_unpack(const float* z, const float* mirror, std::size_t pairs, float* real, float* imag);)

inline constexpr std::size_t kSsbLines = 8;  // of the scan, for which weights are read once

// out[line·stride + 2q, + 1] = Σ_k w_q(k)·g_line(k), complex.
struct SsbProjection {
  const float* weights;  // rows (q) of `pixels` real parts and, if `complex`, as many imaginary ones
  std::size_t pixels;
  bool complex;
  std::size_t count;     // of q
  const float* signals;  // per line `pixels` real parts, and as many imaginary ones
  std::size_t lines;
  float* out;
  std::size_t stride;
};
CREWE_SIMD_DECLARE(void ssb_project(const SsbProjection& task);)

}  // namespace crewe::imaging
