#include "atoms/normal.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "crewe/parallel.hpp"

namespace crewe::atoms {
namespace {

constexpr double kLeastCurvature = 0.02;  // of what a parameter has in the normal equations
constexpr std::size_t kMonomials = 6;     // 1, y, x, yy, yx, xx
constexpr std::size_t kMoments = 9;       // those, rr·y, rr·x, rr·rr
constexpr std::size_t kPower[kMonomials][2] = {{0, 0}, {1, 0}, {0, 1}, {2, 0}, {1, 1}, {0, 2}};

// ∂f/∂θ = g·(polynomial in dy, dx), a row of six coefficients per parameter.
using Slopes = std::array<std::array<double, kMonomials>, kParameters>;

Slopes slopes_of(const Column& c) {
  const double root = std::sqrt(1 + c.e1 * c.e1 + c.e2 * c.e2);
  const double k = c.height / (c.width * c.width), w = k / c.width, e = -k / 2;
  Slopes d{};
  d[kY] = {0, k * (root + c.e1), k * c.e2, 0, 0, 0};
  d[kX] = {0, k * c.e2, k * (root - c.e1), 0, 0, 0};
  d[kHeight] = {1, 0, 0, 0, 0, 0};
  d[kWidth] = {0, 0, 0, w * (root + c.e1), 2 * w * c.e2, w * (root - c.e1)};
  d[kE1] = {0, 0, 0, e * (c.e1 / root + 1), 0, e * (c.e1 / root - 1)};
  d[kE2] = {0, 0, 0, e * c.e2 / root, 2 * e, e * c.e2 / root};
  return d;
}

// The same polynomial in t, d = t + shift.
void move_origin(std::array<double, kMonomials>& p, double sy, double sx) {
  p[0] += p[1] * sy + p[2] * sx + p[3] * sy * sy + p[4] * sy * sx + p[5] * sx * sx;
  p[1] += 2 * p[3] * sy + p[4] * sx;
  p[2] += p[4] * sy + 2 * p[5] * sx;
}

// out[p][q] = Σ (∂f/∂θ_p)(∂f/∂θ_q)·w from the moments about `origin`, for the parameters of two columns.
void block_of(const Column& i, const Column& j, const std::vector<std::size_t>& parameters, const double origin[2],
              const double m[25], double* out) {
  Slopes a = slopes_of(i), b = slopes_of(j);
  const std::size_t np = parameters.size();
  for (const std::size_t p : parameters) {
    move_origin(a[p], origin[0] - i.y, origin[1] - i.x);
    move_origin(b[p], origin[0] - j.y, origin[1] - j.x);
  }
  for (std::size_t p = 0; p < np; ++p) {
    double row[kMonomials];
    for (std::size_t s = 0; s < kMonomials; ++s) {
      row[s] = 0;
      for (std::size_t r = 0; r < kMonomials; ++r) {
        row[s] += a[parameters[p]][r] * m[5 * (kPower[r][0] + kPower[s][0]) + kPower[r][1] + kPower[s][1]];
      }
    }
    for (std::size_t q = 0; q < np; ++q) {
      const auto& other = b[parameters[q]];
      out[p * np + q] = ((row[0] * other[0] + row[1] * other[1]) + (row[2] * other[2] + row[3] * other[3])) +
                        (row[4] * other[4] + row[5] * other[5]);
    }
  }
}

// out[p] = Σ (∂f/∂θ_p)·w from the moments of w·g.
void project(const Column& c, const std::vector<std::size_t>& parameters, const double m[kMonomials], double* out) {
  const Slopes d = slopes_of(c);
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    out[p] = 0;
    for (std::size_t k = 0; k < kMonomials; ++k) out[p] += d[parameters[p]][k] * m[k];
  }
}

double largest_width(const Column& c) {
  const double e = std::hypot(c.e1, c.e2);
  return e == 0 ? c.width : c.width * std::sqrt(std::sqrt(1 + e * e) + e);
}

bool round(const Column& c) {
  return c.e1 == 0 && c.e2 == 0;
}

// The rows and columns of some parameters.
void select(const Block& block, const std::vector<std::size_t>& parameters, double* out) {
  for (const std::size_t p : parameters) {
    for (const std::size_t q : parameters) *out++ = block[4 * p + q];
  }
}

// Fills blocks of pairs (i == j: of columns).
class Blocks {
 public:
  Blocks(const std::vector<Column>& columns, const Canvas& canvas, const double* weights, double widths)
      : columns_(columns), canvas_(canvas), weights_(weights), widths_(widths) {}

