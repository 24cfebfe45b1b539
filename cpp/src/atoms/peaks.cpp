#include "crewe/atoms/peaks.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

namespace crewe::atoms {
namespace {

// The summit of the parabola through 3 × 3 values, relative to the middle one, which is none below the others.
std::array<double, 2> summit(const std::array<std::array<double, 3>, 3>& v) {
  constexpr double kFarthest = 0.6;
  const double dy = (v[2][1] - v[0][1]) / 2, dx = (v[1][2] - v[1][0]) / 2;
  const double yy = v[2][1] + v[0][1] - 2 * v[1][1], xx = v[1][2] + v[1][0] - 2 * v[1][1];
  const double yx = (v[2][2] + v[0][0] - v[0][2] - v[2][0]) / 4;
  const double determinant = yy * xx - yx * yx;
  double y = 0, x = 0;
  if (determinant > 0) {
    y = (yx * dx - xx * dy) / determinant;
    x = (yx * dy - yy * dx) / determinant;
  }
  return {std::clamp(y, -kFarthest, kFarthest), std::clamp(x, -kFarthest, kFarthest)};
}

}  // namespace

std::vector<Peak> peaks(View<const float, 2> map, std::size_t reach, float lower) {
  if (!map.contiguous()) throw std::invalid_argument("map: a C-contiguous image wanted");
  if (reach < 1) throw std::invalid_argument("reach: 1 or more wanted");
  const std::size_t ny = map.shape[0], nx = map.shape[1];
  const auto highest = [&](std::size_t y, std::size_t x) {
    const float value = map.data[y * nx + x];
    const std::size_t y1 = std::min(y + reach, ny - 1), x0 = x < reach ? 0 : x - reach,
                      x1 = std::min(x + reach, nx - 1);
    for (std::size_t j = y < reach ? 0 : y - reach; j <= y1; ++j) {
      for (std::size_t i = x0; i <= x1; ++i) {
        const float other = map.data[j * nx + i];
        if (other > value || (other == value && j * nx + i < y * nx + x)) return false;
      }
    }
    return true;
  };
  std::vector<Peak> found;
  for (std::size_t y = 0; y < ny; ++y) {
    const float* row = map.data + y * nx;
    const float* above = y > 0 ? row - nx : row;
    const float* below = y + 1 < ny ? row + nx : row;
    for (std::size_t x = 0; x < nx; ++x) {
      const std::size_t left = x > 0 ? x - 1 : x, right = x + 1 < nx ? x + 1 : x;
      const float value = row[x];
      if (!(value > lower) || value < row[left] || value < row[right] || value < above[x] || value < below[x]) continue;
      if (!highest(y, x)) continue;
      std::array<std::array<double, 3>, 3> around{};
      for (std::size_t i = 0; i < 3; ++i) {
        const float* line = i == 0 ? above : i == 1 ? row : below;
        around[i] = {line[left], line[x], line[right]};
      }
      auto [dy, dx] = summit(around);
      if (above == row || below == row) dy = 0;
      if (left == x || right == x) dx = 0;
      found.push_back({static_cast<double>(y) + dy, static_cast<double>(x) + dx, value});
    }
  }
  return found;
}

}  // namespace crewe::atoms
