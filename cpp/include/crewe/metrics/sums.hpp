// What the pointwise differences of two images are made of.
//
//   normalised MSE   ½ Σ (a/‖a‖ − b/‖b‖)² = 1 − Σab / √(Σa² Σb²)
//   correlation      (nΣab − ΣaΣb) / √((nΣa² − (Σa)²)(nΣb² − (Σb)²))
//   mean square      (Σa² − 2Σab + Σb²) / n
//
// Ederer, Löffler, Ultramicroscopy 240 (2022) 113578, eq. 3.
#pragma once

#include "crewe/view.hpp"

namespace crewe::metrics {

// Not a number in an image: its sums aren't finite; its extremes leave NaN out.
struct Sums {
  double a = 0, b = 0, aa = 0, ab = 0, bb = 0;
  float min_a = 0, max_a = 0, min_b = 0, max_b = 0;
};

// One pass over two contiguous images (ny, nx) of one shape, products and sums in double precision.
Sums sums(View<const float, 2> a, View<const float, 2> b, int threads);

// The same without Σa, Σb and the largest values: what the normalised MSE wants, in two thirds of the time.
Sums products(View<const float, 2> a, View<const float, 2> b, int threads);

}  // namespace crewe::metrics
