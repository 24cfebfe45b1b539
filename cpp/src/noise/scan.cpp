#include "crewe/noise/scan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "crewe/parallel.hpp"
#include "lines.hpp"

namespace crewe::noise {
namespace {

constexpr std::size_t kLineGrain = 16;

// One line of `n` elements of `width` numbers, read at i + shift.
void shift_line(const float* line, std::size_t n, std::size_t width, double shift, std::vector<float>& padded,
                float* out) {
  const Place place = split(shift);
  if (place.fraction == 0.0) {
    mirrored_line(line, n, place.whole, n, width, out);
    return;
  }
  std::array<float, kTaps> taps;
  spline_taps(place.fraction, taps.data());
  padded.resize((n + kTaps - 1) * width);
  mirrored_line(line, n, place.whole + 1 - kReach, n + kTaps - 1, width, padded.data());
  CREWE_SIMD_CALL(filter, padded.data(), out, n * width, taps.data(), kTaps, static_cast<std::ptrdiff_t>(width));
}

}  // namespace

void jitter_series(double* shifts, std::size_t lines, std::ptrdiff_t stride, double sigma, double phi, int axis,
                   std::uint64_t seed, std::uint32_t picture) {
  if (!(sigma >= 0)) reject("sigma", "0 pixels or more", std::to_string(sigma));
  if (!(phi >= 0 && phi < 1)) reject("phi", "0 <= phi < 1", std::to_string(phi));
  rng::Sequence numbers({seed, rng::Stage::jitter, picture}, static_cast<std::uint64_t>(axis) << 32);
  double shift = 0;
  for (std::size_t j = 0; j < lines; ++j, shifts += stride) {
    const double step = sigma * numbers.normal();
    shift = j == 0 ? step / std::sqrt(1 - phi * phi) : phi * shift + step;
    *shifts = shift;
  }
}

void shift_lines(View<const float, 2> image, View<const double, 2> shifts, View<float, 2> out, int threads) {
  check_apart(image, out);
  const std::size_t ny = image.shape[0], nx = image.shape[1];
  check_shape(shifts, {ny, 2}, "shifts");
  parallel_for(ny, kLineGrain, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<float> line(nx), padded;
    std::array<float, kTaps> taps;
    std::array<const float*, kTaps> rows;
    for (std::size_t j = begin; j < end; ++j) {
      const Place place = split(static_cast<double>(j) + shifts(j, 0));
      const float* source = image.data + mirrored(place.whole, ny) * nx;
      if (place.fraction != 0.0) {
        spline_taps(place.fraction, taps.data());
        for (std::size_t t = 0; t < kTaps; ++t) {
          const std::ptrdiff_t row = place.whole + 1 - kReach + static_cast<std::ptrdiff_t>(t);
          rows[t] = image.data + mirrored(row, ny) * nx;
        }
        CREWE_SIMD_CALL(combine, rows.data(), taps.data(), kTaps, line.data(), nx);
        source = line.data();
      }
      shift_line(source, nx, 1, shifts(j, 1), padded, out.data + j * nx);
    }
  });
}

namespace {

constexpr double kSmoothing =
    1e-3;  // [pixel³]: 7 % less at half the Nyquist frequency, lines 0.1 pixel apart are averaged

// Weights of the natural smoothing spline through the places `at` (relative to the wanted place): the solution of
// [|at_i − at_j|³ + ε δ_ij, (1, at_i); transposed, 0] w = [|at_i|³; 1, 0].
void spline_weights(const double* at, std::size_t n, double* weights) {
  constexpr std::size_t kSize = kNear + 2;
  double m[kSize][kSize + 1] = {};
  const std::size_t size = n + 2;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const double d = std::abs(at[i] - at[j]);
      m[i][j] = d * d * d;
    }
    m[i][i] += kSmoothing;
    m[i][n] = m[n][i] = 1;
    m[i][n + 1] = m[n + 1][i] = at[i];
    const double d = std::abs(at[i]);
    m[i][size] = d * d * d;
  }
  m[n][size] = 1;
  for (std::size_t c = 0; c < size; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c + 1; r < size; ++r) {
      if (std::abs(m[r][c]) > std::abs(m[pivot][c])) pivot = r;
    }
    std::swap(m[c], m[pivot]);
    if (m[c][c] == 0) continue;
    for (std::size_t r = 0; r < size; ++r) {
      if (r == c) continue;
      const double factor = m[r][c] / m[c][c];
      for (std::size_t k = c; k <= size; ++k) m[r][k] -= factor * m[c][k];
    }
  }
  for (std::size_t i = 0; i < n; ++i) weights[i] = m[i][i] == 0 ? 0 : m[i][size] / m[i][i];
}

}  // namespace