  void fill(std::size_t i, std::size_t j, const std::vector<std::size_t>& parameters, double* out,
            double* scratch) const {
    const Column &a = columns_[i], &b = columns_[j];
    const Box p = box_of(a, canvas_, widths_), q = box_of(b, canvas_, widths_);
    const Box box{std::max(p.y0, q.y0), std::min(p.y1, q.y1), std::max(p.x0, q.x0), std::min(p.x1, q.x1)};
    const double origin[2] = {(a.y + b.y) / 2, (a.x + b.x) / 2};
    double m[25] = {};
    if (box.y0 < box.y1 && box.x0 < box.x1) {
      if (weights_ == nullptr) {
        double my[5], mx[5];
        const double u = 1 / (a.width * a.width), v = 1 / (b.width * b.width);
        CREWE_SIMD_CALL(axis_moments, a.y, u, b.y, v, origin[0], box.y0, box.y1, my);
        CREWE_SIMD_CALL(axis_moments, a.x, u, b.x, v, origin[1], box.x0, std::min(box.x1, canvas_.nx), mx);
        for (std::size_t r = 0; r < 5; ++r) {
          for (std::size_t s = 0; r + s < 5; ++s) m[5 * r + s] = my[r] * mx[s];
        }
      } else {
        CREWE_SIMD_CALL(pair_moments, a, b, box, canvas_, weights_, origin, m, scratch);
      }
    }
    block_of(a, b, parameters, origin, m, out);
  }

  // The block of one column, and Σ w·∂f/∂θ.
  void own(std::size_t i, const std::vector<std::size_t>& parameters, double* out, double* weighed,
           double* scratch) const {
    const Column& c = columns_[i];
    if (weights_ != nullptr) {
      fill(i, i, parameters, out, scratch);
      double m[kMoments];
      return sums(i, parameters, weights_, m, weighed, scratch);
    }
    const Box box = box_of(c, canvas_, widths_);
    const double u = 1 / (c.width * c.width), origin[2] = {c.y, c.x};
    double single[2][3], square[2][5], m[25] = {}, s[kMonomials];
    CREWE_SIMD_CALL(own_moments, c.y, u, box.y0, box.y1, single[0], square[0]);
    CREWE_SIMD_CALL(own_moments, c.x, u, box.x0, std::min(box.x1, canvas_.nx), single[1], square[1]);
    for (std::size_t k = 0; k < kMonomials; ++k) s[k] = single[0][kPower[k][0]] * single[1][kPower[k][1]];
    project(c, parameters, s, weighed);
    if (parameters.back() <= kWidth) return select(round_block(c, square[0], square[1]), parameters, out);
    for (std::size_t a = 0; a < 5; ++a) {
      for (std::size_t b = 0; a + b < 5; ++b) m[5 * a + b] = square[0][a] * square[1][b];
    }
    block_of(c, c, parameters, origin, m, out);
  }

  // Σ image·∂f/∂θ of one column; m: the moments of image·g.
  void sums(std::size_t i, const std::vector<std::size_t>& parameters, const double* image, double m[kMoments],
            double* out, double* scratch) const {
    const Column& c = columns_[i];
    const Box box = box_of(c, canvas_, widths_);
    std::fill_n(m, kMoments, 0.0);
    if (box.y0 < box.y1 && box.x0 < box.x1) {
      CREWE_SIMD_CALL(moments, c, box, canvas_, image, m, scratch);
    }
    project(c, parameters, m, out);
  }

 private:
  const std::vector<Column>& columns_;
  const Canvas& canvas_;
  const double* weights_;
  double widths_;
};

// Runs f(index, scratch) for 0 ... n − 1.
template <class F>
void for_each(std::size_t n, const Canvas& canvas, int threads, F&& f) {
  parallel_for(n, 64, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<double> scratch(scratch_of(canvas));
    for (std::size_t k = begin; k < end; ++k) f(k, scratch.data());
  });
}

}  // namespace

Block round_block(const Column& c, const double y[5], const double x[5]) {
  const double k = c.height / (c.width * c.width), w = k / c.width;
  Block block;
  const auto set = [&](std::size_t p, std::size_t q, double value) { block[4 * p + q] = block[4 * q + p] = value; };
  set(kY, kY, k * k * (y[2] * x[0]));
  set(kY, kX, k * k * (y[1] * x[1]));
  set(kX, kX, k * k * (y[0] * x[2]));
  set(kY, kHeight, k * (y[1] * x[0]));
  set(kX, kHeight, k * (y[0] * x[1]));
  set(kHeight, kHeight, y[0] * x[0]);
  set(kY, kWidth, k * w * (y[3] * x[0] + y[1] * x[2]));
  set(kX, kWidth, k * w * (y[2] * x[1] + y[0] * x[3]));
  set(kHeight, kWidth, w * (y[2] * x[0] + y[0] * x[2]));
  set(kWidth, kWidth, w * w * ((y[4] * x[0] + y[0] * x[4]) + 2 * (y[2] * x[2])));
  return block;
}

