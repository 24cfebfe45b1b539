#include "crewe/atoms/peaks.hpp"

#include <stdexcept>

#include "crewe/atoms/summit.hpp"

namespace crewe::atoms {

std::vector<Peak> peaks(View<const float, 2> map, std::size_t reach, float lower) {
  if (!map.contiguous()) throw std::invalid_argument("map: a C-contiguous image wanted");
  if (reach < 1) throw std::invalid_argument("reach: 1 or more wanted");
  const std::size_t ny = map.shape[0], nx = map.shape[1];
  std::vector<Peak> found;
  for (std::size_t y = 0; y < ny; ++y) {
    for (std::size_t x = 0; x < nx; ++x) {
      if (is_summit(map.data, ny, nx, y, x, reach, lower)) found.push_back(summit(map.data, ny, nx, y, x));
    }
  }
  return found;
}

}  // namespace crewe::atoms
