#include "crewe/atoms/log_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "crewe/fft.hpp"
#include "crewe/parallel.hpp"

namespace crewe::atoms {
namespace {

constexpr double kLatticeShare = 0.18;  // crystals: 0.001 to 0.13, single atoms on carbon: above 0.24
constexpr double kWeakScale = 0.03;     // of the strongest maximum over σ: what is less isn't a scale of the image
constexpr double kLeastSignal = 0.1;    // of the noise in an octave; crystals of 5 electrons per column have 0.35
constexpr float kHighestExcess = 4;     // more than that isn't noise
constexpr double kFiner = 0.55;         // parts a pair of columns that are a third of a lattice spacing apart
constexpr double kHotQuantile = 0.9995;
constexpr double kBin = 1.0 / 1024;  // width of a ring [cycles/pixel]
constexpr std::size_t kRings = 726;  // up to √½ cycles/pixel
constexpr std::size_t kRowGrain = 16;

using Complex = std::complex<float>;

double frequency(std::size_t k, std::size_t n) {
  const double index = static_cast<double>(k);
  return (2 * k < n ? index : index - static_cast<double>(n)) / static_cast<double>(n);
}

// The index that stands at i of the line 0 ... n − 1 continued as in a mirror.
std::size_t mirrored(std::size_t i, std::size_t n) {
  if (n == 1) return 0;
  i %= 2 * (n - 1);
  return i < n ? i : 2 * (n - 1) - i;
}

// Lengthens a line so that its end runs into its beginning: element i of the rest is (1 − weight) of the mirrored end
// and weight of the mirrored beginning.
struct Join {
  std::size_t end, begin;
  float weight;
};

std::vector<Join> joins(std::size_t n, std::size_t longer) {
  std::vector<Join> result;
  for (std::size_t i = n; i < longer; ++i) {
    const double t = static_cast<double>(i - n + 1) / static_cast<double>(longer - n + 1);
    result.push_back({mirrored(i, n), mirrored(longer - i, n), static_cast<float>(t * t * (3 - 2 * t))});
  }
  return result;
}

std::size_t padded(std::size_t n) {
  return fft::good_size(n + std::max<std::size_t>(16, n / 32));
}

// A pixel above 99.95 % of all is hot if no neighbour comes near: it is lowered to the highest of them, or to that
// level.
std::vector<float> without_hot_pixels(View<const float, 2> image) {
  const std::size_t ny = image.shape[0], nx = image.shape[1], n = ny * nx;
  std::vector<float> sample;
  const std::size_t step = n > 100000 ? 7 : 1;
  for (std::size_t i = 0; i < n; i += step) sample.push_back(image.data[i]);
  const auto place = static_cast<std::size_t>(kHotQuantile * static_cast<double>(sample.size() - 1));
  std::nth_element(sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(place), sample.end());
  const float level = sample[place];
  std::vector<float> result(image.data, image.data + n);
  for (std::size_t i = 0; i < n; ++i) {
    if (image.data[i] <= level) continue;
    const std::size_t y = i / nx, x = i % nx;
    float highest = level;
    for (std::size_t j = y > 0 ? y - 1 : 0; j <= std::min(y + 1, ny - 1); ++j) {
      for (std::size_t k = x > 0 ? x - 1 : 0; k <= std::min(x + 1, nx - 1); ++k) {
        if (j != y || k != x) highest = std::max(highest, image.data[j * nx + k]);
      }
    }
    result[i] = std::min(image.data[i], highest);
  }
  return result;
}

// What is known of the frequencies of a ring: how many, Σ (P − 2N)₊, Σ (P − 2N)₊².
struct Ring {
  double count = 0, signal = 0, square = 0;
};

// (L(k))² of a ring.
double passed(std::size_t ring, double sigma) {
  const double k = 2 * std::numbers::pi * kBin * (static_cast<double>(ring) + 0.5) * sigma;
  const double value = k * k * std::exp(-k * k / 2);
  return value * value;
}

class Spectrum {
 public:
  Spectrum(View<const float, 2> image, int threads)
      : ny_(padded(image.shape[0])),
        nx_(padded(image.shape[1])),
        threads_(threads),
        field_(ny_ * nx_),
        power_(ny_ * nx_) {
    fill(image);
    fft::fft2(field_.data(), 1, ny_, nx_, fft::Direction::forward, threads);
    measure();
  }

