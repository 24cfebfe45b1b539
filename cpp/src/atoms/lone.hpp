// Columns that overlap no other: each is a small problem of its own, solved where its pixels fit in the cache.
#pragma once

#include <vector>

#include "atoms/normal.hpp"

namespace crewe::atoms {

// Between which a column's parameters stay, in the order of Column.
struct Bounds {
  double low[kParameters], high[kParameters];
};

// Brings the round columns i with lone[i] to the least squares of the pixels around them, all others held:
// position, height and, where `width_free`, width. residual: z − f of all; noise: the variance of a pixel. A width
// grows by half at most, so that it overlaps no neighbour.
void settle(std::vector<Column>& columns, const std::vector<char>& lone, bool width_free,
            const std::vector<Bounds>& bounds, const Canvas& canvas, const std::vector<double>& residual, double noise,
            int threads);

}  // namespace crewe::atoms
