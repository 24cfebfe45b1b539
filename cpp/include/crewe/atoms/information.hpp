// The Cramér-Rao lower bound of counts: blocks of the inverse of the Fisher information
//
//   F_rs = Σ_pixels (∂f/∂θ_r)(∂f/∂θ_s)/f
//
// of all columns and the background together (Friedrich's thesis, eqs. 2.25-2.29; Van den Bos and den Dekker,
// Adv. Imaging Electron Phys. 117 (2001) 1). f is the expected number of electrons per pixel.
#pragma once

#include <array>
#include <cstddef>

#include "crewe/atoms/columns.hpp"
#include "crewe/view.hpp"

namespace crewe::atoms {

// columns (n, 6); out (n, 4, 4) of (y, x, height, width). What the counts don't determine has variance infinity.
void bound(View<const double, 2> columns, double background, std::array<std::size_t, 2> shape, Width width,
           bool background_free, View<double, 3> out, int threads);

}  // namespace crewe::atoms
