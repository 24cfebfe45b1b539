// The normal equations of the column model: JᵀWJ by blocks, and Jᵀ W (z − f).
//
// Parameters of a column are "local" (its own), a width shared by all and the background are "global":
//
//   | D  B  ...  b |    D: a block per column, B: a block per pair of columns that overlap,
//   | Bᵀ D       b |    b: a block per column for the globals, c: the globals among themselves
//   | bᵀ      bᵀ c |
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "atoms/kernels.hpp"
#include "crewe/atoms/columns.hpp"

namespace crewe::atoms {

enum Parameter : std::size_t { kY, kX, kHeight, kWidth, kE1, kE2 };
constexpr double Column::* kMembers[kParameters] = {&Column::y,     &Column::x,  &Column::height,
                                                    &Column::width, &Column::e1, &Column::e2};

struct Free {
  std::vector<std::size_t> local;  // parameters that each column has of its own, ascending
  bool shared_width = false;
  bool background = false;

  std::size_t globals() const { return std::size_t{shared_width} + std::size_t{background}; }
};
Free free_of(Width width, bool background);

struct Pair {
  std::uint32_t i, j;  // i < j
};

// How far a Gaussian is looked at, in its (larger) widths, and how far apart two are that don't see each other: those
// with exp(−d²/2(ρ_i² + ρ_j²)) below exp(−apart).
struct Reach {
  double widths, apart;
};
constexpr Reach kSquares{6.1, 16};  // tails of 1e-8, couplings of 1e-7 of the diagonal
constexpr Reach kCounts{8.6, 36};   // tails of 1e-16: without background the weights 1/f raise them to 1e-8

std::vector<Column> columns_from(View<const double, 2> rows);
Canvas canvas_of(std::size_t ny, std::size_t nx);
Box box_of(const Column& column, const Canvas& canvas, double widths);

std::vector<Pair> pairs_of(const std::vector<Column>& columns, double apart);

// Draws background + columns a band of rows at a time, in memory that stays in the cache, and hands each row on:
// take(y, row), from whichever thread drew it.
class TakeRow {
 public:
  template <class F>
  TakeRow(const F& f)
      : object_(&f),
        call_([](const void* object, std::size_t y, const double* row) { (*static_cast<const F*>(object))(y, row); }) {}
  void operator()(std::size_t y, const double* row) const { call_(object_, y, row); }

 private:
  const void* object_;
  void (*call_)(const void*, std::size_t, const double*);
};
void draw_columns(const std::vector<Column>& columns, double background, double widths, const Canvas& canvas,
                  int threads, TakeRow take);

// Of one round column on its own, parameters (y, x, height, width).
using Block = std::array<double, 16>;
// Σ (∂f/∂θ)(∂f/∂θ)ᵀ from Σ g²·d^p along either axis.
Block round_block(const Column& column, const double y[5], const double x[5]);
// Adds Newton's second derivatives −Σ w(z − f)·∂²f/∂θ∂θ, m: the moments of w(z − f)·g: without them faint columns and
// widths take many steps. Left out where the first np parameters would lose most of their curvature.
void curve(const Column& column, std::size_t np, const double m[9], Block& block);

struct Normal {
  std::size_t n = 0, np = 0, ng = 0;
  std::vector<Pair> pairs;
  std::vector<double> diagonal;  // n × np × np
  std::vector<double> coupling;  // pairs × np × np, rows of i
  std::vector<double> border;    // n × np × ng
  std::array<double, 4> corner{};
  std::vector<double> gradient;  // n·np locals, then the globals

  std::size_t size() const { return n * np + ng; }
  // Diagonal elements, locals first.
  std::vector<double> scale() const;
  // Leaves a parameter out: its row and column become those of the unit matrix, its gradient 0.
  void fix(const std::vector<char>& fixed);
};

// slope: w(z − f), or null for no gradient; weights: null means 1.
struct Weights {
  const double* slope;
  const double* weights;
  double total, slope_total;  // Σ w, Σ slope
  bool curved = false;        // add the curvature of the columns themselves, see curve()
};
// Fills `out`, whose memory is used again.
void normal_equations(const std::vector<Column>& columns, const Free& free, const Canvas& canvas,
                      const Weights& weights, const Reach& reach, int threads, Normal& out);

// (H + damping·diag H)·x = gradient by preconditioned conjugate gradients, to a relative residual of 1e-4.
std::vector<double> solve(const Normal& normal, double damping);

// (H + damping·diag H)·x.
void multiply(const Normal& normal, double damping, const std::vector<double>& x, std::vector<double>& out);

// Inverts a symmetric positive definite k × k matrix (k <= 6) in place; a direction without curvature gets 0.
void invert_small(double* matrix, std::size_t k);

}  // namespace crewe::atoms
