#include "crewe/metrics/cw_ssim.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "crewe/fft.hpp"
#include "crewe/metrics/sums.hpp"
#include "crewe/parallel.hpp"
#include "metrics/checks.hpp"
#include "metrics/kernels.hpp"

namespace crewe::metrics {
namespace {

using Complex = std::complex<float>;

constexpr float kConstant = 0.02f;     // K of the definition
constexpr double kNegligible = 1e-12;  // a transfer function below this part of its maximum is cut: no denormal numbers
constexpr std::size_t kRows = 32;
constexpr std::size_t kTogether = 7;  // images that are held against one set of coefficients of the reference

// Frequencies of the transform of n samples, in Nyquist frequencies.
std::vector<double> frequencies(std::size_t n) {
  std::vector<double> f(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double k = static_cast<double>(i), all = static_cast<double>(n);
    f[i] = 2 * (2 * i < n ? k : k - all) / all;
  }
  return f;
}

// L_s at x = log₂ r.
double low_pass(double x, int scale) {
  return std::cos(std::numbers::pi / 2 * std::clamp(x + scale + 1, 0.0, 1.0));
}

class Pyramid {
 public:
  Pyramid(std::size_t ny, std::size_t nx, int orientations, int threads)
      : ny_(ny), nx_(nx), orientations_(orientations), threads_(threads), y_(frequencies(ny)), x_(frequencies(nx)) {
    inverse_.resize(ny * nx);
    octave_.resize(ny * nx);
    radial_.resize(ny * nx);
    mirrored(inverse_, [&](std::size_t i, std::size_t j) {
      const double r = std::hypot(y_[i], x_[j]);
      return r > 0 ? static_cast<float>(1 / r) : 0.0f;
    });
    mirrored(octave_, [&](std::size_t i, std::size_t j) {
      return static_cast<float>(std::log2(std::max(std::hypot(y_[i], x_[j]), 0x1p-60)));
    });
    const double n = orientations;
    gain_ = 2 * std::exp((n - 1) * std::log(2.0) + std::lgamma(n) - (std::log(n) + std::lgamma(2 * n - 1)) / 2);
    least_ = std::pow(kNegligible, 1 / (n - 1));
  }

  void set_scale(int scale) {
    mirrored(radial_, [&](std::size_t i, std::size_t j) {
      const double x = octave_[i * nx_ + j];
      if (x >= -scale || x <= -scale - 2) return 0.0f;
      const double above = low_pass(x, scale + 1);
      return static_cast<float>(low_pass(x, scale) * std::sqrt(1 - above * above));
    });
  }

  // The coefficients of `count` images, from their spectra, in one orientation of the scale.
  void coefficients(const Complex* spectra, std::size_t count, int orientation, Complex* out) const {
    const double angle = std::numbers::pi * orientation / orientations_;
    std::vector<float> across(nx_);
    for (std::size_t j = 0; j < nx_; ++j) across[j] = static_cast<float>(x_[j] * std::cos(angle));
    parallel_for(count * ny_, kRows, threads_, [&](std::size_t begin, std::size_t end) {
      for (std::size_t row = begin; row < end; ++row) {
        const std::size_t i = row % ny_;
        const Band band{nx_,
                        radial_.data() + i * nx_,
                        inverse_.data() + i * nx_,
                        across.data(),
                        static_cast<float>(y_[i] * std::sin(angle)),
                        static_cast<float>(gain_),
                        static_cast<float>(least_),
                        orientations_ - 1};
        CREWE_SIMD_CALL(filter_row, band, reinterpret_cast<const float*>(spectra + row * nx_),
                        reinterpret_cast<float*>(out + row * nx_));
      }
    });
    fft::fft2(out, count, ny_, nx_, fft::Direction::inverse, threads_);
  }

