#include "crewe/atoms/information.hpp"

#include <algorithm>
#include <stdexcept>

#include "atoms/inverse.hpp"

namespace crewe::atoms {
namespace {

// Expectations below this part of the brightest pixel's count as much: their weights 1/f would drown the others.
constexpr double kDarkest = 1e-12;
constexpr double kNegative = 1e-6;

}  // namespace

void bound(View<const double, 2> rows, double background, std::array<std::size_t, 2> shape, Width width,
           bool background_free, View<double, 3> out, int threads) {
  const std::vector<Column> columns = columns_from(rows);
  if (out.shape[0] != columns.size() || out.shape[1] != 4 || out.shape[2] != 4) {
    throw std::invalid_argument("out: shape (n, 4, 4) wanted");
  }
  const Canvas canvas = canvas_of(shape[0], shape[1]);
  std::vector<double> weights(canvas.ny * canvas.stride);
  const auto take = [&](std::size_t y, const double* row) {
    std::copy_n(row, canvas.stride, weights.data() + y * canvas.stride);
  };
  draw_columns(columns, background, kCounts.widths, canvas, threads, take);
  double most = 0, least = 0, total = 0;
  for (std::size_t y = 0; y < canvas.ny; ++y) {
    for (std::size_t x = 0; x < canvas.nx; ++x) {
      most = std::max(most, weights[y * canvas.stride + x]);
      least = std::min(least, weights[y * canvas.stride + x]);
    }
  }
  if (!(most > 0) || least < -kNegative * most) {
    throw std::invalid_argument("columns: an image of expected electrons >= 0 wanted (heights, background)");
  }
  for (std::size_t y = 0; y < canvas.ny; ++y) {
    for (std::size_t x = 0; x < canvas.nx; ++x) {
      double& weight = weights[y * canvas.stride + x];
      weight = 1 / std::max(weight, kDarkest * most);
      total += weight;
    }
  }
  const Free free = free_of(width, background_free);
  Normal normal;
  normal_equations(columns, free, canvas, {nullptr, weights.data(), total, 0}, kCounts, threads, normal);
  inverse_blocks(normal, columns, free, 1, out);
}

}  // namespace crewe::atoms
