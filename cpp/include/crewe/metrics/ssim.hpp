// Structural similarity in disks, as a difference:
//
//   D = (1 − S)/2,  S = (2 μ_a μ_b + C1)(2 σ_ab + C2) / ((μ_a² + μ_b² + C1)(σ_a² + σ_b² + C2))
//
// of images divided by their means (a black one stays black); μ, σ², σ_ab: means, variances, covariance over the pixels
// of the image within `radius` of a pixel; C1 = (0.01 L)², C2 = (0.03 L)², L the smaller of the two ranges of values
// that aren't 0 (noise widens a range).
//
// Ederer, Löffler, Ultramicroscopy 240 (2022) 113578, eq. 1; Wang et al., IEEE Trans. Image Process. 13 (2004) 600.
#pragma once

#include "crewe/view.hpp"

namespace crewe::metrics {

// maps (n, ny, nx): D of a (ny, nx) and each of b (n, ny, nx), all contiguous, finite, of mean > 0 or black;
// radius 1..32 [pixels]. What belongs to a alone is worked out once.
void ssim(View<const float, 2> a, View<const float, 3> b, View<float, 3> maps, int radius, int threads);

}  // namespace crewe::metrics
