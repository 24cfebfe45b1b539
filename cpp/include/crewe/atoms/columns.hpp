// Atomic columns as Gaussians taken at the pixel centres, on a constant background:
//
//   f(y, x) = ζ + Σ_i η_i exp(−q_i/2),   q_i = dᵀ Q_i d/ρ_i²,   d = (y − y_i, x − x_i)
//   Q = ((c + e1, e2), (e2, c − e1)),    c = √(1 + e1² + e2²),  det Q = 1
//
// Round columns have e1 = e2 = 0. ρ is the geometric mean of the two half axes ρ√(c + |e|) and ρ/√(c + |e|), so that
// the volume of a column is 2πηρ² (its scattering cross-section) whatever its shape. Lengths in pixels.
//
// De Backer et al., Ultramicroscopy 171 (2016) 104, eqs. 1 and 2.
#pragma once

#include <cstddef>

#include "crewe/view.hpp"

namespace crewe::atoms {

struct Column {
  double y, x, height, width, e1, e2;
};
constexpr std::size_t kParameters = 6;  // numbers per column, in the order of Column

// What is estimated of the widths: one for all columns, one for each, or one and a shape (e1, e2) for each.
enum class Width { shared, free, elliptic };

// f on the pixels of `out`; columns (n, 6). Tails below 1e-16 of a column's height are left out.
void draw(View<const double, 2> columns, double background, View<double, 2> out, int threads);

}  // namespace crewe::atoms
