// Non-maximum suppression: of boxes that overlap too much, the best stays.
//
//   IoU(a, b) = |a ∩ b| / |a ∪ b|; in order of falling score a box goes when its IoU with a box that stays is > iou.
//   Equal scores: the upper box first, then the left one.
//
// Boxes (n, 4) as (y0, x0, y1, x1), y0 <= y1 and x0 <= x1, in any unit. Where they lie scattered, all pairs of
// neighbours are looked at on one way through space; where they crowd, boxes that stay are kept in grids, one for every
// power of two of the longer side, so that a box meets none but its neighbours among them: O(n) after sorting. Source:
// Neubeck, Van Gool, ICPR 2006, p. 850.
#pragma once

#include <cstddef>
#include <vector>

#include "crewe/view.hpp"

namespace crewe::atoms {

// The indices of the boxes that stay, best first.
std::vector<std::size_t> nms(View<const double, 2> boxes, View<const double, 1> scores, double iou);

}  // namespace crewe::atoms