std::vector<Recipe> unshift_recipes(View<const double, 2> shifts) {
  const std::size_t ny = shifts.shape[0];
  std::vector<Recipe> result(ny);
  std::vector<std::size_t> order(ny);
  std::vector<double> place(ny);
  bool still = true;
  for (std::size_t j = 0; j < ny; ++j) {
    place[j] = static_cast<double>(j) + shifts(j, 0);
    order[j] = j;
    still = still && shifts(j, 0) == 0;
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return place[a] < place[b]; });
  for (std::size_t y = 0; y < ny; ++y) {
    Recipe& recipe = result[y];
    if (still || ny < 3) {
      recipe.count = 1;
      recipe.lines[0] = y;
      recipe.weights[0] = 1;
      continue;
    }
    const auto wanted = static_cast<double>(y);
    const std::size_t n = std::min(kNear, ny);
    // The window of n lines in order of place that lies nearest.
    std::size_t first = 0;
    while (first + n < ny && place[order[first + n]] - wanted < wanted - place[order[first]]) ++first;
    std::array<double, kNear> at{}, weights{};
    for (std::size_t i = 0; i < n; ++i) {
      recipe.lines[i] = order[first + i];
      at[i] = place[order[first + i]] - wanted;
    }
    spline_weights(at.data(), n, weights.data());
    recipe.count = n;
    for (std::size_t i = 0; i < n; ++i) recipe.weights[i] = static_cast<float>(weights[i]);
  }
  return result;
}

void unshift(View<const float, 3> data, View<const double, 2> shifts, View<float, 3> out, int threads) {
  check_contiguous(data, "data");
  check_shape(out, data.shape, "out");
  check_contiguous(out, "out");
  const std::size_t ny = data.shape[0], nx = data.shape[1], inner = data.shape[2];
  check_shape(shifts, {ny, 2}, "shifts");
  if (data.size() == 0) return;
  const std::vector<Recipe> recipe = unshift_recipes(shifts);
  // Columns of the inner axes go one block after the other: what is kept in between is ny·nx·block numbers.
  const std::size_t block = std::min<std::size_t>(inner, 32);
  std::vector<float> kept(ny * nx * block);
  for (std::size_t c = 0; c < inner; c += block) {
    const std::size_t width = std::min(block, inner - c);
    parallel_for(ny, kLineGrain, threads, [&](std::size_t begin, std::size_t end) {
      std::vector<float> line(nx * width), padded;
      for (std::size_t j = begin; j < end; ++j) {
        const float* source = data.data + j * nx * inner + c;
        if (width != inner) {
          for (std::size_t i = 0; i < nx; ++i) std::copy_n(source + i * inner, width, line.data() + i * width);
          source = line.data();
        }
        shift_line(source, nx, width, -shifts(j, 1), padded, kept.data() + j * nx * width);
      }
    });
    parallel_for(ny, kLineGrain, threads, [&](std::size_t begin, std::size_t end) {
      std::vector<float> line(nx * width);
      std::array<const float*, kNear> rows{};
      for (std::size_t y = begin; y < end; ++y) {
        for (std::size_t r = 0; r < recipe[y].count; ++r) rows[r] = kept.data() + recipe[y].lines[r] * nx * width;
        float* target = out.data + y * nx * inner + c;
        float* made = width == inner ? target : line.data();
        CREWE_SIMD_CALL(combine, rows.data(), recipe[y].weights, recipe[y].count, made, nx * width);
        if (width == inner) continue;
        for (std::size_t i = 0; i < nx; ++i) std::copy_n(line.data() + i * width, width, target + i * inner);
      }
    });
  }
}

