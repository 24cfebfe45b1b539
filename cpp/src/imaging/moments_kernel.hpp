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
  std::ptrdiff_t row_stride, column_stride;
  const std::byte* next;  // the frame that will be looked at after this one, if any
};

struct DeadPixel {
  std::ptrdiff_t y, x;
};

inline constexpr std::size_t kRealLanes = 8;  // rows of weights, dark, gain and rings are filled up to a multiple

// Sums in double; pointers are null where there is nothing to do. Behind the end of a row weights, dark and gain are 0.
struct RealTask {
  std::size_t ny, nx;
  bool moments;
  const float *weights, *dark, *gain;  // dark and gain are 0 at dead pixels
  const DeadPixel* dead;               // in the order of memory
  std::size_t dead_count;
  const float* const* detectors;
  std::size_t detector_count;
  const std::uint8_t* rings;
};

// Adds to nyx[3] = (n, y, x), sums[detector_count], profile[256]. False: a number that isn't finite; what was summed is
// undefined.
CREWE_SIMD_DECLARE(bool reduce_real(const RealTask& task, const FrameView& frame, double* nyx, double* sums,
                                    double* profile);)

inline constexpr std::size_t kMaskPixels = 64;  // of a word of a mask; rows begin with a new word

// A detector whose weights are 0 and 1, and the rows and columns beyond which it has no pixels.
struct IntegerDetector {
  const std::uint64_t* mask;                                   // a bit per pixel, the lowest first
  std::size_t first_row, last_row, first_column, last_column;  // half open
  std::int64_t pixels;
};

// Exact sums of integers with weights of 0 and 1.
struct IntegerTask {
  std::size_t ny, nx;
  bool moments;
  const std::uint64_t* weights;  // a mask, or null: all ones
  const IntegerDetector* detectors;
  std::size_t detector_count;
  const DeadPixel* dead;  // that the weights don't leave out: taken out of the moments afterwards
  std::size_t dead_count;
  std::int64_t weight_moments[3];  // n, y, x of the weights
};

// Adds to nyx[3] and sums[detector_count]: whole numbers, below 2^53 for any detector.
CREWE_SIMD_DECLARE(void reduce_integer(const IntegerTask& task, const FrameView& frame, std::int64_t* nyx,
                                       double* sums);)

}  // namespace crewe::imaging
