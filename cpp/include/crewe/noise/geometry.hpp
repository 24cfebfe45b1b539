// Post-processing that people do to images.
//
//   gaussian_blur: Σ T(m, σ²)·x(i − m) along both axes, T(m, t) = exp(−t)·I_m(t), the discrete Gaussian, whose variance
//   is
//                  σ² on the grid for every σ (Lindeberg, IEEE PAMI 12 (1990) 234)
//   interpolate:   out(p) = image(c + M·(p − c)), c the centre of the image, p = (y, x); cubic convolution, a = −½
//                  (Keys, IEEE ASSP 29 (1981) 1153)
//
// Beyond its border an image goes on as in a mirror. Arrays are C-contiguous.
#pragma once

#include "crewe/view.hpp"

namespace crewe::noise {

// sigma 0..1000 [pixels]
void gaussian_blur(View<const float, 2> image, View<float, 2> out, double sigma, int threads);
void interpolate(View<const float, 2> image, View<float, 2> out, const double matrix[4], int threads);

}  // namespace crewe::noise
