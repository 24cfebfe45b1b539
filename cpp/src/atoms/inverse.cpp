#include "atoms/inverse.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "atoms/dissection.hpp"

namespace crewe::atoms {
namespace {

constexpr std::size_t kBlock = 32;      // rows eliminated between two products
constexpr double kLeastPivot = 1e-13;   // of a matrix with diagonal 1
constexpr double kUndetermined = 1e11;  // variance beyond that of the parameter alone

// Rows of a square matrix a multiple of 8 apart, with room for the kernels to read on behind the last one.
struct Square {
  std::size_t n = 0, stride = 0;
  std::vector<double> data;

  void reset(std::size_t size) {
    n = size;
    stride = (size + 7) / 8 * 8;
    data.assign(n * stride + 8, 0);
  }
  double* at(std::size_t row, std::size_t column) { return data.data() + row * stride + column; }
  const double* at(std::size_t row, std::size_t column) const { return data.data() + row * stride + column; }
};

// A = UᵀU on the first `count` rows of the upper triangle, what is left of the others in their place.
void factor(Square& a, std::size_t count) {
  for (std::size_t k0 = 0; k0 < count; k0 += kBlock) {
    const std::size_t k1 = std::min(k0 + kBlock, count);
    for (std::size_t row = k0; row < k1; ++row) {
      for (std::size_t above = k0; above < row; ++above) {
        CREWE_SIMD_CALL(subtract_scaled, a.at(row, row), a.at(above, row), *a.at(above, row), a.n - row);
      }
      const double inverse = 1 / std::sqrt(std::max(*a.at(row, row), kLeastPivot));
      *a.at(row, row) = std::max(*a.at(row, row), kLeastPivot);
      for (std::size_t column = row; column < a.n; ++column) *a.at(row, column) *= inverse;
    }
    CREWE_SIMD_CALL(add_product, a.at(k1, k1), a.stride, a.at(k0, k1), a.stride, a.at(k0, k1), a.stride, a.n - k1,
                    a.n - k1, k1 - k0, -1.0, true);
  }
}

// out = L⁻¹, L = Uᵀ of the first rows of `a`.
void invert_factor(const Square& a, Square& out) {
  for (std::size_t k0 = 0; k0 < out.n; k0 += kBlock) {
    const std::size_t k1 = std::min(k0 + kBlock, out.n);
    for (std::size_t row = k0; row < k1; ++row) *out.at(row, row) = 1;
    CREWE_SIMD_CALL(add_product, out.at(k0, 0), out.stride, a.at(0, k0), a.stride, out.at(0, 0), out.stride, k1 - k0,
                    k0, k0, -1.0, false);
    for (std::size_t row = k0; row < k1; ++row) {
      for (std::size_t above = k0; above < row; ++above) {
        CREWE_SIMD_CALL(subtract_scaled, out.at(row, 0), out.at(above, 0), *a.at(above, row), above + 1);
      }
      const double inverse = 1 / *a.at(row, row);
      for (std::size_t column = 0; column <= row; ++column) *out.at(row, column) *= inverse;
    }
  }
}

class Inverse {
 public:
  Inverse(const Normal& normal, const std::vector<Column>& columns)
      : normal_(normal), tree_(dissect(columns, normal.pairs)), scale_(normal.scale()), place_(normal.n) {
    for (double& s : scale_) s = s > 0 ? 1 / std::sqrt(s) : 0;
    if (normal.ng > 0) tree_.fronts.push_back({{}, {}, tree_.roots});  // the globals, last of all
    const std::size_t count = tree_.fronts.size();
    factors_.resize(count);
    rest_.resize(count);
    inverses_.resize(count);
    parent_.assign(count, count);
    for (std::size_t f = 0; f < count; ++f) {
      for (const std::size_t child : tree_.fronts[f].children) parent_[child] = f;
    }
  }

