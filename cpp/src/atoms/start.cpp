#include "atoms/start.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace crewe::atoms {
namespace {

constexpr std::size_t kMostColumns = 128, kMostPixels = 64;
constexpr double kThinnest = 0.5;

// Sums over the pixels of one column, for a Gaussian and a constant.
struct Fitted {
  double g = 0, gg = 0, gz = 0;
};

}  // namespace

std::vector<double> nearest_distances(const std::vector<Column>& columns, const Canvas& canvas) {
  const std::size_t n = columns.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return columns[a].y < columns[b].y; });
  const double alone = static_cast<double>(std::min(canvas.ny, canvas.nx));
  std::vector<double> squares(n, alone * alone);
  for (std::size_t a = 0; a < n; ++a) {
    const Column& one = columns[order[a]];
    double& best = squares[order[a]];
    const auto nearer = [&](std::size_t b) {
      const double dy = columns[order[b]].y - one.y, dx = columns[order[b]].x - one.x;
      if (dy * dy > best) return false;
      best = std::min(best, dy * dy + dx * dx);
      return true;
    };
    for (std::size_t b = a + 1; b < n && nearer(b); ++b) continue;
    for (std::size_t b = a; b > 0 && nearer(b - 1); --b) continue;
  }
  for (double& square : squares) square = std::sqrt(square);
  return squares;
}

double first_width(const std::vector<Column>& columns, const std::vector<double>& nearest, const Canvas& canvas,
                   const std::vector<double>& image) {
  if (columns.empty()) return 1;
  std::vector<double> sorted = nearest;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
  const double typical = sorted[sorted.size() / 2];
  const double radius = std::max(typical / 2, 1.5);
  const std::size_t every = (columns.size() + kMostColumns - 1) / kMostColumns;
  const auto thin = static_cast<std::size_t>(std::ceil(2 * radius / static_cast<double>(kMostPixels)));
  // Widths 2^(−k/4)·radius: of Gaussians √2 thinner, the square, so that a pixel takes two exponentials.
  const double thinnest = std::max(kThinnest, radius / 40);
  const auto count = static_cast<std::size_t>(std::max(4 * std::log2(radius / thinnest), 2.0)) + 1;
  std::vector<double> left(count, 0);
  std::vector<Fitted> sums(count);
  for (std::size_t i = 0; i < columns.size(); i += every) {
    const Column& c = columns[i];
    const Box box = box_of({c.y, c.x, 0, radius, 0, 0}, canvas, 1);
    double n = 0, z = 0, zz = 0;
    std::fill(sums.begin(), sums.end(), Fitted{});
    for (std::size_t y = box.y0; y < box.y1; y += thin) {
      for (std::size_t x = box.x0; x < std::min(box.x1, canvas.nx); x += thin) {
        const double dy = static_cast<double>(y) - c.y, dx = static_cast<double>(x) - c.x;
        const double square = (dy * dy + dx * dx) / (radius * radius), value = image[y * canvas.stride + x];
        if (square > 1) continue;
        n += 1, z += value, zz += value * value;
        double two[2] = {std::exp(-0.5 * square), std::exp(-std::sqrt(0.5) * square)};
        for (std::size_t k = 0; k < count; ++k) {
          double& g = two[k % 2];
          sums[k].g += g, sums[k].gg += g * g, sums[k].gz += g * value;
          g *= g;
        }
      }
    }
    if (n < 5) continue;
    for (std::size_t k = 0; k < count; ++k) {
      const auto [g, gg, gz] = sums[k];
      const double spread = gg - g * g / n, slope = gz - g * z / n;
      left[k] += zz - z * z / n - (spread > 1e-12 * gg ? slope * slope / spread : 0);
    }
  }
  const auto best = static_cast<std::size_t>(std::min_element(left.begin(), left.end()) - left.begin());
  double place = static_cast<double>(best);
  if (best > 0 && best + 1 < count) {  // the lowest point of a parabola
    const double bend = left[best - 1] - 2 * left[best] + left[best + 1];
    if (bend > 0) place += 0.5 * (left[best - 1] - left[best + 1]) / bend;
  }
  return radius * std::exp2(-place / 4);
}

}  // namespace crewe::atoms
