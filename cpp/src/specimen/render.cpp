#include "crewe/specimen/render.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <string>

#include "crewe/checks.hpp"
#include "crewe/fft.hpp"
#include "crewe/parallel.hpp"
#include "profile.hpp"

namespace crewe::specimen {
namespace {

constexpr std::size_t kPoints = 1 << 15;  // of the grid, per chunk
constexpr double kFieldPart = 1e-3;       // of f(0): where profiles end on the Fourier grid, whose border costs more
constexpr double kRowCost = 12.0;         // [ns] one row of one atom, and one pixel of it, measured
constexpr double kItemCost = 1.4;         // [ns] one pixel of one atom, measured
constexpr double kFourierCost = 12.0;     // [ns] one point of one transform and what goes with it, measured

// The parts of a profile that go the two ways.
struct Split {
  Profile items, field;
  bool use_items = false;
};

double reach_of(const Profile& profile, double part) {
  return static_cast<double>(tabulate(profile, part).end) / Samples::kSteps * profile.radius;
}

// Whether a grid of `step` pixels holds the disc: its spectrum falls as exp(−k·radius·sin(π/2n)), k = π/step.
bool holds_disc(const Profile& p, double step) {
  return p.h3 == 0 || std::numbers::pi / step * p.radius * std::sin(std::numbers::pi / (2 * p.n)) > 5;  // 0.7 %
}

struct Grid {
  std::size_t factor = 1, height = 0, width = 0;
  double margin = 0;  // [pixels] of the picture
};

Grid grid_for(double reach, std::size_t factor, const View<float, 2>& out) {
  Grid grid;
  grid.factor = factor;
  grid.margin = std::ceil(reach) + 2;
  const auto size = [&](std::size_t n) {
    // Atoms lie up to one margin outside on both sides; one more margin keeps what goes round the corner off the frame.
    return fft::good_size((n + 2 * static_cast<std::size_t>(grid.margin)) * factor);
  };
  grid.height = size(out.shape[0]);
  grid.width = size(out.shape[1]);
  return grid;
}

std::array<float, 4> spline(double f) {
  const double g = 1 - f;
  return {static_cast<float>(g * g * g / 6), static_cast<float>((4 - 6 * f * f + 3 * f * f * f) / 6),
          static_cast<float>((4 - 6 * g * g + 3 * g * g * g) / 6), static_cast<float>(f * f * f / 6)};
}

using Members = std::vector<std::size_t>;  // the atoms of one kind
using Field = std::vector<std::complex<float>>;

void put_kernel(const Profile& profile, const Grid& grid, bool imaginary, Field& field) {
  const Table table = tabulate(profile, kFieldPart);
  const double step = 1.0 / (static_cast<double>(grid.factor) * profile.radius);
  const auto reach = static_cast<std::size_t>(std::min(static_cast<double>(table.end) / Samples::kSteps / step,
                                                       grid.margin * static_cast<double>(grid.factor)));
  for (std::size_t y = 0; y <= reach; ++y) {
    for (std::size_t x = 0; x <= reach; ++x) {
      float value = 0;
      if (y * y + x * x <= 1) {  // the cusp: the mean over the grid's cell
        for (int k = 0; k < 9; ++k) {
          const double sy = static_cast<double>(y) + (k / 3 - 1) / 3.0, sx = static_cast<double>(x) + (k % 3 - 1) / 3.0;
          value += static_cast<float>(value_of(profile, std::hypot(sy, sx) * step)) / 9.0f;
        }
      } else {
        value = look_up(table, static_cast<float>(std::sqrt(static_cast<double>(y * y + x * x)) * step));
      }
      for (const std::size_t row : {y, (grid.height - y) % grid.height}) {
        for (const std::size_t column : {x, (grid.width - x) % grid.width}) {
          reinterpret_cast<float*>(&field[row * grid.width + column])[imaginary ? 1 : 0] = value;
        }
      }
    }
  }
}

void put_atom(double y, double x, const Grid& grid, bool imaginary, Field& field) {
  const auto factor = static_cast<double>(grid.factor);
  y = (y + grid.margin) * factor;
  x = (x + grid.margin) * factor;
  const double wy = std::floor(y), wx = std::floor(x);
  const std::array<float, 4> a = spline(y - wy), b = spline(x - wx);
  for (std::size_t k = 0; k < 4; ++k) {
    const std::size_t row = (static_cast<std::size_t>(wy) + k + grid.height - 1) % grid.height;
    for (std::size_t l = 0; l < 4; ++l) {
      const std::size_t column = (static_cast<std::size_t>(wx) + l + grid.width - 1) % grid.width;
      float* point = reinterpret_cast<float*>(&field[row * grid.width + column]) + (imaginary ? 1 : 0);
      *point += a[k] * b[l];
    }
  }
}

// One over the transform of the cubic B-spline with which atoms are put on the grid.
std::vector<float> spline_inverse(std::size_t size) {
  std::vector<float> result(size);
  for (std::size_t k = 0; k < size; ++k) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(size);
    result[k] = static_cast<float>(3 / (2 + std::cos(angle)));
  }
  return result;
}

// Adds the convolutions of all kinds' atoms with their profiles to the picture; two kinds share one transform.
void convolve(View<const double, 2> places, const std::vector<Members>& members, const std::vector<Split>& splits,
              const std::vector<std::uint32_t>& wanted, const Grid& grid, View<float, 2> out, int threads) {
  const std::size_t n = grid.height * grid.width;
  Field total(n), atoms(n), kernels(n);
  for (std::size_t pair = 0; pair < wanted.size(); pair += 2) {
    std::fill(atoms.begin(), atoms.end(), 0.0f);
    std::fill(kernels.begin(), kernels.end(), 0.0f);
    for (std::size_t k = pair; k < std::min(pair + 2, wanted.size()); ++k) {
      put_kernel(splits[wanted[k]].field, grid, k != pair, kernels);
      for (const std::size_t i : members[wanted[k]]) {
        const double y = places(i, 0), x = places(i, 1);
        const double most_y = static_cast<double>(out.shape[0]) + grid.margin - 2;
        const double most_x = static_cast<double>(out.shape[1]) + grid.margin - 2;
        if (y < 1 - grid.margin || x < 1 - grid.margin || y > most_y || x > most_x) continue;
        put_atom(y, x, grid, k != pair, atoms);
      }
    }
    fft::fft2(atoms.data(), 1, grid.height, grid.width, fft::Direction::forward, threads);
    fft::fft2(kernels.data(), 1, grid.height, grid.width, fft::Direction::forward, threads);
    // Atoms a₁ + ia₂ become A₁ + iA₂, the symmetric kernels K₁ + iK₂ with real K: the inverse transform of
    // (K₁ − iK₂)(A₁ + iA₂) has the real part k₁∗a₁ + k₂∗a₂.
    parallel_for(n, kPoints, threads, [&](std::size_t begin, std::size_t end) {
      const float *atom = reinterpret_cast<const float*>(atoms.data()),
                  *kernel = reinterpret_cast<float*>(kernels.data());
      float* sum = reinterpret_cast<float*>(total.data());
      for (std::size_t i = 2 * begin; i < 2 * end; i += 2) {
        sum[i] += kernel[i] * atom[i] + kernel[i + 1] * atom[i + 1];
        sum[i + 1] += kernel[i] * atom[i + 1] - kernel[i + 1] * atom[i];
      }
    });
  }
  const std::vector<float> along_y = spline_inverse(grid.height), along_x = spline_inverse(grid.width);
  for (std::size_t y = 0; y < grid.height; ++y) {
    for (std::size_t x = 0; x < grid.width; ++x) total[y * grid.width + x] *= along_y[y] * along_x[x];
  }
  fft::fft2(total.data(), 1, grid.height, grid.width, fft::Direction::inverse, threads);
  const auto margin = static_cast<std::size_t>(grid.margin);
  for (std::size_t y = 0; y < out.shape[0]; ++y) {
    const std::complex<float>* row = total.data() + (y + margin) * grid.factor * grid.width;
    for (std::size_t x = 0; x < out.shape[1]; ++x) {
      out.data[y * out.shape[1] + x] += row[(x + margin) * grid.factor].real();
    }
  }
}

double item_cost(const Profile& profile, std::size_t atoms) {
  const double across = 2 * reach_of(profile, kPart) + 1;
  return (kRowCost + kItemCost * across) * across * static_cast<double>(atoms);
}

}  // namespace

