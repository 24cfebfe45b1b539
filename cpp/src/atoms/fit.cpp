#include "crewe/atoms/fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "atoms/inverse.hpp"
#include "atoms/lone.hpp"
#include "atoms/start.hpp"

namespace crewe::atoms {
namespace {

constexpr int kMostRound = 300, kMostElliptic = 100;  // steps
// A step is the last one when it lowers the objective by less than this part of the noise of one parameter, on average.
constexpr double kEnough = 1e-7;
constexpr double kFirstDamping = 0.1, kNearDamping = 1e-4, kLeastDamping = 1e-8, kMostDamping = 1e8;
constexpr int kMostRounds = 4;     // in which parameters are held back
constexpr double kTrusted = 0.5;   // of what a step should gain: second derivatives tell
constexpr double kThinnest = 0.3;  // pixels: a thinner column is a point
constexpr double kWidthRange = 4;  // widths of single columns lie within this factor of the first guess
constexpr double kLongest = 1.5;   // |e1|, |e2|: axes up to 1 : 4.2
constexpr double kDarkest = 1e-4;  // of the mean: expectations below play no part in the Poisson objective

// Columns and background, the image that they make, and how far that is from the one given.
struct State {
  std::vector<Column> columns;
  double background = 0;
  std::vector<double> slope, weights;
  Sums sums{};
};

class Fitter {
 public:
  Fitter(const Canvas& canvas, const std::vector<double>& image, const FitOptions& options)
      : canvas_(canvas), image_(image), options_(options), rows_(canvas.ny) {}

  void evaluate(State& state, bool poisson) {
    state.slope.resize(image_.size());
    state.weights.resize(poisson ? image_.size() : 0);
    const Weighing how{poisson, floor_};
    const auto take = [&](std::size_t y, const double* model) {
      const std::size_t at = y * canvas_.stride;
      rows_[y] = CREWE_SIMD_CALL(weigh_row, image_.data() + at, model, canvas_.nx, how, state.slope.data() + at,
                                 poisson ? state.weights.data() + at : nullptr);
    };
    draw_columns(state.columns, state.background, reach(poisson).widths, canvas_, options_.threads, take);
    state.sums = {};
    for (const Sums& row : rows_) {
      state.sums.objective += row.objective;
      state.sums.squares += row.squares;
      state.sums.weights += row.weights;
      state.sums.gradient += row.gradient;
    }
  }

  Normal& normal(const State& state, const Free& free, bool poisson, bool curved = false) {
    return fill(state.slope.data(), state, free, poisson, curved);
  }
  // Without the gradient.
  const Normal& information(const State& state, const Free& free, bool poisson) {
    return fill(nullptr, state, free, poisson, false);
  }

  // Heights and background that fit best, all else given: a linear problem.
  void set_heights(State& state) {
    const Free free{{kHeight}, false, options_.background};
    state.slope = image_;
    state.sums.weights = static_cast<double>(canvas_.ny * canvas_.nx);
    state.sums.gradient = std::accumulate(image_.begin(), image_.end(), 0.0);
    const std::vector<double> x = solve(normal(state, free, false), 0);
    for (std::size_t i = 0; i < state.columns.size(); ++i) state.columns[i].height = x[i];
    if (options_.background) state.background = x.back();
    evaluate(state, false);
  }

  // Lone columns one by one: all together then need few steps.
  void settle_lone(State& state, const Free& free, const std::vector<Bounds>& bounds) {
    std::vector<char> lone(state.columns.size(), free.local.size() <= 4);
    for (const Pair& pair : pairs_of(state.columns, kSquares.apart)) lone[pair.i] = lone[pair.j] = 0;
    if (std::find(lone.begin(), lone.end(), 1) == lone.end()) return;
    State& trial = trial_;
    trial.columns = state.columns;
    trial.background = state.background;
    const double noise = variance(state, state.columns.size() * free.local.size() + free.globals());
    settle(trial.columns, lone, !free.shared_width, bounds, canvas_, state.slope, noise, options_.threads);
    evaluate(trial, false);
    if (trial.sums.objective < state.sums.objective) std::swap(state, trial);
    settled_ = std::find(lone.begin(), lone.end(), 0) == lone.end();
  }

