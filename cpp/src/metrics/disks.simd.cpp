// Sums over the disk around every pixel of a strip. A row of the image goes through once: it is summed over ever wider
// stretches, each added to the output rows at the distance where the disk is that wide. No sum is ever taken back, so
// nothing bright leaves its rounding behind, and an output row has the same bits wherever a strip begins.
#include <cstddef>
#include <cstdint>

#include "metrics/kernels.hpp"
#include "vec.hpp"

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
        float* at[2 * kMostRadius + 1];  // the output rows from row − r to row + r
        std::ptrdiff_t place = (row - r + height) % height;
        for (std::ptrdiff_t d = 0; d < height; ++d) {
          at[d] = rings + (q * height + place) * kColumns;
          place = place + 1 == height ? 0 : place + 1;
        }
        for (std::ptrdiff_t x = 0; x < kColumns; x += 16) {
          const float* middle = lines[q] + r + x;
          f32x16 sum = load16(middle);
          std::ptrdiff_t reach = 0;
          for (std::ptrdiff_t d = r; d > 0; --d) {
            for (; reach < strip.half_width[d]; ++reach) sum += load16(middle - reach - 1) + load16(middle + reach + 1);
            store16(at[r - d] + x, load16(at[r - d] + x) + sum);
            store16(at[r + d] + x, load16(at[r + d] + x) + sum);
          }
          for (; reach < r; ++reach) sum += load16(middle - reach - 1) + load16(middle + reach + 1);
          store16(at[r] + x, load16(at[r] + x) + sum);
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

void disk_mean(const DiskStrip& strip, const Normalised& image, const float* const* inverse_count, float* mean) {
  const Reach reach(strip);
  const std::ptrdiff_t pitch = (strip.nx + kColumns - 1) / kColumns * kColumns;
  const float scale = image.scale, shift = image.shift;
  const auto fill = [&](std::ptrdiff_t row, float* const* lines) __attribute__((always_inline)) {
    const float* from = image.data + row * strip.nx + reach.begin;
    float* to = lines[0] + reach.begin - reach.first;
    const std::ptrdiff_t n = reach.end - reach.begin;
    std::ptrdiff_t i = 0;
    for (; i + 16 <= n; i += 16) store16(to + i, load16(from + i) * scale - shift);
    for (; i < n; ++i) to[i] = from[i] * scale - shift;
  };
  const auto finish = [&](std::ptrdiff_t row, const float* const* sums) __attribute__((always_inline)) {
    float* to = mean + row * pitch + strip.first_column;
    for (std::ptrdiff_t x = 0; x < kColumns; x += 16) {
      store16(to + x, load16(sums[0] + x) * load16(inverse_count[row] + strip.first_column + x));
    }
  };
  disk_sums<1>(strip, fill, finish);
}

void disk_ssim(const DiskStrip& strip, const Normalised& a, const Normalised& b, const float* const* inverse_count,
               const float* mean_a, SsimConstants constants, float* out) {
  const Reach reach(strip);
  const std::ptrdiff_t pitch = (strip.nx + kColumns - 1) / kColumns * kColumns;
  const std::ptrdiff_t columns = strip.nx - strip.first_column < kColumns ? strip.nx - strip.first_column : kColumns;
  const float scale_a = a.scale, shift_a = a.shift, scale_b = b.scale, shift_b = b.shift;
  const float c1 = constants.c1, c2 = constants.c2;
  const auto fill = [&](std::ptrdiff_t row, float* const* lines) __attribute__((always_inline)) {
    const float* from_a = a.data + row * strip.nx + reach.begin;
    const float* from_b = b.data + row * strip.nx + reach.begin;
    const std::ptrdiff_t skip = reach.begin - reach.first, n = reach.end - reach.begin;
    float *value = lines[0] + skip, *squares = lines[1] + skip, *product = lines[2] + skip;
    std::ptrdiff_t i = 0;
    for (; i + 16 <= n; i += 16) {
      const f32x16 x = load16(from_a + i) * scale_a - shift_a, y = load16(from_b + i) * scale_b - shift_b;
      store16(value + i, y);
      store16(squares + i, x * x + y * y);
      store16(product + i, x * y);
    }
    for (; i < n; ++i) {
      const float x = from_a[i] * scale_a - shift_a, y = from_b[i] * scale_b - shift_b;
      value[i] = y;
      squares[i] = x * x + y * y;
      product[i] = x * y;
    }
  };
  const auto finish = [&](std::ptrdiff_t row, const float* const* sums) __attribute__((always_inline)) {
    const std::ptrdiff_t place = row * pitch + strip.first_column;
    float* to = out + row * strip.nx + strip.first_column;
    for (std::ptrdiff_t x = 0; x < columns; x += 16) {
      const f32x16 part = load16(inverse_count[row] + strip.first_column + x);
      const f32x16 low_a = load16(mean_a + place + x), low_b = load16(sums[0] + x) * part;
      const f32x16 variances = load16(sums[1] + x) * part - (low_a * low_a + low_b * low_b);
      const f32x16 covariance = load16(sums[2] + x) * part - low_a * low_b;
      const f32x16 m_a = low_a + shift_a, m_b = low_b + shift_b;
      const f32x16 above = (2.0f * m_a * m_b + c1) * (2.0f * covariance + c2);
      const f32x16 below = (m_a * m_a + m_b * m_b + c1) * (variances + c2);
      f32x16 d = 0.5f - 0.5f * (above / below);
      d = d > 0.0f ? d : f32x16{};
      d = d < 1.0f ? d : f32x16{} + 1.0f;
      if (x + 16 <= columns) {
        store16(to + x, d);
      } else {
        for (std::ptrdiff_t k = 0; x + k < columns; ++k) to[x + k] = d[k];
      }
    }
  };
  disk_sums<3>(strip, fill, finish);
}

}  // namespace crewe::metrics::CREWE_ISA_LEVEL
