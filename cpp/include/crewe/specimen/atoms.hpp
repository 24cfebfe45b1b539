// Where atoms are: crystals that fill a box, and amorphous matter. Positions are (x, y, z) [Å].
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "crewe/view.hpp"

namespace crewe::specimen {

struct Atoms {
  std::vector<double> positions;      // x, y, z of one after the other
  std::vector<std::uint32_t> member;  // which atom of the motif
};

// The crystal Σ n_i·a_i + f_j·(a, b, c), all whole n, within low <= r < high. cell: rows a, b, c; motif (m, 3):
// fractional coordinates 0 <= f < 1. At most `most` atoms (std::length_error beyond).
Atoms fill(const std::array<double, 9>& cell, View<const double, 2> motif, const std::array<double, 3>& low,
           const std::array<double, 3>& high, std::size_t most);

// The shortest vectors of a lattice that differ from differences (n, 3) by whole numbers, and their squared lengths
// d·metric·d [Å²]; all in fractional coordinates.
void nearest(View<const double, 2> differences, const std::array<double, 9>& metric, View<double, 2> shortest,
             View<double, 1> squares);

// Random sequential addition in a periodic cube: places no closer than `distance`, until there are `wanted` or 1000
// tries in a row have failed. In fractions of the edge.
std::vector<double> amorphous(double edge, double distance, std::size_t wanted, std::uint64_t seed);

}  // namespace crewe::specimen