  // σ of the finest scale at which the image has power, if that is the power of a lattice; else 0. Where the shape of a
  // particle drowns the lattice, sharper bands are tried.
  double lattice_scale(double largest) const {
    const std::vector<Ring> rings = this->rings();
    for (const double sharpness : {1.0, 2.0, 4.0}) {
      const double sigma = finest_scale(rings, largest, sharpness);
      if (sigma > 0) return share(rings, sigma, sharpness) < kLatticeShare ? sigma : 0;
    }
    return 0;
  }

  // The maps for two σ: real and imaginary part.
  void map(double sigma, double other, bool weighted, std::vector<Complex>& out) const {
    out.resize(field_.size());
    const auto along_y = factors(ny_, sigma, other), along_x = factors(nx_, sigma, other);
    parallel_for(ny_, kRowGrain, threads_, [&](std::size_t begin, std::size_t end) {
      const auto& [sy, ty] = along_y;
      const auto& [sx, tx] = along_x;
      for (std::size_t y = begin; y < end; ++y) {
        const Complex* from = field_.data() + y * nx_;
        const float* power = power_.data() + y * nx_;
        Complex* to = out.data() + y * nx_;
        for (std::size_t x = 0; x < nx_; ++x) {
          float a = (sy[y].square + sx[x].square) * (sy[y].decay * sx[x].decay);
          float b = (ty[y].square + tx[x].square) * (ty[y].decay * tx[x].decay);
          if (weighted) {
            const float w = power[x] > noise_ ? 1 - noise_ / power[x] : 0.0f;
            a *= w;
            b *= w;
          }
          to[x] = {a * from[x].real() - b * from[x].imag(), a * from[x].imag() + b * from[x].real()};
        }
      }
    });
    fft::fft2(out.data(), 1, ny_, nx_, fft::Direction::inverse, threads_);
  }

  std::size_t width() const { return nx_; }

 private:
  struct Factor {
    float square, decay;  // (σk)², exp(−(σk)²/2)
  };

  static std::array<std::vector<Factor>, 2> factors(std::size_t n, double sigma, double other) {
    std::array<std::vector<Factor>, 2> result;
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < 2; ++i) {
        const double s = i == 0 ? sigma : other;
        const double product = 2 * std::numbers::pi * frequency(k, n) * s;
        const double square = product * product;
        result[i].push_back({static_cast<float>(square), static_cast<float>(std::exp(-square / 2))});
      }
    }
    return result;
  }

  // The image less its mean, hot pixels lowered, run into itself at the edges.
  void fill(View<const float, 2> image) {
    const std::size_t ny = image.shape[0], nx = image.shape[1];
    const std::vector<float> clean = without_hot_pixels(image);
    double sum = 0;
    for (const float value : clean) sum += value;
    const auto mean = static_cast<float>(sum / static_cast<double>(clean.size()));
    const std::vector<Join> across = joins(nx, nx_), down = joins(ny, ny_);
    for (std::size_t y = 0; y < ny; ++y) {
      const float* from = clean.data() + y * nx;
      Complex* to = field_.data() + y * nx_;
      for (std::size_t x = 0; x < nx; ++x) to[x] = from[x] - mean;
      for (std::size_t i = 0; i < across.size(); ++i) {
        const Join& join = across[i];
        to[nx + i] = (1 - join.weight) * to[join.end] + join.weight * to[join.begin];
      }
    }
    for (std::size_t i = 0; i < down.size(); ++i) {
      const Join& join = down[i];
      const Complex *end = field_.data() + join.end * nx_, *begin = field_.data() + join.begin * nx_;
      Complex* to = field_.data() + (ny + i) * nx_;
      for (std::size_t x = 0; x < nx_; ++x) to[x] = (1 - join.weight) * end[x] + join.weight * begin[x];
    }
  }

