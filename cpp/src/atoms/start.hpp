// Where a fit begins: distances between columns, and a width that fits them all.
#pragma once

#include <vector>

#include "atoms/normal.hpp"

namespace crewe::atoms {

// Of each column to the nearest other one [pixel]; the image's smaller side where there is none.
std::vector<double> nearest_distances(const std::vector<Column>& columns, const Canvas& canvas);

// The width of a Gaussian on a constant that fits the surroundings of the columns best, one by one: up to 128 columns,
// pixels within half the distance to the nearest neighbour, widths on a geometric scale.
double first_width(const std::vector<Column>& columns, const std::vector<double>& nearest, const Canvas& canvas,
                   const std::vector<double>& image);

}  // namespace crewe::atoms