  // Levenberg and Marquardt. Returns whether it converged.
  bool improve(State& state, const Free& free, const std::vector<Bounds>& bounds, bool poisson, int& iterations) {
    if (poisson) {
      floor_ = kDarkest * mean();
      for (Column& column : state.columns) column.height = std::max(column.height, 0.01 * floor_);
      state.background = std::max(state.background, 0.0);
      evaluate(state, true);
    }
    double damping = settled_ ? kNearDamping : kFirstDamping, fall = 10;
    bool near = poisson || settled_;
    State& trial = trial_;
    const int most = options_.width == Width::elliptic ? kMostElliptic : kMostRound;
    while (iterations < most) {
      Normal& equations = normal(state, free, poisson, near);
      equations.fix(held(state, free, bounds, equations, poisson));
      const auto range = limits(state, free, bounds, poisson);
      for (bool better = false; !better;) {
        double gain = 0;
        const std::vector<double> step = step_within(equations, damping, range, gain);
        const double parameters = static_cast<double>(equations.size());
        const double noise = poisson ? 1 : variance(state, equations.size());
        if (gain < 0 && damping <= kMostDamping) {  // held back too much
          if (++iterations >= most) return false;
          damping = std::max(10 * damping, 1e-3);
          continue;
        }
        trial.columns = state.columns;
        trial.background = state.background;
        move(trial, free, bounds, step, poisson);
        evaluate(trial, poisson);
        ++iterations;
        const double lower = state.sums.objective - trial.sums.objective;
        better = lower > 0;
        if (better) std::swap(state, trial);
        if (gain <= kEnough * parameters * noise || damping > kMostDamping) return true;
        if (iterations >= most) return false;
        const double ratio = lower / (gain / 2);
        near = ratio > kTrusted;
        if (!better) fall = 3;  // not back at once to where steps fail
        damping = !better        ? std::max(10 * damping, 1e-3)
                  : ratio > 0.75 ? damping / fall
                  : ratio < 0.25 ? 4 * damping
                                 : damping;
        if (damping < kLeastDamping) damping = 0;
      }
    }
    return false;
  }

  // Of a pixel, from what is left.
  double variance(const State& state, std::size_t parameters) const {
    const std::size_t pixels = canvas_.ny * canvas_.nx;
    return state.sums.squares / static_cast<double>(std::max<std::size_t>(pixels - parameters, 1));
  }

 private:
  Normal& fill(const double* slope, const State& state, const Free& free, bool poisson, bool curved) {
    const Weights weights{slope, poisson ? state.weights.data() : nullptr, state.sums.weights, state.sums.gradient,
                          curved};
    normal_equations(state.columns, free, canvas_, weights, reach(poisson), options_.threads, normal_);
    return normal_;
  }
  static const Reach& reach(bool poisson) { return poisson ? kCounts : kSquares; }
  double mean() const {
    return std::accumulate(image_.begin(), image_.end(), 0.0) / static_cast<double>(canvas_.ny * canvas_.nx);
  }

  // Parameters that stand at a bound and would leave, and those that the image says nothing about.
  std::vector<char> held(const State& state, const Free& free, const std::vector<Bounds>& bounds,
                         const Normal& equations, bool poisson) const {
    const std::vector<double> curvature = equations.scale();
    std::vector<char> fixed(equations.size());
    for (std::size_t k = 0; k < fixed.size(); ++k) fixed[k] = !(curvature[k] > 0);
    for (std::size_t i = 0; i < state.columns.size(); ++i) {
      const Column& column = state.columns[i];
      for (std::size_t p = 0; p < free.local.size(); ++p) {
        const std::size_t k = i * free.local.size() + p, parameter = free.local[p];
        const double slope = equations.gradient[k], value = column.*kMembers[parameter];
        if (value <= bounds[i].low[parameter] && slope < 0) fixed[k] = 1;
        if (value >= bounds[i].high[parameter] && slope > 0) fixed[k] = 1;
      }
    }
    const std::size_t globals = equations.n * equations.np;
    if (poisson && free.background && state.background <= 0 && equations.gradient.back() < 0) fixed.back() = 1;
    if (free.shared_width && !state.columns.empty()) {
      const double width = state.columns[0].width, slope = equations.gradient[globals];
      if (width <= bounds[0].low[kWidth] && slope < 0) fixed[globals] = 1;
      if (width >= bounds[0].high[kWidth] && slope > 0) fixed[globals] = 1;
    }
    return fixed;
  }