  // power_: over 3 × 3 frequencies; noise_: its white part.
  void measure() {
    std::vector<float> single(field_.size());
    parallel_for(ny_, kRowGrain, threads_, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin * nx_; i < end * nx_; ++i) {
        single[i] = field_[i].real() * field_[i].real() + field_[i].imag() * field_[i].imag();
      }
    });
    parallel_for(ny_, kRowGrain, threads_, [&](std::size_t begin, std::size_t end) {
      std::vector<float> column(nx_ + 2);
      for (std::size_t y = begin; y < end; ++y) {
        const float* middle = single.data() + y * nx_;
        const float* above = single.data() + (y > 0 ? y - 1 : ny_ - 1) * nx_;
        const float* below = single.data() + (y + 1 < ny_ ? y + 1 : 0) * nx_;
        for (std::size_t x = 0; x < nx_; ++x) column[x + 1] = above[x] + middle[x] + below[x];
        column[0] = column[nx_];
        column[nx_ + 1] = column[1];
        float* out = power_.data() + y * nx_;
        for (std::size_t x = 0; x < nx_; ++x) out[x] = (column[x] + column[x + 1] + column[x + 2]) / 9;
      }
    });
    std::vector<float> far, far_power;
    for (std::size_t y = 0; y < ny_; y += 3) {
      const double ky = std::abs(frequency(y, ny_));
      if (ky <= 0.02) continue;
      for (std::size_t x = 0; x <= nx_ / 2; x += 2) {
        const double kx = frequency(x, nx_);
        if (std::abs(kx) > 0.02 && ky * ky + kx * kx > 0.35 * 0.35) {
          far.push_back(single[y * nx_ + x]);
          far_power.push_back(power_[y * nx_ + x]);
        }
      }
    }
    if (far.empty()) return;
    const auto middle = far.begin() + static_cast<std::ptrdiff_t>(far.size() / 2);
    std::nth_element(far.begin(), middle, far.end());
    noise_ = *middle / static_cast<float>(std::numbers::ln2);  // the median of an exponential distribution
    double sum = 0;
    for (const float value : far_power) sum += std::clamp(value - 2 * noise_, 0.0f, kHighestExcess * noise_);
    excess_ = sum / static_cast<double>(far_power.size());
  }

  std::vector<Ring> rings() const {
    std::vector<Ring> result(kRings);
    for (std::size_t y = 0; y < ny_; ++y) {
      const auto ky = static_cast<float>(frequency(y, ny_));
      for (std::size_t x = 0; x <= nx_ / 2; ++x) {
        const auto kx = static_cast<float>(x) / static_cast<float>(nx_);
        const double weight = x == 0 || 2 * x == nx_ ? 1 : 2;  // its opposite frequency has the same power
        Ring& ring = result[static_cast<std::size_t>(std::sqrt(ky * ky + kx * kx) * static_cast<float>(1 / kBin))];
        const double signal = std::max(power_[y * nx_ + x] - 2 * noise_, 0.0f);
        ring.count += weight;
        ring.signal += weight * signal;
        ring.square += weight * signal * signal;
      }
    }
    return result;
  }

  // The finest maximum of σ Σ (P − 2N)₊ L^(2 sharpness) that isn't weak; 0 where there is none.
  double finest_scale(const std::vector<Ring>& rings, double largest, double sharpness) const {
    std::vector<double> sigmas, energies;
    for (double sigma = 0.9; sigma < largest; sigma *= 1.083) {
      sigmas.push_back(sigma);
      energies.push_back(sigma * signal(rings, sigma, sharpness));
    }
    std::vector<std::size_t> tops;
    double highest = 0;
    for (std::size_t j = 1; j + 1 < energies.size(); ++j) {
      if (!(energies[j] > energies[j - 1]) || !(energies[j] > energies[j + 1])) continue;
      tops.push_back(j);
      highest = std::max(highest, energies[j]);
    }
    const auto finest = std::find_if(tops.begin(), tops.end(), [&](std::size_t j) {
      return energies[j] > kWeakScale * highest && stands_out(rings, sigmas[j]);
    });
    return finest == tops.end() ? 0 : sigmas[*finest];
  }

  // What L passes of the power above 2N, and of white noise.
  static double signal(const std::vector<Ring>& rings, double sigma, double sharpness) {
    double sum = 0;
    for (std::size_t b = 0; b < kRings; ++b) {
      if (rings[b].signal > 0) sum += rings[b].signal * std::pow(passed(b, sigma), sharpness);
    }
    return sum;
  }

  // Whether there is more than noise in the octave around what L passes best: a shape that is much coarser doesn't
  // count, and twice the excess of the noise itself is taken off.
  bool stands_out(const std::vector<Ring>& rings, double sigma) const {
    const double middle = std::numbers::sqrt2 / (2 * std::numbers::pi * sigma * kBin);
    const auto end = std::min(kRings, static_cast<std::size_t>(2 * middle));
    double power = 0, count = 0;
    for (auto b = static_cast<std::size_t>(middle / 2); b < end; ++b) {
      power += rings[b].signal * passed(b, sigma);
      count += rings[b].count * passed(b, sigma);
    }
    return power > (kLeastSignal * static_cast<double>(noise_) + 2 * excess_) * count;
  }

  // How many frequencies hold the power, of those that L passes.
  static double share(const std::vector<Ring>& rings, double sigma, double sharpness) {
    double all = 0, all_square = 0, signal = 0, square = 0;
    for (std::size_t b = 0; b < kRings; ++b) {
      const double pass = std::pow(passed(b, sigma), sharpness);
      all += rings[b].count * pass;
      all_square += rings[b].count * pass * pass;
      signal += rings[b].signal * pass;
      square += rings[b].square * pass * pass;
    }
    return (signal * signal / square) / (all * all / all_square);
  }

  std::size_t ny_, nx_;
  int threads_;
  std::vector<Complex> field_;
  std::vector<float> power_;
  float noise_ = 0;
  double excess_ = 0;  // (P − 2N)₊ where only noise is: more where it depends on brightness, as that of electrons
};

