// The centre of the undiffracted pattern at every position, and its fit to a centre-of-mass map.
#pragma once

#include <cstddef>

#include "crewe/imaging/moments.hpp"
#include "crewe/live/kinds.hpp"

namespace crewe::live {

// centre(row, col) = middle + slopes·(row − row0, col − col0)
struct CenterModel {
  Point middle;
  Descan slopes;
  double row0 = 0, col0 = 0;

  Point at(std::size_t row, std::size_t col) const {
    const double v = static_cast<double>(row) - row0, u = static_cast<double>(col) - col0;
    return {middle.y + (slopes.yy * v + slopes.yx * u), middle.x + (slopes.xy * v + slopes.xx * u)};
  }
};

// Largest distance between two models anywhere in the scan [detector pixels].
double distance(const CenterModel& a, const CenterModel& b, std::size_t sy, std::size_t sx);

struct CenterFit {
  CenterModel model;
  double spread = 0;      // rms distance of the centres of mass from their mean [detector pixels]
  std::size_t count = 0;  // positions with counts
};

// Mean, or least-squares plane, of the centres of mass (Σy/n, Σx/n) in the rows [0, rows) of a scan with sx columns.
// `start.middle` is kept where `keep_middle`, `start.slopes` where they aren't to be fitted. Positions are added in
// their order, so the result depends on the moments only.
CenterFit fit_center(const imaging::Moments* moments, std::size_t rows, std::size_t sx, const CenterModel& start,
                     bool keep_middle);

}  // namespace crewe::live