  // How far a step may go: each column's so that its Gaussian stays where its derivatives were taken, and in its
  // bounds.
  static std::vector<std::array<double, 2>> limits(const State& state, const Free& free,
                                                   const std::vector<Bounds>& bounds, bool poisson) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    std::vector<std::array<double, 2>> range;
    range.reserve(state.columns.size() * free.local.size() + free.globals());
    const auto add = [&](std::size_t i, std::size_t p) {
      const double value = state.columns[i].*kMembers[p], width = state.columns[i].width;
      const double most = p == kHeight ? infinity : p < kHeight ? 0.7 * width : p == kWidth ? 0.3 * width : 0.5;
      range.push_back({std::max(-most, bounds[i].low[p] - value), std::min(most, bounds[i].high[p] - value)});
    };
    for (std::size_t i = 0; i < state.columns.size(); ++i) {
      for (const std::size_t p : free.local) add(i, p);
    }
    if (free.shared_width) add(0, kWidth);
    if (free.background) range.push_back({poisson ? -state.background : -infinity, infinity});
    return range;
  }

  // The step within its limits and twice what it should gain. Where one parameter is held back the others are solved
  // for again: heights that belong to another width would spoil the step.
  static std::vector<double> step_within(const Normal& equations, double damping,
                                         const std::vector<std::array<double, 2>>& range, double& gain) {
    const std::size_t size = equations.size();
    std::vector<double> step = solve(equations, damping), clamped(size, 0), product(size);
    std::vector<char> stopped(size, 0);
    for (int round = 0; round < kMostRounds; ++round) {
      bool more = false;
      for (std::size_t k = 0; k < size; ++k) {
        if (stopped[k]) continue;
        const double value = std::clamp(step[k], range[k][0], range[k][1]);
        if (value == step[k]) continue;
        stopped[k] = more = true;
        clamped[k] = value;
      }
      if (!more) break;
      Normal rest = equations;
      multiply(equations, damping, clamped, product);
      for (std::size_t k = 0; k < size; ++k) rest.gradient[k] -= product[k];
      rest.fix(stopped);
      step = solve(rest, damping);
      for (std::size_t k = 0; k < size; ++k) {
        if (stopped[k]) step[k] = clamped[k];
      }
    }
    for (std::size_t k = 0; k < size; ++k) step[k] = std::clamp(step[k], range[k][0], range[k][1]);
    multiply(equations, 0, step, product);
    gain = 0;
    for (std::size_t k = 0; k < size; ++k) gain += step[k] * (2 * equations.gradient[k] - product[k]);
    return step;
  }

  static void move(State& state, const Free& free, const std::vector<Bounds>& bounds, const std::vector<double>& step,
                   bool poisson) {
    const std::size_t np = free.local.size(), globals = state.columns.size() * np;
    for (std::size_t i = 0; i < state.columns.size(); ++i) {
      const auto change = [&](std::size_t p, double by) {
        double& value = state.columns[i].*kMembers[p];
        value = std::clamp(value + by, bounds[i].low[p], bounds[i].high[p]);
      };
      for (std::size_t p = 0; p < np; ++p) change(free.local[p], step[i * np + p]);
      if (free.shared_width) change(kWidth, step[globals]);
    }
    if (free.background) {
      state.background += step.back();
      if (poisson) state.background = std::max(state.background, 0.0);
    }
  }

