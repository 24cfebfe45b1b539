// Two sets of points, and which belong together.
//
//   nearest:  d(p) = min_q |p − q|
//   match:    one to one, pairs no farther apart than the tolerance: as many pairs as can be, and of all such matchings
//             the one with the least sum of distances.
//
// Points (n, 2) as (y, x) in any unit. The pairs within reach fall into connected groups; each is solved by shortest
// augmenting paths, the price of leaving a point alone being higher than any detour.
// Source: Jonker, Volgenant, Computing 38 (1987) 325.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "crewe/view.hpp"

namespace crewe::atoms {

// Distance of every point to the nearest of the others; infinite where there are none.
std::vector<double> nearest(View<const double, 2> points, View<const double, 2> others);

// Distance of every point to the nearest other one of the same set.
std::vector<double> neighbour(View<const double, 2> points);

// Pairs (index in `found`, index in `truth`), by rising index in `found`.
std::vector<std::pair<std::size_t, std::size_t>> match(View<const double, 2> found, View<const double, 2> truth,
                                                       double tolerance);

}  // namespace crewe::atoms
