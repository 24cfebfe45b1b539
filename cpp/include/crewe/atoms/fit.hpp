// All columns of an image fitted at once, overlap included, by a damped Newton method with analytic derivatives.
// Columns that overlap no other are brought near their minimum one by one before.
//
// Least squares: Σ (z − f)² → min. Poisson: Σ f − z ln f → min (maximum likelihood for counts z), by Fisher scoring.
// The normal equations are block-sparse (Gaussians see their near neighbours only) and solved by conjugate gradients,
// preconditioned with the blocks of the columns; the covariance comes from their exact inverse (information.hpp).
// Each position stays within half the distance to its nearest neighbour from its start, and in the image.
#pragma once

#include <cstddef>

#include "crewe/atoms/columns.hpp"
#include "crewe/view.hpp"

namespace crewe::atoms {

struct FitOptions {
  Width width = Width::shared;
  bool background = true;  // false: none
  bool poisson = false;
  int threads = 0;
};

struct Fit {
  double background;
  double residual;  // Σ (z − f)²
  int iterations;
  bool converged;
};

// image (y, x); start (n, 2) as (y, x) [pixel]; columns (n, 6); covariance (n, 4, 4) of (y, x, height, width): the
// blocks of the inverse of the full matrix, times Σ (z − f)²/(pixels − parameters) in least squares.
Fit fit(View<const float, 2> image, View<const double, 2> start, const FitOptions& options, View<double, 2> columns,
        View<double, 3> covariance);
Fit fit(View<const double, 2> image, View<const double, 2> start, const FitOptions& options, View<double, 2> columns,
        View<double, 3> covariance);

}  // namespace crewe::atoms
