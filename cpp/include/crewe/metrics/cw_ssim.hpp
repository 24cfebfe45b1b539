// Structural similarity of complex wavelet coefficients, as a difference:
//
//   D = mean over scales and orientations of 1 − (2 |Σ c_a c_b*| + K) / (Σ |c_a|² + Σ |c_b|² + K)
//
// Σ: the pixels of the image in a window of 7 × 7; K = 0.02; images of mean 0 and standard deviation 1; c: coefficients
// of a complex steerable pyramid, undecimated, without the residues. In the Fourier plane, radius r [Nyquist
// frequencies], angle φ, the band of scale s = 0, 1, ... and orientation o = 0 ... n − 1 is
//
//   L_s(r) √(1 − L_{s+1}(r)²) · 2 α_n max(0, cos(φ − πo/n))^{n−1},  α_n = 2^{n−1} (n − 1)! / √(n (2n − 2)!)
//
// where L_s falls as a cosine of log₂ r from 1 at r = 2^{−s−1} to 0 at r = 2^{−s}.
//
// Ederer, Löffler, Ultramicroscopy 240 (2022) 113578, eq. 2; Sampat et al., IEEE Trans. Image Process. 18 (2009) 2385;
// Portilla, Simoncelli, Int. J. Comput. Vis. 40 (2000) 49.
#pragma once

#include "crewe/view.hpp"

namespace crewe::metrics {

// maps (n, ny, nx): D of a (ny, nx) and each of b (n, ny, nx), all contiguous and finite; scales 1..8,
// orientations 2..64. A flat image differs by 1 from any that is not, by 0 from another flat one. The coefficients of a
// are worked out once.
void cw_ssim(View<const float, 2> a, View<const float, 3> b, View<float, 3> maps, int scales, int orientations,
             int threads);

}  // namespace crewe::metrics
