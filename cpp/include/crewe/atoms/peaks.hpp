// The summits of a map, between its pixels.
//
//   a pixel is one if none in the window around it is higher, and those before it in the window are lower;
//   its place: the summit of the parabola through the 3 × 3 pixels around it, at most 0.6 pixels away.
//
// A sliding window finds what max-pooling followed by un-pooling finds, wherever the grid of the cells would lie.
#pragma once

#include <vector>

#include "crewe/view.hpp"

namespace crewe::atoms {

struct Peak {
  double y, x;  // [pixels]
  float height;
};

// Summits above `lower` of map (y, x), the highest of (2 reach + 1)² pixels, row by row.
std::vector<Peak> peaks(View<const float, 2> map, std::size_t reach, float lower);

}  // namespace crewe::atoms