void curve(const Column& c, std::size_t np, const double m[9], Block& block) {
  const double p = 1 / (c.width * c.width), h = c.height, w = 1 / c.width, square = m[3] + m[5];
  Block change;
  const auto set = [&](std::size_t i, std::size_t j, double value) { change[4 * i + j] = change[4 * j + i] = value; };
  set(kY, kY, h * p * (p * m[3] - m[0]));
  set(kX, kX, h * p * (p * m[5] - m[0]));
  set(kY, kX, h * p * p * m[4]);
  set(kHeight, kY, p * m[1]);
  set(kHeight, kX, p * m[2]);
  set(kHeight, kHeight, 0);
  set(kHeight, kWidth, p * w * square);
  set(kY, kWidth, h * p * w * (p * m[6] - 2 * m[1]));
  set(kX, kWidth, h * p * w * (p * m[7] - 2 * m[2]));
  set(kWidth, kWidth, h * p * p * (p * m[8] - 3 * square));
  Block trial;
  for (std::size_t k = 0; k < 16; ++k) trial[k] = block[k] - change[k];
  Block reduced = trial;
  for (std::size_t k = 0; k < np; ++k) {
    if (!(reduced[5 * k] > kLeastCurvature * block[5 * k])) return;
    for (std::size_t i = k + 1; i < np; ++i) {
      const double factor = reduced[4 * i + k] / reduced[5 * k];
      for (std::size_t j = k + 1; j < np; ++j) reduced[4 * i + j] -= factor * reduced[4 * k + j];
    }
  }
  block = trial;
}

Free free_of(Width width, bool background) {
  Free free{{kY, kX, kHeight}, width == Width::shared, background};
  if (width != Width::shared) free.local.push_back(kWidth);
  if (width == Width::elliptic) free.local.insert(free.local.end(), {kE1, kE2});
  return free;
}

Canvas canvas_of(std::size_t ny, std::size_t nx) {
  return {ny, nx, (nx + 7) / 8 * 8};
}

Box box_of(const Column& column, const Canvas& canvas, double widths) {
  const double root = std::sqrt(1 + column.e1 * column.e1 + column.e2 * column.e2), reach = widths * column.width;
  const double dy = reach * std::sqrt(root - column.e1), dx = reach * std::sqrt(root + column.e1);
  const auto clip = [](double k, std::size_t n) {
    return static_cast<std::size_t>(std::clamp(k, 0.0, static_cast<double>(n)));
  };
  // The last pixel is one too many where the edge falls on a pixel: its Gaussian is there, only small.
  return {clip(column.y - dy + 1, canvas.ny), clip(column.y + dy + 1, canvas.ny),
          clip(column.x - dx + 1, canvas.nx) / 8 * 8, (clip(column.x + dx + 1, canvas.nx) + 7) / 8 * 8};
}

std::vector<Pair> pairs_of(const std::vector<Column>& columns, double apart) {
  const std::size_t n = columns.size();
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return columns[a].y != columns[b].y ? columns[a].y < columns[b].y : a < b;
  });
  std::vector<double> squares(n);
  double most = 0;
  for (std::size_t k = 0; k < n; ++k) {
    const double width = largest_width(columns[k]);
    squares[k] = width * width;
    most = std::max(most, squares[k]);
  }
  std::vector<Pair> pairs;
  for (std::size_t a = 0; a < n; ++a) {
    const Column& one = columns[order[a]];
    const double far = std::sqrt(2 * apart * (squares[order[a]] + most));
    for (std::size_t b = a + 1; b < n; ++b) {
      const Column& two = columns[order[b]];
      const double dy = two.y - one.y, dx = two.x - one.x;
      if (dy > far) break;
      if (dy * dy + dx * dx > 2 * apart * (squares[order[a]] + squares[order[b]])) continue;
      pairs.push_back({std::min(order[a], order[b]), std::max(order[a], order[b])});
    }
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const Pair& a, const Pair& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; });
  return pairs;
}

std::vector<double> Normal::scale() const {
  std::vector<double> out(size());
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t p = 0; p < np; ++p) out[i * np + p] = diagonal[(i * np + p) * np + p];
  }
  for (std::size_t g = 0; g < ng; ++g) out[n * np + g] = corner[g * ng + g];
  return out;
}