// Third moment over the 3/2 power of the second, of the part of a map that lies on the image.
double skewness(const std::vector<Complex>& map, std::size_t width, View<float, 2> part, bool imaginary) {
  double second = 0, third = 0;
  for (std::size_t y = 0; y < part.shape[0]; ++y) {
    for (std::size_t x = 0; x < part.shape[1]; ++x) {
      const Complex value = map[y * width + x];
      const double v = imaginary ? value.imag() : value.real();
      second += v * v;
      third += v * v * v;
    }
  }
  const double n = static_cast<double>(part.size());
  return second > 0 ? third / n / std::pow(second / n, 1.5) : 0;
}

// σ at which single bright atoms stand out most; a little for the finer of two that are alike.
double sparse_scale(const Spectrum& spectrum, View<float, 2> part, std::vector<Complex>& room) {
  constexpr std::array<double, 8> kSigmas{1.1, 1.5, 2.0, 2.7, 3.6, 4.8, 6.4, 8.5};
  double best = 0, sigma = kSigmas[0];
  for (std::size_t i = 0; i < kSigmas.size(); i += 2) {
    spectrum.map(kSigmas[i], kSigmas[i + 1], false, room);
    for (std::size_t k = 0; k < 2; ++k) {
      const double value = skewness(room, spectrum.width(), part, k == 1) / std::sqrt(std::sqrt(kSigmas[i + k]));
      if (value > best) {
        best = value;
        sigma = kSigmas[i + k];
      }
    }
  }
  return sigma;
}

}  // namespace

LogScale log_map(View<const float, 2> image, View<float, 2> map, View<float, 2> finer, int threads) {
  if (image.shape != map.shape || image.shape != finer.shape)
    throw std::invalid_argument("image and maps differ in shape");
  if (!image.contiguous() || !map.contiguous() || !finer.contiguous()) {
    throw std::invalid_argument("C-contiguous images wanted");
  }
  if (image.size() == 0) throw std::invalid_argument("image: no pixels");
  const Spectrum spectrum(image, threads);
  std::vector<Complex> result;
  const std::size_t ny = image.shape[0], nx = image.shape[1];
  LogScale scale{spectrum.lattice_scale(std::clamp(static_cast<double>(std::min(ny, nx)) / 12, 2.0, 40.0)), true};
  if (scale.sigma == 0) scale = {sparse_scale(spectrum, map, result), false};
  spectrum.map(scale.sigma, kFiner * scale.sigma, scale.lattice, result);
  for (std::size_t y = 0; y < ny; ++y) {
    for (std::size_t x = 0; x < nx; ++x) {
      map.data[y * nx + x] = result[y * spectrum.width() + x].real();
      finer.data[y * nx + x] = result[y * spectrum.width() + x].imag();
    }
  }
  return scale;
}

}  // namespace crewe::atoms
