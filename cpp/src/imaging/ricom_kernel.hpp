// The inner loop of the riCOM scatter, and the form in which it reads the kernel.
//
// s(e) = k(−e) is what a position r adds to the pixel p = r + e, per unit of com. s_y is odd in e_y and even in e_x,
// s_x the other way round, so one row of each serves two rows of the image. Rows are framed by zeros: a window that is
// shifted to stay inside the image adds zeros beyond the kernel, and the inner loop knows no edges.
#pragma once

#include <cstddef>

#include "crewe/cpu.hpp"

namespace crewe::imaging {

inline constexpr std::size_t kRicomLanes = 16;     // floats in the widest vector
inline constexpr std::size_t kRicomPositions = 4;  // added while an image vector stays in its register

// s(e_y, e_x) lies at row[e_y] + zero + e_x, for |e_x| < window; row[e_y] = table + 2·line·e_y for y, + line for x.
struct RicomTable {
  const float* table;
  std::size_t half;  // of the kernel
  std::size_t line;
  std::size_t zero;
};

// Image rows [first, last) of `width` pixels, at image + y·stride.
struct RicomImage {
  float* image;
  std::ptrdiff_t stride;
  std::size_t width, first, last;
};

CREWE_SIMD_DECLARE(void ricom_add(const RicomTable& kernel, const RicomImage& image, std::size_t row, std::size_t col,
                                  const float* com, std::size_t count);)

}  // namespace crewe::imaging