void render(View<const double, 2> places, const std::uint32_t* kind, const std::vector<Profile>& profiles,
            View<float, 2> out, int threads) {
  check_shape(places, {places.shape[0], 2}, "places");
  check_contiguous(places, "places");
  check_contiguous(out, "out");
  std::fill_n(out.data, out.size(), 0.0f);
  const std::size_t m = places.shape[0];
  if (m == 0 || out.size() == 0) return;
  std::vector<Members> members(profiles.size());
  for (std::size_t i = 0; i < m; ++i) members.at(kind[i]).push_back(i);

  std::vector<std::uint32_t> present, by_field;
  double items = 0;
  for (std::size_t k = 0; k < profiles.size(); ++k) {
    if (members[k].empty()) continue;
    present.push_back(static_cast<std::uint32_t>(k));
    items += item_cost(profiles[k], members[k].size());
  }
  // Everything one by one, or all that a grid of one or half a pixel holds by Fourier transform: the cheapest way.
  std::vector<Split> splits(profiles.size());
  for (std::uint32_t k : present) splits[k] = {profiles[k], {}, true};
  double least = items;
  Grid chosen;
  for (std::size_t factor = 1; factor <= 2; ++factor) {
    const double step = 1.0 / static_cast<double>(factor);
    std::vector<Split> way(profiles.size());
    std::vector<std::uint32_t> fields;
    double cost = 0, reach = 0;
    for (std::uint32_t k : present) {
      if (profiles[k].radius < 1.5 * step) {  // the grid would not hold its Gaussian and exponential
        way[k] = {profiles[k], {}, true};
        cost += item_cost(profiles[k], members[k].size());
        continue;
      }
      way[k].field = profiles[k];
      fields.push_back(k);
      reach = std::max(reach, reach_of(profiles[k], kFieldPart));
      if (holds_disc(profiles[k], step)) continue;
      way[k].items = {0, 0, profiles[k].h3, profiles[k].n, profiles[k].radius};
      way[k].use_items = true;
      way[k].field.h3 = 0;
      cost += item_cost(way[k].items, members[k].size());
    }
    const Grid grid = grid_for(reach, factor, out);
    const auto transforms = static_cast<double>(2 * ((fields.size() + 1) / 2) + 1);
    cost += kFourierCost * static_cast<double>(grid.height) * static_cast<double>(grid.width) * transforms;
    if (fields.empty() || cost >= least) continue;
    least = cost;
    splits = way;
    by_field = fields;
    chosen = grid;
  }
  if (!by_field.empty()) convolve(places, members, splits, by_field, chosen, out, threads);
  std::vector<Table> tables(profiles.size());
  std::vector<Item> list;
  for (std::uint32_t k : present) {
    if (!splits[k].use_items) continue;
    tables[k] = tabulate(splits[k].items, kPart);
    const double a = 1 / (profiles[k].radius * profiles[k].radius);
    for (const std::size_t i : members[k]) list.push_back({places(i, 0), places(i, 1), a, 0, a, 1, k});
  }
  if (!list.empty()) add_items(list, tables, out, threads);
}

