// Sums over the disk around every pixel of a strip. A row of the image goes through once: it is summed over ever wider
// stretches, each added to the output rows at the distance where the disk is that wide. No sum is ever taken back, so
// nothing bright leaves its rounding behind, and an output row has the same bits wherever a strip begins.
#include <cstddef>
#include <cstdint>

#include "metrics/kernels.hpp"
#include "metrics/vec.hpp"

namespace crewe::metrics::CREWE_ISA_LEVEL {
namespace {

constexpr std::ptrdiff_t kColumns = static_cast<std::ptrdiff_t>(DiskStrip::kColumns);
constexpr std::ptrdiff_t kMostRadius = 32;

void clear(float* p, std::ptrdiff_t n) {
  for (std::ptrdiff_t i = 0; i < n; ++i) p[i] = 0;
}

// The sums of `quantities` images made by fill(row, lines) (zeros outside the image), given to finish(row, sums).
template <int quantities, class Fill, class Finish>
CREWE_INLINE void disk_sums(const DiskStrip& strip, const Fill& fill, const Finish& finish) {
  const std::ptrdiff_t r = strip.radius, height = 2 * r + 1, width = kColumns + 2 * r;
  float* const rings = strip.scratch;
  float* lines[quantities];
  for (int q = 0; q < quantities; ++q) lines[q] = rings + quantities * height * kColumns + q * width;
  clear(rings, quantities * (height * kColumns + width));
  const auto slot = [&](int q, std::ptrdiff_t row) {
    return rings + (q * height + (row + height) % height) * kColumns;
  };
  for (std::ptrdiff_t row = strip.first_row - r; row < strip.last_row + r; ++row) {
    if (row >= 0 && row < strip.ny) {
      fill(row, lines);
      for (int q = 0; q < quantities; ++q) {
        float *above[kMostRadius + 1], *below[kMostRadius + 1];
        for (std::ptrdiff_t d = 0; d <= r; ++d) {
          above[d] = slot(q, row - d);
          below[d] = slot(q, row + d);
        }
        for (std::ptrdiff_t x = 0; x < kColumns; x += 16) {
          const float* middle = lines[q] + r + x;
          f32x16 sum = load(middle);
          std::ptrdiff_t reach = 0;
          for (std::ptrdiff_t d = r; d > 0; --d) {
            for (; reach < strip.half_width[d]; ++reach) sum += load(middle - reach - 1) + load(middle + reach + 1);
            store(above[d] + x, load(above[d] + x) + sum);
            store(below[d] + x, load(below[d] + x) + sum);
          }
          for (; reach < r; ++reach) sum += load(middle - reach - 1) + load(middle + reach + 1);
          store(above[0] + x, load(above[0] + x) + sum);
        }
      }
    }
    const std::ptrdiff_t done = row - r;
    const float* found[quantities];
    for (int q = 0; q < quantities; ++q) found[q] = slot(q, done);
    if (done >= strip.first_row) finish(done, found);
    for (int q = 0; q < quantities; ++q) clear(slot(q, done), kColumns);
  }
}

// The pixels of a row that lie in the strip or up to a radius beside it: column c at index c − first_column + radius.
struct Reach {
  std::ptrdiff_t begin, end, first;
  explicit Reach(const DiskStrip& strip) : first(strip.first_column - strip.radius) {
    begin = first < 0 ? 0 : first;
    end = strip.first_column + kColumns + strip.radius;
    end = end < strip.nx ? end : strip.nx;
  }
};

}  // namespace

void disk_moments(const DiskStrip& strip, const Normalised& image, const float* const* inverse_count, float* mean,
                  float* variance) {
  const Reach reach(strip);
  const std::ptrdiff_t pitch = (strip.nx + kColumns - 1) / kColumns * kColumns;
  const auto fill = [&](std::ptrdiff_t row, float* const* lines) __attribute__((always_inline)) {
    const float* from = image.data + row * strip.nx;
    for (std::ptrdiff_t c = reach.begin; c < reach.end; ++c) {
      const float x = from[c] * image.scale - image.shift;
      lines[0][c - reach.first] = x;
      lines[1][c - reach.first] = x * x;
    }
  };
  const auto finish = [&](std::ptrdiff_t row, const float* const* sums) __attribute__((always_inline)) {
    const std::ptrdiff_t place = row * pitch + strip.first_column;
    for (std::ptrdiff_t x = 0; x < kColumns; x += 16) {
      const f32x16 part = load(inverse_count[row] + strip.first_column + x);
      const f32x16 m = load(sums[0] + x) * part;
      store(mean + place + x, m);
      store(variance + place + x, load(sums[1] + x) * part - m * m);
    }
  };
  disk_sums<2>(strip, fill, finish);
}

void disk_ssim(const DiskStrip& strip, const Normalised& a, const Normalised& b, const float* const* inverse_count,
               const float* mean_a, const float* variance_a, SsimConstants constants, float* out) {
  const Reach reach(strip);
  const std::ptrdiff_t pitch = (strip.nx + kColumns - 1) / kColumns * kColumns;
  const std::ptrdiff_t columns = strip.nx - strip.first_column < kColumns ? strip.nx - strip.first_column : kColumns;
  const auto fill = [&](std::ptrdiff_t row, float* const* lines) __attribute__((always_inline)) {
    const float *from_a = a.data + row * strip.nx, *from_b = b.data + row * strip.nx;
    for (std::ptrdiff_t c = reach.begin; c < reach.end; ++c) {
      const float x = from_a[c] * a.scale - a.shift, y = from_b[c] * b.scale - b.shift;
      lines[0][c - reach.first] = y;
      lines[1][c - reach.first] = y * y;
      lines[2][c - reach.first] = x * y;
    }
  };
  const auto finish = [&](std::ptrdiff_t row, const float* const* sums) __attribute__((always_inline)) {
    const float c1 = constants.c1, c2 = constants.c2;
    const std::ptrdiff_t place = row * pitch + strip.first_column;
    float* to = out + row * strip.nx + strip.first_column;
    for (std::ptrdiff_t x = 0; x < columns; x += 16) {
      const f32x16 part = load(inverse_count[row] + strip.first_column + x);
      const f32x16 low_a = load(mean_a + place + x), low_b = load(sums[0] + x) * part;
      const f32x16 variance_b = load(sums[1] + x) * part - low_b * low_b;
      const f32x16 covariance = load(sums[2] + x) * part - low_a * low_b;
      const f32x16 m_a = low_a + a.shift, m_b = low_b + b.shift;
      const f32x16 above = (2.0f * m_a * m_b + c1) * (2.0f * covariance + c2);
      const f32x16 below = (m_a * m_a + m_b * m_b + c1) * (load(variance_a + place + x) + variance_b + c2);
      f32x16 d = 0.5f - 0.5f * (above / below);
      d = d > 0.0f ? d : f32x16{};
      d = d < 1.0f ? d : f32x16{} + 1.0f;
      if (x + 16 <= columns) {
        store(to + x, d);
      } else {
        for (std::ptrdiff_t k = 0; x + k < columns; ++k) to[x + k] = d[k];
      }
    }
  };
  disk_sums<3>(strip, fill, finish);
}

}  // namespace crewe::metrics::CREWE_ISA_LEVEL
