// The loop of join.cpp in plain types.
#pragma once

#include <cstddef>

#include "crewe/cpu.hpp"
#include "crewe/imaging/pixel.hpp"

namespace crewe::imaging {

inline constexpr std::size_t kMostJoined = 256;

struct JoinTask {
  const std::byte* frame;  // its first pixel of use
  Pixel pixel;
  std::ptrdiff_t row_stride, column_stride;  // [bytes]
  std::size_t join, rows, columns, nx;
  const float *dark, *gain;  // (rows·join, nx) from that pixel on, or null
};

CREWE_SIMD_DECLARE(void join_pixels(const JoinTask& task, float* out);)

}  // namespace crewe::imaging
