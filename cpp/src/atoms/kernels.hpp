// The inner loops of the column model, declared at every instruction-set level.
#pragma once

#include <cstddef>

#include "crewe/cpu.hpp"

namespace crewe::atoms {

struct Column;

// Pixels of an image in working memory: rows of `stride` doubles, a multiple of 8; pixels from `nx` on are no pixels.
struct Canvas {
  std::size_t ny, nx, stride;
};

// Rows y0 ... y1 − 1, pixels x0 ... x1 − 1 of them; x0 and x1 are multiples of 8.
struct Box {
  std::size_t y0, y1, x0, x1;
};

// Doubles of scratch memory that a kernel wants.
inline std::size_t scratch_of(const Canvas& canvas) {
  return 6 * canvas.stride + 5 * (canvas.ny + 8) + 16;
}

// What a pixel adds to the objective, and what is wanted of it later.
struct Weighing {
  bool poisson;
  double floor;  // Poisson: pixels whose expectation is lower play no part
};
struct Sums {
  double objective, squares, weights, gradient;  // Σ of the objective, (z − f)², w and w(z − f)
};

// clang-format off
CREWE_SIMD_DECLARE(
// rows += column in the box; the first of the rows is row `first` of the image.
void draw_column(const Column& column, const Box& box, const Canvas& canvas, double* rows, std::size_t first,
                 double* scratch);
// out += Σ image·g·(1, y, x, yy, yx, xx, rr·y, rr·x, rr·rr) with y, x from the column's centre, rr = yy + xx and
// g = column/height; the last three of round columns only.
void moments(const Column& column, const Box& box, const Canvas& canvas, const double* image, double out[9],
             double* scratch);
// out[5a + b] = Σ weights·g_i·g_j·ty^a·tx^b, a + b <= 4, t from the origin (y, x).
void pair_moments(const Column& i, const Column& j, const Box& box, const Canvas& canvas, const double* weights,
                  const double origin[2], double out[25], double* scratch);
// out[p] = Σ_k exp(−(k − a)²·u/2 − (k − b)²·v/2)·(k − origin)^p over k = first ... last − 1.
void axis_moments(double a, double u, double b, double v, double origin, std::size_t first, std::size_t last,
                  double out[5]);
// single[p] = Σ_k g·d^p for p <= 2 and square[p] = Σ_k g²·d^p, d = k − centre, g = exp(−d²·u/2).
void own_moments(double centre, double u, std::size_t first, std::size_t last, double single[3], double square[5]);
// One row: slope = w(z − f), weight = w (where not null).
Sums weigh_row(const double* z, const double* f, std::size_t nx, const Weighing& how, double* slope, double* weight);
// C (m, n) += sign·AᵀB, A (k, m), B (k, n), rows ldc, lda, ldb apart; `upper`: only what lies on and above the diagonal
// is wanted of C. Up to 7 doubles behind the last row of B are read.
void add_product(double* c, std::size_t ldc, const double* a, std::size_t lda, const double* b, std::size_t ldb,
                 std::size_t m, std::size_t n, std::size_t k, double sign, bool upper);
// y −= a·x, n numbers; returns Σ y².
void subtract_scaled(double* y, const double* x, double a, std::size_t n);
)
// clang-format on

}  // namespace crewe::atoms