 private:
  // A table of what depends on |fy| and |fx| alone: a quarter is worked out.
  template <class Value>
  void mirrored(std::vector<float>& table, const Value& value) const {
    parallel_for(ny_ / 2 + 1, kRows, threads_, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        float* row = table.data() + i * nx_;
        for (std::size_t j = 0; j <= nx_ / 2; ++j) row[j] = row[j == 0 ? 0 : nx_ - j] = value(i, j);
        if (i > 0 && 2 * i != ny_) std::copy(row, row + nx_, table.data() + (ny_ - i) * nx_);
      }
    });
  }

  std::size_t ny_, nx_;
  int orientations_, threads_;
  std::vector<double> y_, x_;
  std::vector<float> inverse_, octave_, radial_;
  double gain_, least_;
};

bool is_flat(View<const float, 2> image) {
  return std::all_of(image.data, image.data + image.size(), [&](float x) { return x == image.data[0]; });
}

// The spectrum of an image of mean 0 and standard deviation 1.
void standardised_spectrum(View<const float, 2> image, Complex* out, int threads) {
  const std::size_t n = image.size();
  const double mean = sums(image, image, threads).a / static_cast<double>(n);
  std::vector<float> centred(n);
  for (std::size_t i = 0; i < n; ++i) centred[i] = static_cast<float>(image.data[i] - mean);
  const View<const float, 2> view(centred.data(), image.shape);
  const double deviation = std::sqrt(sums(view, view, threads).aa / static_cast<double>(n));
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(centred[i] / deviation);
  fft::fft2(out, 1, image.shape[0], image.shape[1], fft::Direction::forward, threads);
}

}  // namespace

void cw_ssim(View<const float, 2> a, View<const float, 3> b, View<float, 3> maps, int scales, int orientations,
             int threads) {
  check_stack(a, b, maps);
  if (scales < 1 || scales > 8) reject("scales", "1..8", std::to_string(scales));
  if (orientations < 2 || orientations > 64) reject("orientations", "2..64", std::to_string(orientations));
  const std::size_t ny = a.shape[0], nx = a.shape[1], n = ny * nx;
  const bool flat_a = is_flat(a);
  std::vector<std::size_t> structured;
  for (std::size_t i = 0; i < b.shape[0]; ++i) {
    const bool flat_b = is_flat(b[i]);
    std::fill_n(maps[i].data, n, flat_a != flat_b ? 1.0f : 0.0f);
    if (!flat_a && !flat_b) structured.push_back(i);
  }
  if (structured.empty()) return;

  Pyramid pyramid(ny, nx, orientations, threads);
  const std::size_t most = std::min(structured.size(), kTogether);
  std::vector<Complex> spectra((1 + most) * n), coefficients((1 + most) * n);
  standardised_spectrum(a, spectra.data(), threads);
  for (std::size_t begin = 0; begin < structured.size(); begin += most) {
    const std::size_t count = std::min(most, structured.size() - begin);
    for (std::size_t i = 0; i < count; ++i) {
      standardised_spectrum(b[structured[begin + i]], spectra.data() + (1 + i) * n, threads);
    }
    for (int scale = 0; scale < scales; ++scale) {
      pyramid.set_scale(scale);
      for (int orientation = 0; orientation < orientations; ++orientation) {
        pyramid.coefficients(spectra.data(), 1 + count, orientation, coefficients.data());
        const auto* c = reinterpret_cast<const float*>(coefficients.data());
        const std::size_t chunks = (ny + kRows - 1) / kRows;
        parallel_for(count * chunks, 1, threads, [&](std::size_t from, std::size_t to) {
          std::vector<float> scratch(window_scratch(nx));
          for (std::size_t k = from; k < to; ++k) {
            const std::size_t i = k / chunks, row = k % chunks * kRows;
            CREWE_SIMD_CALL(compare_rows, c, c + 2 * (1 + i) * n, ny, nx, row, std::min(row + kRows, ny), kConstant,
                            maps[structured[begin + i]].data, scratch.data());
          }
        });
      }
    }
  }
  const float bands = static_cast<float>(scales * orientations);
  for (const std::size_t i : structured) {
    float* map = maps[i].data;
    for (std::size_t k = 0; k < n; ++k) map[k] = std::clamp(map[k] / bands, 0.0f, 1.0f);
  }
}

}  // namespace crewe::metrics
