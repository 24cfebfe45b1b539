// Guards of memory at the door of the metrics.
#pragma once

#include <cstddef>

#include "crewe/checks.hpp"
#include "crewe/view.hpp"

namespace crewe::metrics {

template <std::size_t N>
void check_image(View<const float, N> image, const char* name) {
  if (image.size() == 0) reject(name, "pixels", "none");
  check_contiguous(image, name);
}

// a (ny, nx) against b and maps (n, ny, nx).
inline void check_stack(View<const float, 2> a, View<const float, 3> b, View<float, 3> maps) {
  check_image(a, "a");
  check_image(b, "b");
  check_shape(b, {b.shape[0], a.shape[0], a.shape[1]}, "b");
  check_shape(maps, b.shape, "maps");
  check_contiguous(maps, "maps");
}

}  // namespace crewe::metrics