void blobs(View<const double, 2> blobs, const std::uint32_t* kind, const std::vector<Profile>& profiles,
           View<float, 2> out, int threads) {
  check_shape(blobs, {blobs.shape[0], 6}, "blobs");
  check_contiguous(out, "out");
  std::vector<Table> tables;
  tables.reserve(profiles.size());
  for (const Profile& profile : profiles) tables.push_back(tabulate(profile, 1e-3));
  std::vector<Item> items;
  for (std::size_t i = 0; i < blobs.shape[0]; ++i) {
    const Item item{blobs(i, 0), blobs(i, 1), blobs(i, 2), blobs(i, 3), blobs(i, 4), blobs(i, 5), kind[i]};
    if (item.kind >= profiles.size() || !(item.a > 0) || !(item.a * item.c > item.b * item.b)) {
      reject("blobs", "a > 0, a·c > b² and a kind below " + std::to_string(profiles.size()),
             "a = " + std::to_string(item.a) + ", b = " + std::to_string(item.b) + ", c = " + std::to_string(item.c) +
                 " and kind " + std::to_string(item.kind));
    }
    items.push_back(item);
  }
  add_items(items, tables, out, threads);
}

void voronoi(View<const double, 2> seeds, View<std::int32_t, 2> nearest, View<float, 2> gap, int threads) {
  if (seeds.shape[0] == 0) reject("seeds", "at least one", "none");
  check_shape(seeds, {seeds.shape[0], 2}, "seeds");
  check_contiguous(nearest, "nearest");
  check_shape(gap, nearest.shape, "gap");
  check_contiguous(gap, "gap");
  const std::size_t ny = gap.shape[0], nx = gap.shape[1];
  parallel_for(ny, 16, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<float> first(nx), second(nx);
    for (std::size_t y = begin; y < end; ++y) {
      std::int32_t* index = nearest.data + y * nx;
      std::fill(first.begin(), first.end(), std::numeric_limits<float>::max());
      std::fill(second.begin(), second.end(), std::numeric_limits<float>::max());
      for (std::size_t k = 0; k < seeds.shape[0]; ++k) {
        const auto dy = static_cast<float>(static_cast<double>(y) - seeds(k, 0)), at = static_cast<float>(seeds(k, 1));
        const float square = dy * dy;
        for (std::size_t x = 0; x < nx; ++x) {
          const float dx = static_cast<float>(x) - at, distance = square + dx * dx;
          const bool nearer = distance < first[x];
          const float other = nearer ? first[x] : distance;
          second[x] = other < second[x] ? other : second[x];
          index[x] = nearer ? static_cast<std::int32_t>(k) : index[x];
          first[x] = nearer ? distance : first[x];
        }
      }
      for (std::size_t x = 0; x < nx; ++x) gap.data[y * nx + x] = std::sqrt(second[x]) - std::sqrt(first[x]);
    }
  });
}

}  // namespace crewe::specimen
