// The kernels of single-sideband ptychography: filled in by ssb.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cuda/device.hpp"
#include "crewe/imaging/pixel.hpp"
#include "crewe/view.hpp"

namespace crewe::cuda::imaging {

inline constexpr int kSsbLines = 8;  // of the scan, for which weights are read once
inline constexpr int kSsbGroup = 4;  // frequencies of one column that a warp projects on at once

// Frames frame, frame + 1, ... at the columns col, col ± 1, ... of one line.
struct SsbRun {
  const std::byte* data;  // of the first frame
  crewe::imaging::Pixel pixel;
  std::ptrdiff_t frame_stride, row_stride, column_stride;  // [bytes]
  unsigned count, col;
  int step;
};

// The detector pixels of each joined one: pixels[first[i]] ... pixels[first[i + 1] − 1], as y·nx + x.
struct SsbPixels {
  const unsigned *first, *pixels;
  unsigned joined, padded;  // padded: of a row of a line
  unsigned nx;
  const float *dark, *gain;  // (ny·nx) or null
};

// line (sx, padded) += bright pixels.
void ssb_gather(const SsbRun& run, const SsbPixels& pixels, float* line, cudaStream_t stream);

// lines[at[i]] += 1.
void ssb_count(const unsigned* at, std::size_t n, float* lines, cudaStream_t stream);

// Rows of the scan whose lines are open.
struct SsbOpen {
  unsigned rows[kSsbLines];
  unsigned count;
};

struct SsbGroup {
  unsigned first, count, col;  // frequencies [first, first + count) of one column
};

// out(q) = sums(q) + Σ_line exp(−2πi row(q)·line/sy) Σ_k W_q(k) G_line(k), `out` may be `sums`.
struct SsbProjection {
  const SsbGroup* groups;
  unsigned group_count;
  const unsigned* rows;  // of each frequency
  const double2* turns;  // exp(−2πi n/sy)
  const float* weights;  // (frequencies, padded), or (frequencies, 2, padded) if complex
  const float2* work;    // (kSsbLines, sx, padded/2): the lines' transforms, two real signals in one complex
  unsigned padded, sx, sy;
  bool complex;
  SsbOpen open;
  const double2* sums;
  double2* out;
};
void ssb_project(const SsbProjection& task, cudaStream_t stream);

// *out = *before + Σ of the lines' bright pixels: of frequency 0 in `work`.
void ssb_total(const float2* work, unsigned pairs, unsigned sx, unsigned lines, const double* before, double* out,
               cudaStream_t stream);

// φ(Q) = scale·Ψ·members·positions/total on both half planes of `out` (sy, sx), which is zero.
struct SsbSpectrum {
  const double2 *sums, *scale;
  const unsigned *rows, *cols;
  unsigned count, sy, sx;
  const double* total;
  double members;
};
void ssb_spectrum(const SsbSpectrum& task, double positions, float2* out, cudaStream_t stream);

// wave = exp(i·factor·Re(field)).
void ssb_waves(const float2* field, float factor, View<float2, 2> wave, cudaStream_t stream);

}  // namespace crewe::cuda::imaging