  // visit(column, block (np × stride), stride, globals (np × stride), corner, corner stride), in scaled parameters.
  template <class Visit>
  void run(Visit&& visit) {
    const std::size_t count = tree_.fronts.size();
    for (std::size_t f = 0; f < count; ++f) eliminate(f);
    for (std::size_t f = count; f-- > 0;) {
      invert(f);
      const Front& front = tree_.fronts[f];
      const Square& z = inverses_[f];
      for (std::size_t k = 0; k < front.own.size(); ++k) {
        const std::size_t row = k * normal_.np, last = z.n - normal_.ng;
        visit(front.own[k], z.at(row, row), z.at(row, last), z.at(last, last), z.stride);
      }
      if (front.children.empty()) inverses_[f] = {};
      if (parent_[f] < count && f == tree_.fronts[parent_[f]].children.front()) inverses_[parent_[f]] = {};
    }
  }
  const std::vector<double>& scale() const { return scale_; }

 private:
  std::size_t eliminated(const Front& front) const {
    return front.own.empty() ? normal_.ng : front.own.size() * normal_.np;
  }
  std::size_t kept(const Front& front) const {
    return front.own.empty() ? 0 : front.border.size() * normal_.np + normal_.ng;
  }
  // Where the columns of a front stand in its matrix.
  void set_places(const Front& front) {
    std::size_t k = 0;
    for (const std::uint32_t c : front.own) place_[c] = normal_.np * k++;
    for (const std::uint32_t c : front.border) place_[c] = normal_.np * k++;
  }

  void assemble(std::size_t f, Square& a) {
    const std::size_t np = normal_.np, ng = normal_.ng, n = normal_.n;
    const Front& front = tree_.fronts[f];
    for (const std::uint32_t c : front.own) {
      const std::size_t row = place_[c];
      for (std::size_t p = 0; p < np; ++p) {
        const double s = scale_[c * np + p];
        for (std::size_t q = 0; q < np; ++q) {
          *a.at(row + p, row + q) = s * scale_[c * np + q] * normal_.diagonal[(c * np + p) * np + q];
        }
        for (std::size_t g = 0; g < ng; ++g) {
          *a.at(row + p, a.n - ng + g) = s * scale_[n * np + g] * normal_.border[(c * np + p) * ng + g];
        }
      }
      for (const Neighbour& other : tree_.neighbours[c]) {
        if (tree_.order[other.column] < tree_.order[c]) continue;
        const bool rows = normal_.pairs[other.pair].i == c;
        const double* const block = normal_.coupling.data() + other.pair * np * np;
        for (std::size_t p = 0; p < np; ++p) {
          for (std::size_t q = 0; q < np; ++q) {
            *a.at(row + p, place_[other.column] + q) =
                scale_[c * np + p] * scale_[other.column * np + q] * (rows ? block[p * np + q] : block[q * np + p]);
          }
        }
      }
    }
    if (front.own.empty()) {
      for (std::size_t g = 0; g < ng; ++g) {
        for (std::size_t h = 0; h < ng; ++h) {
          *a.at(g, h) = scale_[n * np + g] * scale_[n * np + h] * normal_.corner[g * ng + h];
        }
      }
    }
    for (const std::size_t child : front.children) add(child, a);
  }

  // The parts of a front's border in its parent's matrix: (first there, first here, length).
  template <class F>
  void for_parts(const Front& child, std::size_t last, F&& f) const {
    const std::size_t np = normal_.np, count = child.border.size();
    for (std::size_t k = 0; k < count; ++k) f(place_[child.border[k]], k * np, np);
    if (normal_.ng > 0) f(last - normal_.ng, count * np, normal_.ng);
  }

  void add(std::size_t child, Square& a) {
    Square& rest = rest_[child];
    const Front& front = tree_.fronts[child];
    for_parts(front, a.n, [&](std::size_t row, std::size_t from, std::size_t rows) {
      for_parts(front, a.n, [&](std::size_t column, std::size_t at, std::size_t columns) {
        if (at < from) return;
        for (std::size_t p = 0; p < rows; ++p) {
          for (std::size_t q = 0; q < columns; ++q) *a.at(row + p, column + q) += *rest.at(from + p, at + q);
        }
      });
    });
    rest = {};
  }

  void eliminate(std::size_t f) {
    const Front& front = tree_.fronts[f];
    const std::size_t s = eliminated(front), b = kept(front);
    set_places(front);
    work_.reset(s + b);
    assemble(f, work_);
    factor(work_, s);
    rest_[f].reset(b);
    for (std::size_t row = 0; row < b; ++row) std::copy_n(work_.at(s + row, s), b, rest_[f].at(row, 0));
    factors_[f].n = work_.n;
    factors_[f].stride = work_.stride;
    factors_[f].data.assign(work_.data.data(), work_.at(s, 0) + 8);
  }

