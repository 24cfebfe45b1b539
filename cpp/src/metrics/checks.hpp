// Guards of memory at the door of the metrics.
#pragma once

#include <stdexcept>
#include <string>

#include "crewe/view.hpp"

namespace crewe::metrics {

template <std::size_t N>
void check_image(View<const float, N> image, const char* name) {
  if (image.size() == 0 || !image.contiguous()) {
    throw std::invalid_argument(std::string(name) + ": a contiguous image with pixels wanted");
  }
}

// a (ny, nx) against b and maps (n, ny, nx).
inline void check_stack(View<const float, 2> a, View<const float, 3> b, View<float, 3> maps) {
  check_image(a, "a");
  check_image(b, "b");
  check_image(View<const float, 3>(maps), "maps");
  if (b.shape != maps.shape || b.shape[1] != a.shape[0] || b.shape[2] != a.shape[1]) {
    throw std::invalid_argument("a, b, maps: shapes (y, x), (n, y, x), (n, y, x) wanted");
  }
}

}  // namespace crewe::metrics
