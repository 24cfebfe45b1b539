#include "crewe/imaging/ssb_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include "crewe/checks.hpp"
#include "crewe/electron.hpp"

namespace crewe::imaging {
namespace {

constexpr double kMostRadius = 16, kLeastRadius = 4;  // of the disc [joined pixels]
constexpr double kMostBytes = 256e6;                  // of weights
constexpr std::size_t kSamples = 3;                   // per axis of a joined pixel, at which Γ is taken
constexpr double kCut = 0.1;                          // of the largest double overlap
constexpr double kEdge = 1 + 1e-9;                    // pixels on the rim count
constexpr std::size_t kMostPositions = 0xffffffff;    // counted in 32 bits
constexpr std::size_t kMostPixels = 65536;            // along an axis, as of an event

double positive(double value, const char* name, const char* unit) {
  if (!std::isfinite(value) || value <= 0) {
    reject(name, std::string("a positive number [") + unit + "]", std::to_string(value));
  }
  return value;
}

// −n/2 < index <= n/2 of a transform.
double signed_index(std::size_t i, std::size_t n) {
  return static_cast<double>(i) - (2 * i > n ? static_cast<double>(n) : 0.0);
}

}  // namespace

void check_ssb(const SsbOptions& options) {
  if (options.sy == 0 || options.sx == 0 || options.sy > kMostPositions / options.sx) {
    reject("scan", "1 to 2^32 - 1 positions", shape_text(std::array{options.sy, options.sx}));
  }
  if (options.ky == 0 || options.kx == 0 || options.ky > kMostPixels || options.kx > kMostPixels) {
    reject("detector", "1 to 65536 pixels along y and x", shape_text(std::array{options.ky, options.kx}));
  }
  check_pixels(options.dead_pixels.size(), options.ky * options.kx, "dead_pixels");
  check_pixels(options.dark.size(), options.ky * options.kx, "dark");
  check_pixels(options.gain.size(), options.ky * options.kx, "gain");
  if (!std::isfinite(options.cy) || !std::isfinite(options.cx)) {
    reject("center", "finite numbers", std::to_string(options.cy) + " and " + std::to_string(options.cx));
  }
  if (!std::isfinite(options.rotation)) reject("rotation", "a finite number", std::to_string(options.rotation));
  if (!std::isfinite(options.wiener) || options.wiener < 0) {
    reject("wiener", "a finite number, 0 or more,", std::to_string(options.wiener));
  }
  for (const Aberration& a : options.aberrations) {
    if (a.n < 1 || a.m < 0 || a.m > a.n + 1 || !std::isfinite(a.size) || !std::isfinite(a.azimuth)) {
      reject("aberrations", "finite C_nm and phi_nm with n >= 1 and m <= n + 1",
             "n = " + std::to_string(a.n) + ", m = " + std::to_string(a.m) + ", " + std::to_string(a.size) + " and " +
                 std::to_string(a.azimuth));
    }
  }
}

struct SsbPlan::Optics {
  explicit Optics(const SsbOptions& o)
      : lambda(wavelength(positive(o.energy, "energy", "eV"))),
        pixel(positive(o.angle_per_pixel, "angle_per_pixel", "mrad") * 1e-3),
        radius(positive(o.semiangle, "semiangle", "mrad") * 1e-3 / pixel),
        per_frequency(lambda / (pixel * positive(o.step, "step", "Å"))),
        terms(o.aberrations) {}

  bool inside(double y, double x) const { return y * y + x * x <= radius * radius * kEdge; }

  // exp(−iχ); |k|ⁿ⁺¹·cos(m(φ − φ_nm)) = |k|ⁿ⁺¹⁻ᵐ·Re((k_x + i·k_y)ᵐ exp(−imφ_nm))
  std::complex<float> wave(double y, double x) const {
    if (terms.empty()) return 1.0F;
    const std::complex<double> k(x * pixel, y * pixel);
    double chi = 0;
    for (const Aberration& a : terms) {
      std::complex<double> turned = std::polar(1.0, -a.m * a.azimuth);
      for (int i = 0; i < a.m; ++i) turned *= k;
      chi += a.size / (a.n + 1) * turned.real() * std::pow(std::norm(k), 0.5 * (a.n + 1 - a.m));
    }
    chi *= 2 * std::numbers::pi / lambda;
    return {static_cast<float>(std::cos(chi)), static_cast<float>(-std::sin(chi))};
  }

