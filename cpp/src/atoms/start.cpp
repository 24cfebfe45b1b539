#include "atoms/start.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace crewe::atoms {
namespace {

constexpr std::size_t kMostColumns = 128, kMostPixels = 64;
constexpr double kStep = 1.2, kThinnest = 0.5;

// What a constant and a Gaussian of inverse variance p leave of the pixels (distance², value): Σ squares.
double left_over(const std::vector<std::array<double, 2>>& pixels, double p) {
  double g = 0, gg = 0, z = 0, gz = 0, zz = 0;
  const double n = static_cast<double>(pixels.size());
  for (const auto& [square, value] : pixels) {
    const double height = std::exp(-0.5 * p * square);
    g += height, gg += height * height, z += value, gz += height * value, zz += value * value;
  }
  const double spread = gg - g * g / n, slope = gz - g * z / n;
  return zz - z * z / n - (spread > 1e-12 * gg ? slope * slope / spread : 0);
}

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
    for (std::size_t b = a; b-- > 0 && nearer(b);) continue;
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
  std::vector<double> widths, left;
  for (double width = std::max(kThinnest, radius / 40); width <= std::max(radius, 2 * kThinnest); width *= kStep) {
    widths.push_back(width);
  }
  left.assign(widths.size(), 0);
  std::vector<std::array<double, 2>> pixels;
  for (std::size_t i = 0; i < columns.size(); i += every) {
    const Column& c = columns[i];
    const Box box = box_of({c.y, c.x, 0, radius, 0, 0}, canvas, 1);
    pixels.clear();
    for (std::size_t y = box.y0; y < box.y1; y += thin) {
      for (std::size_t x = box.x0; x < std::min(box.x1, canvas.nx); x += thin) {
        const double dy = static_cast<double>(y) - c.y, dx = static_cast<double>(x) - c.x;
        if (dy * dy + dx * dx <= radius * radius) pixels.push_back({dy * dy + dx * dx, image[y * canvas.stride + x]});
      }
    }
    if (pixels.size() < 5) continue;
    for (std::size_t k = 0; k < widths.size(); ++k) left[k] += left_over(pixels, 1 / (widths[k] * widths[k]));
  }
  return widths[static_cast<std::size_t>(std::min_element(left.begin(), left.end()) - left.begin())];
}

}  // namespace crewe::atoms
