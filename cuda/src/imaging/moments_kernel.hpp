// What the kernels over the pixels of a frame need: filled in by moments.cpp.
#pragma once

#include "crewe/cuda/imaging/moments.hpp"

namespace crewe::cuda::imaging {

inline constexpr int kMostDetectors = 8;  // that are summed while a frame is read once

// One launch: gridDim.x frames of a block, from `first` on, and where their sums go.
struct FrameTask {
  const std::byte* data;  // of the first frame
  crewe::imaging::Pixel pixel;
  std::ptrdiff_t frame_stride, row_stride, column_stride;  // [bytes]
  unsigned ny, nx;
  std::size_t first;
  FrameSums into;
  unsigned detector_count, detector_stride;  // of this launch; of a row of `into.detectors`
  unsigned long long* bad;
};

// Weights of 0 and 1 as bytes, (ny·nx): 0xFF and 0 for the centre of mass (or null: all ones), 1 and 0 for detectors.
struct ByteMasks {
  const std::uint8_t* weights;
  const std::uint8_t* detectors[kMostDetectors];
};

// Weights of any kind, (ny·nx), or null.
struct RealMaps {
  const float *weights, *dark, *gain;
  const std::uint8_t *dead, *rings;
  unsigned ring_count;
  const float* detectors[kMostDetectors];
};

// Integers with byte masks, rows of whole 16-byte words. `moments`: sum n, y, x.
void reduce_bytes(const FrameTask& task, const ByteMasks& masks, bool moments, unsigned frames, cudaStream_t stream);
// Everything, in double.
void reduce_real(const FrameTask& task, const RealMaps& maps, bool moments, unsigned frames, cudaStream_t stream);

}  // namespace crewe::cuda::imaging