  double lambda, pixel, radius;  // [Å], [rad], [detector pixels]
  double per_frequency;          // detector pixels per cycle/position
  std::vector<Aberration> terms;
};

SsbPlan::SsbPlan(const SsbOptions& options, const Parallel& parallel) {
  const Optics optics(options);
  complex = !optics.terms.empty();
  choose_join(options, optics);
  find_pixels(options, optics);
  find_frequencies(options, optics, parallel);
  make_weights(options, optics, parallel);
}

void SsbPlan::choose_join(const SsbOptions& options, const Optics& optics) {
  const double pi = std::numbers::pi, reach = 2 * optics.radius / optics.per_frequency;  // [cycles/position]
  const double half_plane = std::min(pi * reach * reach, 1.0) / 2 * static_cast<double>(options.sy * options.sx);
  const auto bytes = [&](double radius) { return half_plane * pi * radius * radius * (complex ? 8.0 : 4.0); };
  const auto radius = [&](std::size_t b) { return optics.radius / static_cast<double>(b); };
  while ((radius(join) > kMostRadius || bytes(radius(join)) > kMostBytes) && radius(join + 1) >= kLeastRadius) ++join;
}

void SsbPlan::find_pixels(const SsbOptions& options, const Optics& optics) {
  const std::size_t ky = options.ky, kx = options.kx, wide = (kx + join - 1) / join;
  const std::size_t stride = (join + kSamples - 1) / kSamples;
  place.assign(ky * kx, -1);
  std::vector<std::int32_t> of_cell(wide);
  for (std::size_t top = 0; top < ky; top += join) {
    // Joined pixels of this band in their order, then the detector pixels in theirs.
    const std::size_t bottom = std::min(ky, top + join);
    const auto offset = [&](std::size_t row, std::size_t col) {
      return Shift{static_cast<double>(row) - options.cy, static_cast<double>(col) - options.cx};
    };
    const auto bright = [&](std::size_t row, std::size_t col) {
      const Shift k = offset(row, col);
      return optics.inside(k.y, k.x) && (options.dead_pixels.empty() || options.dead_pixels[row * kx + col] == 0);
    };
    std::fill(of_cell.begin(), of_cell.end(), -1);
    for (std::size_t col = 0; col < kx; ++col) {
      for (std::size_t row = top; row < bottom; ++row) {
        if (!bright(row, col) || of_cell[col / join] >= 0) continue;
        of_cell[col / join] = static_cast<std::int32_t>(parts_.size());
        parts_.push_back(0);
        counts_.push_back(0);
      }
    }
    for (std::size_t row = top; row < bottom; ++row) {
      for (std::size_t col = 0; col < kx; ++col) {
        if (!bright(row, col)) continue;
        const std::int32_t bin = of_cell[col / join];
        const auto at = static_cast<std::size_t>(bin);
        place[row * kx + col] = bin;
        ++members;
        parts_[at] += 1;
        const bool first = counts_[at] == 0;
        if (first || ((row - top) % stride == 0 && col % join % stride == 0)) {
          const Shift k = offset(row, col);
          samples_.push_back({k.y, k.x, optics.wave(k.y, k.x), at});
          counts_[at] += 1;
        }
        const bool follows =
            !pieces.empty() && pieces.back().row == row && pieces.back().col + pieces.back().count == col;
        if (follows) {
          ++pieces.back().count;
        } else {
          pieces.push_back(
              {static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(col), 1, static_cast<std::uint32_t>(bin)});
        }
      }
    }
  }
  constexpr std::size_t kLeast = 4;
  if (members < kLeast) {
    reject("semiangle, angle_per_pixel, center",
           "a bright disc of " + std::to_string(kLeast) + " pixels or more on the detector",
           "one of " + std::to_string(members));
  }
  pixels = (parts_.size() + 2 * kSsbLanes - 1) / (2 * kSsbLanes) * (2 * kSsbLanes);
}

// Double overlap in samples; `single`: without what both sidebands share.
std::size_t SsbPlan::overlap(const Optics& optics, Shift q, bool single) const {
  std::size_t n = 0;
  for (const Sample& k : samples_) {
    const bool plus = optics.inside(k.y - q.y, k.x - q.x), minus = optics.inside(k.y + q.y, k.x + q.x);
    n += (single ? plus != minus : plus || minus) ? 1U : 0U;
  }
  return n;
}

// Half of the plane: φ(−Q) = φ*(Q). Without the Nyquist frequencies, whose sign nobody knows.
void SsbPlan::find_frequencies(const SsbOptions& options, const Optics& optics, const Parallel& parallel) {
  const std::size_t sy = options.sy, sx = options.sx, half = (sx + 1) / 2;
  const double c = std::cos(options.rotation) * optics.per_frequency;
  const double s = std::sin(options.rotation) * optics.per_frequency;
  const bool single = options.wiener == 0;
  const auto shift = [&](std::size_t row, std::size_t col) {
    const double fy = signed_index(row, sy) / static_cast<double>(sy),
                 fx = signed_index(col, sx) / static_cast<double>(sx);
    const Shift q{c * fy - s * fx, s * fy + c * fx};
    return options.transpose ? Shift{q.x, q.y} : q;
  };
  std::vector<std::size_t> found(half * sy, 0);
  parallel(half, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t col = begin; col < end; ++col) {
      for (std::size_t row = 0; row < sy; ++row) {
        if (2 * row == sy || (col == 0 && (row == 0 || 2 * row > sy))) continue;
        const Shift q = shift(row, col);
        if (q.y * q.y + q.x * q.x <= 4 * optics.radius * optics.radius) {
          found[col * sy + row] = overlap(optics, q, single);
        }
      }
    }
  });
  const double most = static_cast<double>(*std::max_element(found.begin(), found.end()));
  for (std::size_t col = 0; col < half; ++col) {
    SsbColumn column{col, rows.size(), 0};
    for (std::size_t row = 0; row < sy; ++row) {
      const auto n = static_cast<double>(found[col * sy + row]);
      if (n == 0 || (single && n < kCut * most)) continue;
      rows.push_back(static_cast<std::uint32_t>(row));
      shifts_.push_back(shift(row, col));
      ++column.count;
    }
    if (column.count != 0) columns.push_back(column);
  }
}

