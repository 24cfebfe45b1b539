#include "live/center.hpp"

#include <algorithm>
#include <cmath>

namespace crewe::live {

double distance(const CenterModel& a, const CenterModel& b, std::size_t sy, std::size_t sx) {
  double farthest = 0;
  for (const std::size_t row : {std::size_t{0}, sy - 1}) {
    for (const std::size_t col : {std::size_t{0}, sx - 1}) {
      const Point p = a.at(row, col), q = b.at(row, col);
      farthest = std::max(farthest, std::hypot(p.y - q.y, p.x - q.x));
    }
  }
  return farthest;
}

namespace {

// Sums over positions: of places (v, u), of one component c of the centre of mass, and of their products.
struct Places {
  double n = 0, v = 0, u = 0, vv = 0, vu = 0, uu = 0;
};
struct Component {
  double c = 0, cv = 0, cu = 0, cc = 0;

  void add(double value, double v, double u) {
    c += value;
    cv += value * v;
    cu += value * u;
    cc += value * value;
  }
  double variance(double n) const { return std::max(0.0, cc / n - (c / n) * (c / n)); }
};

// Slopes of a least-squares plane; a direction in which the positions don't spread gets none.
void fit_slopes(const Places& p, const Component& c, double& along_v, double& along_u) {
  const double vv = p.vv - p.v * p.v / p.n, uu = p.uu - p.u * p.u / p.n, vu = p.vu - p.v * p.u / p.n;
  const double right_v = c.cv - p.v * c.c / p.n, right_u = c.cu - p.u * c.c / p.n;
  const double determinant = vv * uu - vu * vu;
  const double least = 1e-9 * p.n;  // positions lie a whole step apart, or not at all
  along_v = along_u = 0;
  if (vv > least && uu > least && determinant > 1e-9 * vv * uu) {
    along_v = (right_v * uu - right_u * vu) / determinant;
    along_u = (right_u * vv - right_v * vu) / determinant;
  } else if (uu > least && uu >= vv) {
    along_u = right_u / uu;
  } else if (vv > least) {
    along_v = right_v / vv;
  }
}

}  // namespace

CenterFit fit_center(const imaging::Moments* moments, std::size_t rows, std::size_t sx, const CenterModel& start,
                     bool keep_middle) {
  Places places;
  Component y, x;
  for (std::size_t row = 0; row < rows; ++row) {
    const double v = static_cast<double>(row) - start.row0;
    for (std::size_t col = 0; col < sx; ++col) {
      const imaging::Moments& m = moments[row * sx + col];
      if (m.n == 0) continue;
      const double u = static_cast<double>(col) - start.col0;
      places.n += 1;
      places.v += v;
      places.u += u;
      places.vv += v * v;
      places.vu += v * u;
      places.uu += u * u;
      y.add(m.y / m.n, v, u);
      x.add(m.x / m.n, v, u);
    }
  }
  CenterFit fit;
  fit.model = start;
  fit.count = static_cast<std::size_t>(places.n);
  if (fit.count == 0) return fit;
  const double n = places.n;
  fit.spread = std::sqrt(y.variance(n) + x.variance(n));
  Descan& d = fit.model.slopes;
  if (d.fit) {
    fit_slopes(places, y, d.yy, d.yx);
    fit_slopes(places, x, d.xy, d.xx);
  }
  if (!keep_middle) {
    const double v = places.v / n, u = places.u / n;
    fit.model.middle = {y.c / n - (d.yy * v + d.yx * u), x.c / n - (d.xy * v + d.xx * u)};
  }
  return fit;
}

}  // namespace crewe::live
