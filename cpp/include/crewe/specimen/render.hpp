// Images that are sums of radial profiles: Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 16-17.
//
//   f(t) = h1·exp(−t²/2) + h2·exp(−t) + h3/(1 + t^2n),   t = r/radius
//   out(y, x) = Σ_i f_i(|(x, y) − (x_i, y_i)|)
//
// Few atoms, or coarse pixels, are added up one by one (profiles tabulated at t = k/256, linear in between, cut where f
// has fallen to 3·10⁻⁴ f(0)). Many atoms of one kind are put on a grid of one or half a pixel with cubic B-splines and
// convolved with f by Fourier transform: the cubic spline interpolation of f. Discs too sharp for that grid are added
// one by one. The cusp of exp(−t) at t = 0 is averaged over the pixel (3 × 3 places) or is what the grid can hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crewe/view.hpp"

namespace crewe::specimen {

// Where the profile of an atom that is added alone ends: a part of f(0).
constexpr double kPart = 3e-4;

struct Profile {
  double h1, h2, h3, n, radius;
};

// places (m, 2) as (y, x) [pixels], kind[i] says which profile; radii [pixels]. out is set, not added to.
void render(View<const double, 2> places, const std::uint32_t* kind, const std::vector<Profile>& profiles,
            View<float, 2> out, int threads);

// Ellipses instead of circles: t² = a·dy² + 2b·dy·dx + c·dx²; blobs (m, 6) as (y, x, a, b, c, height); radii are
// ignored. Added to out.
void blobs(View<const double, 2> blobs, const std::uint32_t* kind, const std::vector<Profile>& profiles,
           View<float, 2> out, int threads);

// For every pixel the nearest of the seeds (m, 2) (y, x) [pixels], and how much further away the second nearest is.
void voronoi(View<const double, 2> seeds, View<std::int32_t, 2> nearest, View<float, 2> gap, int threads);

}  // namespace crewe::specimen
