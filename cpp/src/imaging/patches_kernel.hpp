// The product of two small matrices, as the interpolation of patches wants it.
#pragma once

#include <cstddef>

#include "crewe/cpu.hpp"

namespace crewe::imaging {

inline constexpr std::size_t kPatchLanes = 16;  // columns are counted in these
inline constexpr std::size_t kPatchRows = 8;    // and rows in these

// c (m, n) = a (m, k) · b (k, n), all row-major and without gaps; m a multiple of kPatchRows, n of kPatchLanes. Each
// element is summed in the order of k, each term rounded twice: the same bits at every level.
CREWE_SIMD_DECLARE(void patch_product(const float* a, const float* b, float* c, std::size_t m, std::size_t k,
                                      std::size_t n);)

}  // namespace crewe::imaging