std::vector<float> scan_response(double alpha, double beta, double gamma, double theta) {
  constexpr double pi = std::numbers::pi;
  const auto normalised = [](std::vector<double> h) {
    double sum = 0;
    for (const double value : h) sum += value;
    if (!(sum > 0)) reject("alpha, beta, gamma, theta", "a response of positive sum", std::to_string(sum));
    for (double& value : h) value /= sum;
    return h;
  };
  std::vector<double> detector{1.0}, readout{1.0};
  if (alpha > 0) {
    // The part beyond L is 1 − 2/π·atan(2πL/alpha) = 0.002 at L = 50.7·alpha; 128 keep the shape of a short tail.
    const auto length = static_cast<std::size_t>(std::ceil(std::clamp(50.7 * alpha, 128.0, 65536.0)));
    detector.resize(length);
    for (std::size_t u = 0; u < length; ++u) {
      const double lag = 2 * pi * static_cast<double>(u);
      detector[u] = alpha / (lag * lag + alpha * alpha);
    }
    detector = normalised(std::move(detector));
  }
  if (beta > 0) {
    const auto length = static_cast<std::size_t>(std::ceil(std::min(14.0 * beta, 65536.0))) + 1;
    readout.resize(length);
    for (std::size_t u = 0; u < length; ++u) {
      const auto lag = static_cast<double>(u);
      readout[u] = std::exp(-lag / beta) * std::sin(2 * pi * lag / gamma + theta);
    }
    readout = normalised(std::move(readout));
  }
  std::vector<double> sum(detector.size() + readout.size() - 1);
  for (std::size_t i = 0; i < detector.size(); ++i) {
    for (std::size_t k = 0; k < readout.size(); ++k) sum[i + k] += detector[i] * readout[k];
  }
  return {sum.begin(), sum.end()};
}

LineTaps line_taps(const std::vector<float>& response, std::size_t n) {
  const std::size_t count = std::min(response.size(), n);
  LineTaps result{std::vector<float>(count), 0};
  for (std::size_t u = 0; u < count; ++u) result.taps[count - 1 - u] = response[u];
  double rest = 0;
  for (std::size_t u = count; u < response.size(); ++u) rest += static_cast<double>(response[u]);
  result.before = static_cast<float>(rest);
  return result;
}

void fast_scan(View<const float, 2> image, View<float, 2> out, const std::vector<float>& response, int threads) {
  check_pair(image, out);
  if (response.empty()) reject("response", "numbers", "none");
  const std::size_t ny = image.shape[0], nx = image.shape[1];
  const LineTaps line_sum = line_taps(response, nx);
  const std::vector<float>& taps = line_sum.taps;
  const std::size_t count = taps.size();
  parallel_for(ny, kLineGrain, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<float> padded(nx + count - 1);
    for (std::size_t j = begin; j < end; ++j) {
      const float* line = image.data + j * nx;
      std::fill_n(padded.begin(), count - 1, line[0]);
      std::copy_n(line, nx, padded.begin() + static_cast<std::ptrdiff_t>(count - 1));
      const float before = line_sum.before * line[0];
      float* target = out.data + j * nx;
      CREWE_SIMD_CALL(filter, padded.data(), target, nx, taps.data(), count, 1);
      if (line_sum.before != 0) {
        for (std::size_t i = 0; i < nx; ++i) target[i] += before;
      }
    }
  });
}

std::vector<LinePart> line_parts(std::size_t ny, std::size_t nx, std::size_t count, const double length[2],
                                 const double factor[2], std::uint64_t seed, std::uint32_t picture) {
  std::vector<LinePart> parts;
  if (ny == 0 || nx == 0) return parts;
  rng::Sequence numbers({seed, rng::Stage::row_lines, picture});
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t row = numbers.below(ny);
    const double part = numbers.uniform(length[0], length[1]) * static_cast<double>(nx);
    const std::size_t size = std::clamp<std::size_t>(static_cast<std::size_t>(std::lround(part)), 1, nx);
    const std::size_t first = numbers.below(nx - size + 1);
    parts.push_back({row * nx + first, size, numbers.uniform(factor[0], factor[1])});
  }
  return parts;
}

void row_lines(View<float, 2> image, std::size_t count, const double length[2], const double factor[2],
               std::uint64_t seed, std::uint32_t picture) {
  check_pair(image, image);
  for (const LinePart& part : line_parts(image.shape[0], image.shape[1], count, length, factor, seed, picture)) {
    float* segment = image.data + part.first;
    double sum = 0;
    for (std::size_t i = 0; i < part.size; ++i) sum += static_cast<double>(segment[i]);
    std::fill_n(segment, part.size, static_cast<float>(sum / static_cast<double>(part.size) * part.factor));
  }
}

}  // namespace crewe::noise
