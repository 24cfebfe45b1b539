// What happens along the lines of a scan: Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 41-42,
// 47-51.
//
//   jitter     D_0 = a_0/√(1 − φ²), D_j = φ·D_{j−1} + a_j, a_j ~ N(0, σ²) for y and x;  x(j, i) = y(j + Dy_j, i + Dx_j)
//   fast scan  x(j, i) = Σ_u h(u)·x(j, i − u), u >= 0, h = (half-Lorentzian) * (damped oscillator), Σ h = 1
//   row lines  a part of a line gets its own mean times a factor
//
// Arrays are C-contiguous; lengths in pixels. Images go on as in a mirror beyond their border (jitter), or as their
// first pixel of a line (fast scan).
#pragma once

#include <cstdint>
#include <vector>

#include "crewe/view.hpp"

namespace crewe::noise {

// One direction's series D_j into shifts[j·stride], 0 <= phi < 1. `axis` 0: y, 1: x, each with numbers of its own.
void jitter_series(double* shifts, std::size_t lines, std::ptrdiff_t stride, double sigma, double phi, int axis,
                   std::uint64_t seed, std::uint32_t picture);

// out(j, i) = image(j + shifts(j, 0), i + shifts(j, 1)) by cubic spline interpolation, its weights cut at 3·10⁻⁵.
void shift_lines(View<const float, 2> image, View<const double, 2> shifts, View<float, 2> out, int threads);

// The recorded lines, and their weights, that a line of the regular grid is made of.
constexpr std::size_t kNear = 8;
struct Recipe {
  std::size_t count = 0, lines[kNear] = {};
  float weights[kNear] = {};
};
std::vector<Recipe> unshift_recipes(View<const double, 2> shifts);

// The other way round: data (y, x, n) recorded at the shifted places → values on the regular grid. Along x a cubic
// spline; along y, where the lines lie at irregular places, a local smoothing cubic spline through the eight nearest
// lines.
void unshift(View<const float, 3> data, View<const double, 2> shifts, View<float, 3> out, int threads);

// h(0), h(1), ... for alpha/(4π²u² + alpha²) (alpha = 0: none) and exp(−u/beta)·sin(2πu/gamma + theta) (beta = 0:
// none), cut where 0.2 % of the Lorentzian (128 pixels at least) and 10⁻⁶ of the oscillator are left.
std::vector<float> scan_response(double alpha, double beta, double gamma, double theta);

void fast_scan(View<const float, 2> image, View<float, 2> out, const std::vector<float>& response, int threads);

// The parts of lines: their first pixel, length and factor of the mean.
struct LinePart {
  std::size_t first, size;
  double factor;
};
std::vector<LinePart> line_parts(std::size_t ny, std::size_t nx, std::size_t count, const double length[2],
                                 const double factor[2], std::uint64_t seed, std::uint32_t picture);

// In place: `count` parts of lines, their length a part low ... high of the line, their value the part's mean × factor.
void row_lines(View<float, 2> image, std::size_t count, const double length[2], const double factor[2],
               std::uint64_t seed, std::uint32_t picture);

}  // namespace crewe::noise
