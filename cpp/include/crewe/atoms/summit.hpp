// One summit of a map (crewe/atoms/peaks.hpp); for the CPU and the GPU.
#pragma once

#include <cstddef>

#include "crewe/atoms/peaks.hpp"
#include "crewe/host_device.hpp"

namespace crewe::atoms {

// Whether the pixel (y, x) is above `lower` and the highest of the window around it, the first of equal ones.
inline CREWE_HOST_DEVICE bool is_summit(const float* map, std::size_t ny, std::size_t nx, std::size_t y, std::size_t x,
                                        std::size_t reach, float lower) {
  const float* const row = map + y * nx;
  const float value = row[x];
  if (!(value > lower)) return false;
  if ((x > 0 && value < row[x - 1]) || (x + 1 < nx && value < row[x + 1])) return false;
  if ((y > 0 && value < map[(y - 1) * nx + x]) || (y + 1 < ny && value < map[(y + 1) * nx + x])) return false;
  const std::size_t y1 = y + reach < ny ? y + reach : ny - 1, x1 = x + reach < nx ? x + reach : nx - 1;
  const std::size_t x0 = x < reach ? 0 : x - reach;
  for (std::size_t j = y < reach ? 0 : y - reach; j <= y1; ++j) {
    for (std::size_t i = x0; i <= x1; ++i) {
      const float other = map[j * nx + i];
      if (other > value || (other == value && j * nx + i < y * nx + x)) return false;
    }
  }
  return true;
}

// Its place between the pixels: that of the summit of a parabola through 3 × 3 values, none above the middle one.
inline CREWE_HOST_DEVICE Peak summit(const float* map, std::size_t ny, std::size_t nx, std::size_t y, std::size_t x) {
  constexpr double kFarthest = 0.6;
  const bool top = y == 0, bottom = y + 1 == ny, left = x == 0, right = x + 1 == nx;
  double v[3][3];
  for (int j = 0; j < 3; ++j) {
    const float* const row = map + (j == 0 && !top ? y - 1 : j == 2 && !bottom ? y + 1 : y) * nx;
    v[j][0] = row[left ? x : x - 1];
    v[j][1] = row[x];
    v[j][2] = row[right ? x : x + 1];
  }
  const double dy = (v[2][1] - v[0][1]) / 2, dx = (v[1][2] - v[1][0]) / 2;
  const double yy = v[2][1] + v[0][1] - 2 * v[1][1], xx = v[1][2] + v[1][0] - 2 * v[1][1];
  const double yx = (v[2][2] + v[0][0] - v[0][2] - v[2][0]) / 4;
  const double determinant = yy * xx - yx * yx;
  double off_y = 0, off_x = 0;
  if (determinant > 0) {
    off_y = (yx * dx - xx * dy) / determinant;
    off_x = (yx * dy - yy * dx) / determinant;
  }
  const auto held = [](double away) { return away < -kFarthest ? -kFarthest : away > kFarthest ? kFarthest : away; };
  return {static_cast<double>(y) + (top || bottom ? 0 : held(off_y)),
          static_cast<double>(x) + (left || right ? 0 : held(off_x)), map[y * nx + x]};
}

}  // namespace crewe::atoms
