// How much a place of an image looks like an atomic column: a Laplacian of Gaussian, its width and its weights taken
// from the image's own power spectrum.
//
//   map = F⁻¹ [ F[image] · L · W ],   L(k) = (σk)² exp(−σ²k²/2),   W(k) = max(0, 1 − N/P(k))
//
// P: power over 3 × 3 frequencies, N: white noise, the median of the power beyond 0.35 cycles/pixel. Subtracting N is
// Wiener's filter: a lattice has its power in few frequencies, so that columns support each other at low dose; where
// the signal is strong W is 1 and nothing is assumed.
//
// σ: the first maximum of σ Σ (P − 2N)₊ L², from fine to coarse: contamination and thickness are coarser than columns.
// It must stand out of the noise within its octave, in which a bright blob of counted electrons has noise only.
// Few frequencies hold the power of a lattice, (Σ A)²/Σ A² of A = (P − 2N)₊ L² tells how many. Where they are more than
// kLatticeShare of all that L passes there is no lattice: then W = 1, and σ is where the map's skewness is largest,
// single bright atoms on a texture that is Gaussian.
//
// image (y, x) → maps (y, x), all any unit. Source: Lindeberg, Int. J. Comput. Vision 30 (1998) 79 (scale);
// Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series (1949).
#pragma once

#include "crewe/view.hpp"

namespace crewe::atoms {

struct LogScale {
  double sigma = 0;      // [pixels]
  bool lattice = false;  // whether the power of the image is that of a lattice
};

// `finer`: the same for 0.55 σ, in which pairs of columns come apart that `map` takes for one.
LogScale log_map(View<const float, 2> image, View<float, 2> map, View<float, 2> finer, int threads);

}  // namespace crewe::atoms