  void invert(std::size_t f) {
    const Front& front = tree_.fronts[f];
    const std::size_t s = eliminated(front), b = kept(front);
    const Square& a = factors_[f];
    Square &z = inverses_[f], lower, inner;
    z.reset(s + b);
    lower.reset(s);
    invert_factor(a, lower);
    CREWE_SIMD_CALL(add_product, z.at(0, 0), z.stride, lower.at(0, 0), lower.stride, lower.at(0, 0), lower.stride, s, s,
                    s, 1.0, false);
    if (b > 0) {
      const Square& parent = inverses_[parent_[f]];
      set_places(tree_.fronts[parent_[f]]);
      for_parts(front, parent.n, [&](std::size_t row, std::size_t to, std::size_t rows) {
        for_parts(front, parent.n, [&](std::size_t column, std::size_t at, std::size_t columns) {
          for (std::size_t p = 0; p < rows; ++p)
            std::copy_n(parent.at(row + p, column), columns, z.at(s + to + p, s + at));
        });
      });
      // X = F_SS⁻¹ F_SB, transposed: Yᵀ L⁻¹; then Z_BS = −Z_BB Xᵀ and Z_SS = F_SS⁻¹ − X Z_BS.
      std::vector<double> x(b * lower.stride + 8, 0);
      CREWE_SIMD_CALL(add_product, x.data(), lower.stride, a.at(0, s), a.stride, lower.at(0, 0), lower.stride, b, s, s,
                      1.0, false);
      CREWE_SIMD_CALL(add_product, z.at(s, 0), z.stride, z.at(s, s), z.stride, x.data(), lower.stride, b, s, b, -1.0,
                      false);
      CREWE_SIMD_CALL(add_product, z.at(0, 0), z.stride, x.data(), lower.stride, z.at(s, 0), z.stride, s, s, b, -1.0,
                      false);
      for (std::size_t row = 0; row < s; ++row) {
        for (std::size_t column = 0; column < b; ++column) *z.at(row, s + column) = *z.at(s + column, row);
      }
    }
    factors_[f] = {};
  }

  const Normal& normal_;
  Dissection tree_;
  std::vector<double> scale_;
  std::vector<std::size_t> place_, parent_;
  Square work_;
  std::vector<Square> factors_, rest_, inverses_;
};

}  // namespace

void inverse_blocks(const Normal& normal, const std::vector<Column>& columns, const Free& free, double factor,
                    View<double, 3> out) {
  const std::size_t np = normal.np, n = normal.n;
  const std::size_t rows = std::min<std::size_t>(free.local.size(), 4);  // the shape (e1, e2) isn't reported
  Inverse inverse(normal, columns);
  const std::vector<double>& scale = inverse.scale();
  inverse.run(
      [&](std::uint32_t c, const double* block, const double* globals, const double* corner, std::size_t stride) {
        double found[4][4] = {};
        for (std::size_t p = 0; p < rows; ++p) {
          const double s = factor * scale[c * np + p];
          for (std::size_t q = 0; q < rows; ++q) found[p][q] = s * scale[c * np + q] * block[p * stride + q];
          if (free.shared_width) found[p][kWidth] = found[kWidth][p] = s * scale[n * np] * globals[p * stride];
        }
        if (free.shared_width) found[kWidth][kWidth] = factor * scale[n * np] * scale[n * np] * corner[0];
        for (std::size_t p = 0; p < 4; ++p) {
          const double alone = p < rows ? block[p * stride + p] : corner[0];
          const double s = p < rows ? scale[c * np + p] : scale[n * np];
          if (s > 0 && alone < kUndetermined) continue;
          for (std::size_t q = 0; q < 4; ++q) found[p][q] = found[q][p] = 0;
          found[p][p] = std::numeric_limits<double>::infinity();
        }
        for (std::size_t p = 0; p < 4; ++p) {
          for (std::size_t q = 0; q < 4; ++q) out(c, p, q) = found[p][q];
        }
      });
}

}  // namespace crewe::atoms
