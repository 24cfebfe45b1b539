// The inner loops of the sum of frames; plain types only.
#pragma once

#include <cstddef>

#include "crewe/cpu.hpp"
#include "crewe/imaging/pixel.hpp"

namespace crewe::live {

// sums[i] += pixel i of a row of n pixels that lie `stride` bytes apart.
CREWE_SIMD_DECLARE(void add_pixels(imaging::Pixel pixel, const std::byte* data, std::ptrdiff_t stride, std::size_t n,
                                   double* sums);)

}  // namespace crewe::live