// W (less its mean) of one frequency in the order of `ssb_unpack`, and Σ W Γ.
std::complex<double> SsbPlan::weigh(const Optics& optics, Shift q, bool single, float* out) const {
  using Number = std::complex<double>;
  const std::size_t bins = parts_.size();
  std::vector<Number> weight(bins), gamma(bins);
  for (const Sample& k : samples_) {
    const bool plus = optics.inside(k.y - q.y, k.x - q.x), minus = optics.inside(k.y + q.y, k.x + q.x);
    if (!plus && !minus) continue;
    std::complex<float> g = 0;
    if (plus) g += std::conj(k.wave) * optics.wave(k.y - q.y, k.x - q.x);
    if (minus) g -= k.wave * std::conj(optics.wave(k.y + q.y, k.x + q.x));
    const Number value(g);
    gamma[k.bin] += value / counts_[k.bin];
    if (!(single && plus && minus)) weight[k.bin] += std::conj(value) / counts_[k.bin];
  }
  Number mean = 0, gain = 0;
  for (std::size_t k = 0; k < bins; ++k) mean += weight[k] * parts_[k];
  mean /= static_cast<double>(members);
  for (std::size_t k = 0; k < bins; ++k) {
    const Number w = weight[k] - mean;
    gain += w * gamma[k] * parts_[k];
    const std::size_t at = k % 2 == 0 ? k / 2 : (pixels + k) / 2;
    out[at] = static_cast<float>(w.real());
    if (complex) out[pixels + at] = static_cast<float>(w.imag());
  }
  return gain;
}

void SsbPlan::make_weights(const SsbOptions& options, const Optics& optics, const Parallel& parallel) {
  const std::size_t each = complex ? 2 * pixels : pixels;
  weights.assign(rows.size() * each, 0.0F);
  scale.assign(rows.size(), 0.0);
  parallel(rows.size(), 16, [&](std::size_t begin, std::size_t end) {
    for (std::size_t q = begin; q < end; ++q) {
      scale[q] = weigh(optics, shifts_[q], options.wiener == 0, weights.data() + q * each);
    }
  });
  double most = 0;
  for (const auto& gain : scale) most = std::max(most, std::abs(gain));
  for (auto& gain : scale) {
    const double size = std::abs(gain), epsilon = options.wiener;
    if (size < 1e-9 * most) {
      gain = 0;
    } else {
      gain = std::complex<double>(0, -1) / gain * ((1 + epsilon) * size / (size + epsilon * most));
    }
  }
  samples_ = {};
  shifts_ = {};
}

}  // namespace crewe::imaging
