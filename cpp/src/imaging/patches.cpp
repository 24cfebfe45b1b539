#include "crewe/imaging/patches.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

#include "crewe/checks.hpp"
#include "crewe/parallel.hpp"
#include "imaging/patches_kernel.hpp"

namespace crewe::imaging {
namespace {

constexpr double kMostReach = 1 << 14;  // places to each side of a patch's middle

std::size_t whole(std::size_t count, std::size_t block) {
  return (count + block - 1) / block * block;
}

// D at a distance [pixels] from a pixel, n even.
double dirichlet(double distance, std::size_t n) {
  const double turn = std::numbers::pi * distance, edge = static_cast<double>(n);
  double sum = 1 + std::cos(turn);
  for (std::size_t k = 1; k < n / 2; ++k) sum += 2 * std::cos(2 * turn * static_cast<double>(k) / edge);
  return sum / edge;
}

// ψ_in at the places m·pitch, m = −reach ... reach of both axes, row-major.
std::vector<std::complex<double>> sampled(View<const float, 3> probe, const std::vector<double>& matrix,
                                          std::size_t width) {
  const std::size_t n = probe.shape[1];
  std::vector<std::complex<double>> half(width * n), out(width * width);
  for (std::size_t m = 0; m < width; ++m) {
    for (std::size_t y = 0; y < n; ++y) {
      for (std::size_t x = 0; x < n; ++x) {
        half[m * n + x] += matrix[m * n + y] * std::complex<double>(probe(0, y, x), probe(1, y, x));
      }
    }
  }
  for (std::size_t m = 0; m < width; ++m) {
    for (std::size_t l = 0; l < width; ++l) {
      for (std::size_t x = 0; x < n; ++x) out[m * width + l] += matrix[l * n + x] * half[m * n + x];
    }
  }
  return out;
}

}  // namespace

Patches::Patches(View<const float, 3> probe, double pitch, double cut) : size_(probe.shape[1]) {
  const std::size_t n = size_;
  if (probe.shape != std::array<std::size_t, 3>{2, n, n} || n < 2 || n % 2 != 0) {
    reject("probe", "shape (2, n, n) with an even n", shape_text(probe.shape));
  }
  const double half = static_cast<double>(n / 2), finest = half / kMostReach;
  if (!(pitch >= finest) || !std::isfinite(pitch)) {
    reject("pitch", std::to_string(finest) + " pixels or more", std::to_string(pitch));
  }
  if (!(cut >= 0 && cut < 1)) reject("cut", "0 <= cut < 1", std::to_string(cut));
  // The places that a patch has, the outermost pixels left out: there opposite borders meet.
  const auto most = static_cast<std::size_t>((half - 1) / pitch), all = 2 * most + 1;
  std::vector<double> matrix(all * n);
  for (std::size_t m = 0; m < all; ++m) {
    const double place = half + (static_cast<double>(m) - static_cast<double>(most)) * pitch;
    for (std::size_t x = 0; x < n; ++x) matrix[m * n + x] = dirichlet(place - static_cast<double>(x), n);
  }
  const std::vector<std::complex<double>> incoming = sampled(probe, matrix, all);
  double highest = 0;
  for (std::size_t y = 0; y < n; ++y) {
    for (std::size_t x = 0; x < n; ++x) {
      highest = std::max(highest, std::norm(std::complex<double>(probe(0, y, x), probe(1, y, x))));
    }
  }
  if (!std::isfinite(highest) || highest == 0) {
    reject("probe", "a finite wave that isn't 0", "a highest intensity of " + std::to_string(highest));
  }
  const auto counts = [&](std::size_t i) { return std::norm(incoming[i]) > cut * highest; };
  for (std::size_t i = 0; i < all * all; ++i) {
    if (!counts(i)) continue;
    for (const std::size_t k : {i / all, i % all}) reach_ = std::max(reach_, k > most ? k - most : most - k);
  }
  const std::size_t skip = most - reach_;
  padded_rows_ = whole(width(), kPatchRows);
  padded_columns_ = whole(width(), kPatchLanes);
  padded_size_ = whole(n, kPatchLanes);
  rows_.assign(padded_rows_ * n, 0.0F);
  columns_.assign(padded_size_ * padded_columns_, 0.0F);
  for (std::size_t m = 0; m < width(); ++m) {
    for (std::size_t x = 0; x < n; ++x) {
      const auto value = static_cast<float>(matrix[(skip + m) * n + x]);
      rows_[m * n + x] = value;
      columns_[x * padded_columns_ + m] = value;
    }
    for (std::size_t l = 0; l < width(); ++l) {
      const std::size_t i = (skip + m) * all + skip + l;
      weights_.push_back(counts(i) ? static_cast<float>(std::norm(incoming[i])) : 0.0F);
      turn_.emplace_back(std::conj(incoming[i]));
    }
  }
}

// One wave (2, n, n) → o_j (width, width).
void Patches::object(const float* wave, std::complex<float>* out) const {
  const std::size_t n = size_;
  std::vector<float> padded(padded_size_ == n ? 0 : n * padded_size_);
  std::vector<float> half(padded_rows_ * padded_size_), places(2 * padded_rows_ * padded_columns_);
  for (std::size_t part = 0; part < 2; ++part) {
    const float* plane = wave + part * n * n;
    if (!padded.empty()) {
      for (std::size_t y = 0; y < n; ++y) std::copy_n(plane + y * n, n, padded.data() + y * padded_size_);
      plane = padded.data();
    }
    CREWE_SIMD_CALL(patch_product, rows_.data(), plane, half.data(), padded_rows_, n, padded_size_);
    CREWE_SIMD_CALL(patch_product, half.data(), columns_.data(), places.data() + part * padded_rows_ * padded_columns_,
                    padded_rows_, padded_size_, padded_columns_);
  }
  const float* imaginary = places.data() + padded_rows_ * padded_columns_;
  for (std::size_t m = 0; m < width(); ++m) {
    for (std::size_t l = 0; l < width(); ++l) {
      const std::size_t from = m * padded_columns_ + l, to = m * width() + l;
      const float a = places[from], b = imaginary[from], c = turn_[to].real(), d = turn_[to].imag();
      const float y = a * d + b * c, x = a * c - b * d;
      const float length = std::sqrt(x * x + y * y);
      const float scale = length > 0 ? weights_[to] / length : 0.0F;
      out[to] = {scale * x, scale * y};
    }
  }
}

void Patches::add(View<const float, 4> waves, std::size_t first, std::size_t columns, std::size_t oversample,
                  View<std::complex<float>, 2> image, int threads) const {
  const std::size_t count = waves.shape[0], n = size_, height = image.shape[0], breadth = image.shape[1];
  check_shape(waves, {count, 2, n, n}, "waves");
  check_contiguous(waves, "waves");
  if (columns == 0 || oversample == 0) {
    reject("columns, oversample", "1 or more", shape_text(std::array{columns, oversample}));
  }
  const std::size_t across = (breadth + oversample - 1) / oversample, down = (height + oversample - 1) / oversample;
  if (columns > across) {
    reject("columns", "1 to " + std::to_string(across) + ", which the image has,", std::to_string(columns));
  }
  if (count == 0) return;
  if (count > columns * down || first > columns * down - count) {
    throw std::out_of_range("first: positions outside of the image");
  }
  const std::size_t w = width(), r = reach_;
  std::vector<std::complex<float>> objects(count * w * w);
  parallel_for(count, 1, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end; ++j) object(waves.data + j * 2 * n * n, objects.data() + j * w * w);
  });
  // A row of the image gets its patches in the order of positions, whoever adds them.
  const std::size_t top = first / columns * oversample, bottom = (first + count - 1) / columns * oversample;
  const std::size_t low = top - std::min(top, r), high = std::min(height, bottom + r + 1);
  parallel_for(high - low, 8, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t j = 0; j < count; ++j) {
      const std::size_t y = (first + j) / columns * oversample, x = (first + j) % columns * oversample;
      const std::size_t left = x - std::min(x, r), right = std::min(breadth, x + r + 1);
      const std::size_t from = std::max(low + begin, y - std::min(y, r)), to = std::min(low + end, y + r + 1);
      for (std::size_t row = from; row < to; ++row) {
        const std::complex<float>* patch = objects.data() + (j * w + row + r - y) * w + left + r - x;
        for (std::size_t column = left; column < right; ++column) image(row, column) += patch[column - left];
      }
    }
  });
}

}  // namespace crewe::imaging
