// The one product of matrices that factors and inverts: C ± AᵀB, both with the summed index along the rows, so that
// nothing is transposed. Tiles of 4 rows by 32 columns stay in registers.
#include "kernels.hpp"
#include "vec.hpp"

namespace crewe::atoms::CREWE_ISA_LEVEL {
namespace {

CREWE_INLINE f64x8 load(const double* p) {
  return *reinterpret_cast<const f64x8u*>(p);
}

// A tile of `rows` by 8·`vectors`; of the last vector `lanes` columns are stored.
template <int rows, int vectors>
CREWE_INLINE void tile(double* c, std::size_t ldc, const double* a, std::size_t lda, const double* b, std::size_t ldb,
                       std::size_t k, double sign, std::size_t lanes) {
  f64x8 total[rows][vectors] = {};
  for (std::size_t step = 0; step < k; ++step, a += lda, b += ldb) {
    f64x8 row[vectors];
    for (int v = 0; v < vectors; ++v) row[v] = load(b + 8 * v);
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < vectors; ++v) total[r][v] += a[r] * row[v];
    }
  }
  for (int r = 0; r < rows; ++r, c += ldc) {
    for (int v = 0; v < vectors; ++v) {
      if (v + 1 == vectors && lanes < 8) {
        for (std::size_t lane = 0; lane < lanes; ++lane) c[8 * v + static_cast<int>(lane)] += sign * total[r][v][lane];
      } else {
        *reinterpret_cast<f64x8u*>(c + 8 * v) = load(c + 8 * v) + sign * total[r][v];
      }
    }
  }
}

template <int rows>
CREWE_INLINE void tiles(double* c, std::size_t ldc, const double* a, std::size_t lda, const double* b, std::size_t ldb,
                        std::size_t n, std::size_t k, double sign) {
  std::size_t j = 0;
  for (; j + 32 <= n; j += 32) tile<rows, 4>(c + j, ldc, a, lda, b + j, ldb, k, sign, 8);
  for (; j < n; j += 8) tile<rows, 1>(c + j, ldc, a, lda, b + j, ldb, k, sign, n - j < 8 ? n - j : 8);
}

}  // namespace

void add_product(double* c, std::size_t ldc, const double* a, std::size_t lda, const double* b, std::size_t ldb,
                 std::size_t m, std::size_t n, std::size_t k, double sign, bool upper) {
  std::size_t i = 0;
  for (; i + 4 <= m; i += 4) {
    const std::size_t j = upper ? i : 0;
    tiles<4>(c + i * ldc + j, ldc, a + i, lda, b + j, ldb, n - j, k, sign);
  }
  for (; i < m; ++i) {
    const std::size_t j = upper ? i : 0;
    tiles<1>(c + i * ldc + j, ldc, a + i, lda, b + j, ldb, n - j, k, sign);
  }
}

void subtract_scaled(double* y, const double* x, double a, std::size_t n) {
  std::size_t k = 0;
  for (; k + 8 <= n; k += 8) *reinterpret_cast<f64x8u*>(y + k) = load(y + k) - a * load(x + k);
  for (; k < n; ++k) y[k] -= a * x[k];
}

}  // namespace crewe::atoms::CREWE_ISA_LEVEL
