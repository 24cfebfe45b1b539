#include "atoms/lone.hpp"

#include <algorithm>
#include <cmath>

#include "crewe/parallel.hpp"

namespace crewe::atoms {
namespace {

constexpr int kMostTrials = 20;
constexpr double kEnough = 1e-2;  // of the noise: what is left is for the steps of all columns together
constexpr double kFirstDamping = 1e-4, kWidest = 1.5;

// The pixels around a column, without the others, and what they say about it.
class Window {
 public:
  Window(const Canvas& canvas, const std::vector<double>& residual) : canvas_(canvas), residual_(residual) {}

  // The pixels of `column`, which is counted from the window's corner from then on.
  bool take(Column& column) {
    const Box box = box_of(column, canvas_, kSquares.widths);
    if (box.y0 >= box.y1 || box.x0 >= box.x1) return false;
    y0_ = static_cast<double>(box.y0), x0_ = static_cast<double>(box.x0);
    column.y -= y0_, column.x -= x0_;
    const std::size_t width = box.x1 - box.x0;
    small_ = {box.y1 - box.y0, std::min(canvas_.nx, box.x1) - box.x0, width};
    box_ = {0, small_.ny, 0, width};
    pixels_.resize(std::max(pixels_.size(), small_.ny * width));
    scratch_.resize(std::max(scratch_.size(), scratch_of(small_)));
    for (std::size_t y = 0; y < small_.ny; ++y) {
      std::copy_n(residual_.data() + (box.y0 + y) * canvas_.stride + box.x0, width, pixels_.data() + y * width);
    }
    CREWE_SIMD_CALL(draw_column, column, box_, small_, pixels_.data(), 0, scratch_.data());
    return true;
  }
  void give_back(Column& column) const { column.y += y0_, column.x += x0_; }

  // The objective but for a constant; slope and curvature on demand.
  double look(const Column& c) {
    double single[3];
    const double u = 1 / (c.width * c.width);
    std::fill_n(moments_, 9, 0.0);
    CREWE_SIMD_CALL(moments, c, box_, small_, pixels_.data(), moments_, scratch_.data());
    CREWE_SIMD_CALL(own_moments, c.y, u, 0, small_.ny, single, y_);
    CREWE_SIMD_CALL(own_moments, c.x, u, 0, small_.nx, single, x_);
    return c.height * (0.5 * c.height * (y_[0] * x_[0]) - moments_[0]);
  }

  // At the column looked at last: the curvature of its first np parameters, and the slope.
  void derivatives(const Column& c, std::size_t np, Block& block, double slope[4]) const {
    const double h = c.height, k = h / (c.width * c.width);
    const double own[9] = {y_[0] * x_[0],
                           y_[1] * x_[0],
                           y_[0] * x_[1],
                           y_[2] * x_[0],
                           y_[1] * x_[1],
                           y_[0] * x_[2],
                           y_[3] * x_[0] + y_[1] * x_[2],
                           y_[2] * x_[1] + y_[0] * x_[3],
                           (y_[4] * x_[0] + y_[0] * x_[4]) + 2 * (y_[2] * x_[2])};
    double left[9];
    for (int m = 0; m < 9; ++m) left[m] = moments_[m] - h * own[m];
    slope[kY] = k * left[1];
    slope[kX] = k * left[2];
    slope[kHeight] = left[0];
    slope[kWidth] = k / c.width * (left[3] + left[5]);
    block = round_block(c, y_, x_);
    curve(c, np, left, block);
  }

 private:
  const Canvas& canvas_;
  const std::vector<double>& residual_;
  Canvas small_{};
  Box box_{};
  double y0_ = 0, x0_ = 0, moments_[9] = {}, y_[5] = {}, x_[5] = {};
  std::vector<double> pixels_, scratch_;
};

void settle_one(Column& column, std::size_t np, const Bounds& bounds, double noise, Window& window) {
  const double start[2] = {column.y, column.x}, widest = std::min(bounds.high[kWidth], kWidest * column.width);
  if (!window.take(column)) return;
  const double shift[2] = {start[0] - column.y, start[1] - column.x};
  const double low[4] = {bounds.low[kY] - shift[0], bounds.low[kX] - shift[1], bounds.low[kHeight], bounds.low[kWidth]};
  const double high[4] = {bounds.high[kY] - shift[0], bounds.high[kX] - shift[1], bounds.high[kHeight], widest};
  double damping = kFirstDamping, best = window.look(column);
  int trials = 0;
  for (bool done = false; !done;) {
    Block block;
    double slope[4];
    window.derivatives(column, np, block, slope);
    for (bool better = false; !better && !done;) {
      double inverse[16], gain = 0;
      for (std::size_t p = 0; p < np; ++p) {
        for (std::size_t q = 0; q < np; ++q) inverse[p * np + q] = block[4 * p + q];
        inverse[p * np + p] *= 1 + damping;
      }
      invert_small(inverse, np);
      Column trial = column;
      const double most[4] = {0.7 * column.width, 0.7 * column.width, INFINITY, 0.3 * column.width};
      for (std::size_t p = 0; p < np; ++p) {
        double step = 0;
        for (std::size_t q = 0; q < np; ++q) step += inverse[p * np + q] * slope[q];
        gain += step * slope[p];
        double& value = trial.*kMembers[p];
        value = std::clamp(value + std::clamp(step, -most[p], most[p]), low[p], high[p]);
      }
      done = !(gain > kEnough * noise) || ++trials >= kMostTrials;
      const double found = done ? best : window.look(trial);
      better = done || found < best;
      damping = better ? damping / 10 : std::max(10 * damping, 1e-3);
      if (better) column = trial, best = found;
    }
  }
  window.give_back(column);
}

}  // namespace

void settle(std::vector<Column>& columns, const std::vector<char>& lone, bool width_free,
            const std::vector<Bounds>& bounds, const Canvas& canvas, const std::vector<double>& residual, double noise,
            int threads) {
  parallel_for(columns.size(), 64, threads, [&](std::size_t begin, std::size_t end) {
    Window window(canvas, residual);
    for (std::size_t i = begin; i < end; ++i) {
      if (lone[i]) settle_one(columns[i], width_free ? 4 : 3, bounds[i], noise, window);
    }
  });
}

}  // namespace crewe::atoms
