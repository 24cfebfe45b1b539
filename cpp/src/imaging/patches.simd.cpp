#include "imaging/patches_kernel.hpp"

namespace crewe::imaging::CREWE_ISA_LEVEL {
namespace {

// Accumulators stay in registers: 8 of 64 bytes, 4 × 2 of 32, 2 × 4 of 16.
#if CREWE_ISA_IS_v4
constexpr std::size_t kBytes = 64, kRows = 8;
#elif CREWE_ISA_IS_v3
constexpr std::size_t kBytes = 32, kRows = 4;
#else
constexpr std::size_t kBytes = 16, kRows = 2;
#endif
typedef float Vector __attribute__((vector_size(kBytes)));
constexpr std::size_t kWide = kBytes / sizeof(float), kVectors = kPatchLanes / kWide;

static_assert(kPatchRows % kRows == 0);

}  // namespace

void patch_product(const float* a, const float* b, float* c, std::size_t m, std::size_t k, std::size_t n) {
  for (std::size_t row = 0; row < m; row += kRows) {
    for (std::size_t column = 0; column < n; column += kPatchLanes) {
      Vector sum[kRows][kVectors] = {};
      for (std::size_t i = 0; i < k; ++i) {
        Vector right[kVectors];
        __builtin_memcpy(right, b + i * n + column, sizeof right);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < kRows; ++r) {
          const float left = a[(row + r) * k + i];
#pragma GCC unroll 4
          for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = sum[r][v] + left * right[v];
        }
      }
      for (std::size_t r = 0; r < kRows; ++r) __builtin_memcpy(c + (row + r) * n + column, sum[r], sizeof sum[r]);
    }
  }
}

}  // namespace crewe::imaging::CREWE_ISA_LEVEL
