// Projected potentials of atoms by exact structure factors [V·Å], cell (Ly, Lx), grid (ny, nx):
//
//   V_s = Re Σ_k V̂_s(k) exp(2πi k·r),   V̂_s(k) = Σ_species F(k) Σ_j exp(−2πi k·r_j),   F = C0·f_e(|k|)/(Lx·Ly)
//
// over all frequencies of the grid. Positions count exactly, there is no deposit on pixels. The sums over atoms are
// products of cosines and sines along y and x, hence four real matrix products on a quarter of the frequencies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crewe/view.hpp"

namespace crewe::sim {

// factors (species, ny/2+1, nx/2+1): F at the frequencies 0 … n/2 along each axis.
// y, x: positions as parts of the cell, ordered by slice, then species; those of slice s and species e are
// first[s·species + e] … first[s·species + e + 1] − 1.
// out (slices, ny, nx).
template <class T>
void project(View<const double, 3> factors, std::span<const double> y, std::span<const double> x,
             std::span<const std::int64_t> first, View<T, 3> out, int threads);

}  // namespace crewe::sim
