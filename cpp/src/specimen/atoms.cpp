#include "crewe/specimen/atoms.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "crewe/checks.hpp"
#include "crewe/rng.hpp"

namespace crewe::specimen {
namespace {

using Vector = std::array<double, 3>;

Vector cross(const Vector& a, const Vector& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

double dot(const Vector& a, const Vector& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

}  // namespace

Atoms fill(const std::array<double, 9>& cell, View<const double, 2> motif, const std::array<double, 3>& low,
           const std::array<double, 3>& high, std::size_t most) {
  std::array<Vector, 3> edge, reciprocal;
  for (std::size_t k = 0; k < 3; ++k) edge[k] = {cell[3 * k], cell[3 * k + 1], cell[3 * k + 2]};
  const double volume = dot(edge[0], cross(edge[1], edge[2]));
  if (!(std::abs(volume) > 1e-9)) reject("cell", "three independent edges", "a volume of " + std::to_string(volume));
  // The whole numbers that any corner of the box can need, one more on each side for the motif.
  std::array<long, 3> first{}, last{};
  for (std::size_t k = 0; k < 3; ++k) {
    reciprocal[k] = cross(edge[(k + 1) % 3], edge[(k + 2) % 3]);
    double least = 0, most_of = 0;
    for (std::size_t corner = 0; corner < 8; ++corner) {
      const Vector r{(corner & 1) != 0 ? high[0] : low[0], (corner & 2) != 0 ? high[1] : low[1],
                     (corner & 4) != 0 ? high[2] : low[2]};
      const double f = dot(reciprocal[k], r) / volume;
      least = corner == 0 ? f : std::min(least, f);
      most_of = corner == 0 ? f : std::max(most_of, f);
    }
    first[k] = static_cast<long>(std::floor(least)) - 1;
    last[k] = static_cast<long>(std::ceil(most_of));
  }
  // How far the motif reaches from its cell's origin, along x, y, z.
  const std::size_t m = motif.shape[0];
  std::vector<Vector> offsets(m);
  Vector least{}, furthest{};
  for (std::size_t j = 0; j < m; ++j) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      offsets[j][axis] = motif(j, 0) * edge[0][axis] + motif(j, 1) * edge[1][axis] + motif(j, 2) * edge[2][axis];
      least[axis] = j == 0 ? offsets[j][axis] : std::min(least[axis], offsets[j][axis]);
      furthest[axis] = j == 0 ? offsets[j][axis] : std::max(furthest[axis], offsets[j][axis]);
    }
  }
  Atoms atoms;
  for (long a = first[0]; a <= last[0]; ++a) {
    for (long b = first[1]; b <= last[1]; ++b) {
      for (long c = first[2]; c <= last[2]; ++c) {
        Vector origin;
        bool near = true;
        for (std::size_t axis = 0; axis < 3; ++axis) {
          origin[axis] = static_cast<double>(a) * edge[0][axis] + static_cast<double>(b) * edge[1][axis] +
                         static_cast<double>(c) * edge[2][axis];
          near = near && origin[axis] + least[axis] < high[axis] && origin[axis] + furthest[axis] >= low[axis];
        }
        if (!near) continue;
        for (std::size_t j = 0; j < m; ++j) {
          const Vector r{origin[0] + offsets[j][0], origin[1] + offsets[j][1], origin[2] + offsets[j][2]};
          if (r[0] < low[0] || r[0] >= high[0] || r[1] < low[1] || r[1] >= high[1] || r[2] < low[2] ||
              r[2] >= high[2]) {
            continue;
          }
          if (atoms.member.size() == most)
            throw std::length_error("most: " + std::to_string(most) + " wanted, more atoms came");
          atoms.positions.insert(atoms.positions.end(), r.begin(), r.end());
          atoms.member.push_back(static_cast<std::uint32_t>(j));
        }
      }
    }
  }
  return atoms;
}

void nearest(View<const double, 2> differences, const std::array<double, 9>& metric, View<double, 2> shortest,
             View<double, 1> squares) {
  const std::size_t n = differences.shape[0];
  check_shape(differences, {n, 3}, "differences");
  check_shape(shortest, {n, 3}, "shortest");
  check_shape(squares, {n}, "squares");
  for (std::size_t i = 0; i < n; ++i) {
    Vector inside, best{};
    for (std::size_t k = 0; k < 3; ++k) inside[k] = differences(i, k) - std::nearbyint(differences(i, k));
    double least = std::numeric_limits<double>::infinity();
    for (int neighbour = 0; neighbour < 27; ++neighbour) {
      const Vector d{inside[0] + (neighbour / 9 - 1), inside[1] + (neighbour / 3 % 3 - 1),
                     inside[2] + (neighbour % 3 - 1)};
      const double square = d[0] * (metric[0] * d[0] + 2 * metric[1] * d[1] + 2 * metric[2] * d[2]) +
                            d[1] * (metric[4] * d[1] + 2 * metric[5] * d[2]) + metric[8] * d[2] * d[2];
      if (square >= least) continue;
      least = square;
      best = d;
    }
    for (std::size_t k = 0; k < 3; ++k) shortest(i, k) = best[k];
    squares(i) = least;
  }
}

std::vector<double> amorphous(double edge, double distance, std::size_t wanted, std::uint64_t seed) {
  if (!(distance > 0) || !(edge > 2 * distance)) {
    reject("edge, distance", "edge > 2·distance > 0", std::to_string(edge) + " and " + std::to_string(distance));
  }
  // Cells of at least `distance`: whoever is too close lies in one of 27.
  const auto side = static_cast<std::size_t>(std::clamp(std::floor(edge / distance), 3.0, 200.0));
  const double cells = static_cast<double>(side), shortest = distance * distance / (edge * edge);
  std::vector<std::int32_t> head(side * side * side, -1), next;
  std::vector<double> places;
  rng::Sequence numbers({seed, rng::Stage::specimen, 0});
  const auto square = [](double d) {
    d -= std::nearbyint(d);
    return d * d;
  };
  std::size_t failed = 0;
  while (next.size() < wanted && failed < 1000) {
    const Vector r{numbers.uniform(), numbers.uniform(), numbers.uniform()};
    std::array<std::size_t, 3> at;
    for (std::size_t k = 0; k < 3; ++k) at[k] = std::min(static_cast<std::size_t>(r[k] * cells), side - 1);
    bool fits = true;
    for (std::size_t z = 0; fits && z < 3; ++z) {
      for (std::size_t y = 0; fits && y < 3; ++y) {
        for (std::size_t x = 0; fits && x < 3; ++x) {
          const std::size_t cell = (((at[2] + z + side - 1) % side) * side + (at[1] + y + side - 1) % side) * side +
                                   (at[0] + x + side - 1) % side;
          for (std::int32_t i = head[cell]; fits && i >= 0; i = next[static_cast<std::size_t>(i)]) {
            const double* other = places.data() + 3 * i;
            fits = square(r[0] - other[0]) + square(r[1] - other[1]) + square(r[2] - other[2]) >= shortest;
          }
        }
      }
    }
    if (!fits) {
      ++failed;
      continue;
    }
    failed = 0;
    const std::size_t cell = (at[2] * side + at[1]) * side + at[0];
    next.push_back(head[cell]);
    head[cell] = static_cast<std::int32_t>(next.size() - 1);
    places.insert(places.end(), r.begin(), r.end());
  }
  return places;
}

}  // namespace crewe::specimen