  const Canvas canvas_;
  const std::vector<double>& image_;
  const FitOptions& options_;
  double floor_ = 0;
  bool settled_ = false;  // all columns were lone
  State trial_;
  std::vector<Sums> rows_;
  Normal normal_;
};

std::vector<Bounds> bounds_of(const std::vector<Column>& columns, const std::vector<double>& nearest,
                              const Canvas& canvas, const FitOptions& options) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double size[2] = {static_cast<double>(canvas.ny), static_cast<double>(canvas.nx)};
  std::vector<Bounds> bounds(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column& c = columns[i];
    Bounds& b = bounds[i];
    const double place[2] = {c.y, c.x};
    for (int axis = 0; axis < 2; ++axis) {
      b.low[axis] = std::max(place[axis] - nearest[i] / 2, -0.5);
      b.high[axis] = std::min(place[axis] + nearest[i] / 2, size[axis] - 0.5);
    }
    b.low[kHeight] = options.poisson ? 0 : -infinity;
    b.high[kHeight] = infinity;
    const bool shared = options.width == Width::shared;
    b.low[kWidth] = shared ? kThinnest : std::max(c.width / kWidthRange, kThinnest);
    b.high[kWidth] = shared ? std::max(size[0], size[1]) : std::max(c.width * kWidthRange, 2 * kThinnest);
    b.low[kE1] = b.low[kE2] = -kLongest;
    b.high[kE1] = b.high[kE2] = kLongest;
  }
  return bounds;
}

template <class T>
Fit fit_any(View<const T, 2> image, View<const double, 2> start, const FitOptions& options, View<double, 2> columns,
            View<double, 3> covariance) {
  const std::size_t n = start.shape[0];
  if (start.shape[1] != 2) throw std::invalid_argument("positions: shape (n, 2) wanted");
  if (columns.shape != std::array<std::size_t, 2>{n, kParameters} ||
      covariance.shape != std::array<std::size_t, 3>{n, 4, 4}) {
    throw std::invalid_argument("columns (n, 6) and covariance (n, 4, 4) wanted");
  }
  const Free free = free_of(options.width, options.background);
  const Canvas canvas = canvas_of(image.shape[0], image.shape[1]);
  if (free.local.size() * n + free.globals() > image.size()) {
    throw std::invalid_argument("positions: fewer parameters than pixels wanted");
  }
  std::vector<double> pixels(canvas.ny * canvas.stride, 0);
  for (std::size_t y = 0; y < canvas.ny; ++y) {
    for (std::size_t x = 0; x < canvas.nx; ++x) pixels[y * canvas.stride + x] = static_cast<double>(image(y, x));
  }
  // Neighbours in memory as in the image.
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return start(a, 0) != start(b, 0) ? start(a, 0) < start(b, 0) : a < b;
  });
  State state;
  for (const std::size_t k : order) state.columns.push_back({start(k, 0), start(k, 1), 0, 1, 0, 0});
  const std::vector<double> nearest = nearest_distances(state.columns, canvas);
  const double width = first_width(state.columns, nearest, canvas, pixels);
  for (Column& column : state.columns) column.width = width;
  const std::vector<Bounds> bounds = bounds_of(state.columns, nearest, canvas, options);

  Fitter fitter(canvas, pixels, options);
  fitter.set_heights(state);
  fitter.settle_lone(state, free, bounds);
  int iterations = 0;
  bool converged = n == 0 || fitter.improve(state, free, bounds, false, iterations);
  if (options.poisson && n > 0) converged = fitter.improve(state, free, bounds, true, iterations = 0);

  const Normal& last = fitter.information(state, free, options.poisson && n > 0);
  std::vector<double> found(n * 16);
  const double factor = options.poisson ? 1 : fitter.variance(state, last.size());
  inverse_blocks(last, state.columns, free, factor, {found.data(), {n, 4, 4}});
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t p = 0; p < kParameters; ++p) columns(order[i], p) = state.columns[i].*kMembers[p];
    for (std::size_t p = 0; p < 16; ++p) covariance(order[i], p / 4, p % 4) = found[16 * i + p];
  }
  return {state.background, state.sums.squares, iterations, converged};
}

}  // namespace

Fit fit(View<const float, 2> image, View<const double, 2> start, const FitOptions& options, View<double, 2> columns,
        View<double, 3> covariance) {
  return fit_any(image, start, options, columns, covariance);
}

Fit fit(View<const double, 2> image, View<const double, 2> start, const FitOptions& options, View<double, 2> columns,
        View<double, 3> covariance) {
  return fit_any(image, start, options, columns, covariance);
}

}  // namespace crewe::atoms