void Normal::fix(const std::vector<char>& fixed) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t p = 0; p < np; ++p) {
      if (!fixed[i * np + p]) continue;
      for (std::size_t q = 0; q < np; ++q) {
        diagonal[(i * np + p) * np + q] = diagonal[(i * np + q) * np + p] = 0;
      }
      diagonal[(i * np + p) * np + p] = 1;
      for (std::size_t g = 0; g < ng; ++g) border[(i * np + p) * ng + g] = 0;
      gradient[i * np + p] = 0;
    }
  }
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const std::size_t i = pairs[k].i, j = pairs[k].j;
    for (std::size_t p = 0; p < np; ++p) {
      for (std::size_t q = 0; q < np; ++q) {
        if (fixed[i * np + p] || fixed[j * np + q]) coupling[(k * np + p) * np + q] = 0;
      }
    }
  }
  for (std::size_t g = 0; g < ng; ++g) {
    if (!fixed[n * np + g]) continue;
    for (std::size_t k = 0; k < n * np; ++k) border[k * ng + g] = 0;
    for (std::size_t h = 0; h < ng; ++h) corner[g * ng + h] = corner[h * ng + g] = 0;
    corner[g * ng + g] = 1;
    gradient[n * np + g] = 0;
  }
}

void normal_equations(const std::vector<Column>& columns, const Free& free, const Canvas& canvas,
                      const Weights& weights, const Reach& reach, int threads, Normal& normal) {
  const std::size_t n = columns.size(), np = free.local.size(), ng = free.globals();
  normal.n = n, normal.np = np, normal.ng = ng;
  normal.pairs = pairs_of(columns, reach.apart);
  const double* image = weights.weights;
  std::vector<double> ones;
  if (image == nullptr && !std::all_of(columns.begin(), columns.end(), round)) {
    ones.assign(canvas.ny * canvas.stride, 1);
    image = ones.data();
  }
  const Blocks blocks(columns, canvas, image, reach.widths);
  std::vector<std::size_t> all = free.local;  // the shared width last
  if (free.shared_width) all.push_back(kWidth);
  const std::size_t na = all.size(), size = na * na, background = std::size_t{free.shared_width};

  normal.diagonal.assign(n * np * np, 0);
  normal.border.assign(n * np * ng, 0);
  normal.gradient.assign(normal.size(), 0);
  normal.corner = {};
  std::vector<double> width_terms(n * 3, 0);  // of each column: ∂ρ∂ρ, ∂ρ∂ζ, gradient along ρ
  for_each(n, canvas, threads, [&](std::size_t i, double* scratch) {
    double block[kParameters * kParameters], sums[kParameters];
    blocks.own(i, all, block, sums, scratch);
    if (free.background) {
      for (std::size_t p = 0; p < np; ++p) normal.border[(i * np + p) * ng + background] = sums[p];
      if (free.shared_width) width_terms[3 * i + 1] = sums[np];
    }
    if (weights.slope != nullptr) {
      double m[kMoments];
      blocks.sums(i, all, weights.slope, m, sums, scratch);
      if (weights.curved && all.size() == 4 && round(columns[i])) {
        Block whole;
        std::copy_n(block, 16, whole.data());
        curve(columns[i], np, m, whole);
        std::copy_n(whole.data(), 16, block);
      }
      std::copy_n(sums, np, normal.gradient.data() + i * np);
      if (free.shared_width) width_terms[3 * i + 2] = sums[np];
    }
    for (std::size_t p = 0; p < np; ++p) {
      for (std::size_t q = 0; q < np; ++q) normal.diagonal[(i * np + p) * np + q] = block[p * na + q];
      if (free.shared_width) normal.border[(i * np + p) * ng] = block[p * na + np];
    }
    if (free.shared_width) width_terms[3 * i] = block[size - 1];
  });

  const std::size_t count = normal.pairs.size();
  std::vector<double> halves;  // with the shared width, which becomes a global
  std::vector<double>& whole = free.shared_width ? halves : normal.coupling;
  whole.resize(count * size);
  for_each(count, canvas, threads, [&](std::size_t k, double* scratch) {
    blocks.fill(normal.pairs[k].i, normal.pairs[k].j, all, whole.data() + k * size, scratch);
  });
  double widths = 0, width_background = 0, width_gradient = 0;
  for (std::size_t i = 0; i < n; ++i) {
    widths += width_terms[3 * i];
    width_background += width_terms[3 * i + 1];
    width_gradient += width_terms[3 * i + 2];
  }
  if (free.shared_width) {
    normal.coupling.resize(count * np * np);
    for (std::size_t k = 0; k < count; ++k) {
      const double* block = whole.data() + k * size;
      for (std::size_t p = 0; p < np; ++p) {
        for (std::size_t q = 0; q < np; ++q) normal.coupling[(k * np + p) * np + q] = block[p * na + q];
        normal.border[(normal.pairs[k].i * np + p) * ng] += block[p * na + np];
        normal.border[(normal.pairs[k].j * np + p) * ng] += block[np * na + p];
      }
      widths += 2 * block[size - 1];
    }
    normal.corner[0] = widths;
    normal.gradient[n * np] = width_gradient;
  }
  if (free.background) {
    normal.corner[background * ng + background] = weights.total;
    if (free.shared_width) normal.corner[1] = normal.corner[2] = width_background;
    normal.gradient[n * np + background] = weights.slope_total;
  }
}

}  // namespace crewe::atoms
