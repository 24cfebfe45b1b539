// The inner loops of the metrics, once per instruction-set level. Rows are contiguous.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cpu.hpp"

namespace crewe::metrics {

// Σa, Σb, Σa², Σab, Σb² of a stretch of pixels, and the extremes.
struct Stretch {
  double sums[5];
  float min_a, max_a, min_b, max_b;
};

// A strip of an image on its way through the disks.
struct DiskStrip {
  static constexpr std::size_t kColumns = 128;  // three quantities × 17 rows of this many floats fill an L1 cache
  std::ptrdiff_t ny, nx;                        // of the image
  std::ptrdiff_t first_row, last_row;           // the output rows [first, last)
  std::ptrdiff_t first_column;
  std::ptrdiff_t radius;
  const std::int32_t* half_width;  // (radius + 1) of the disk's row at distance 0, 1, ...
  float* scratch;                  // disk_scratch(radius) floats
};

// A normalised image: x·scale − shift.
struct Normalised {
  const float* data;
  float scale, shift;
};

struct SsimConstants {
  float c1, c2;
};

// One band of the pyramid, row by row in the Fourier plane.
struct Band {
  std::size_t nx;
  const float* radial;   // (nx) of this row
  const float* inverse;  // (nx): 1/r of this row
  const float* across;   // (nx): frequencies along x times cos(πo/n)
  float along;           // this row's frequency along y times sin(πo/n)
  float gain, least;     // 2 α_n; cosines up to `least` count as 0
  int power;             // n − 1
};

constexpr std::size_t kReach = 3;  // of a window of 7 × 7

// Floats of a row of window sums, and of the scratch of compare_rows: three quantities, seven rows and their sum.
constexpr std::size_t window_width(std::size_t nx) {
  return (nx + 2 * kReach + 15) / 16 * 16 + 16;
}
constexpr std::size_t window_scratch(std::size_t nx) {
  return 3 * (2 * kReach + 2) * window_width(nx);
}
// Floats of the scratch of a DiskStrip: three quantities, the rows under way and the one that comes.
constexpr std::size_t disk_scratch(std::size_t radius) {
  return 3 * ((2 * radius + 1) * DiskStrip::kColumns + DiskStrip::kColumns + 2 * radius);
}

CREWE_SIMD_DECLARE(
    Stretch stretch(const float* a, const float* b, std::size_t n);
    // The sums of products and the least values alone.
    Stretch stretch_products(const float* a, const float* b, std::size_t n);
    // The means (ny, nx rounded up to strips) of an image's normalised pixels; inverse_count[y]: 1/pixels in the disk.
    void disk_mean(const DiskStrip& strip, const Normalised& image, const float* const* inverse_count, float* mean);
    // D of a, whose means are known, and b.
    void disk_ssim(const DiskStrip& strip, const Normalised& a, const Normalised& b, const float* const* inverse_count,
                   const float* mean_a, SsimConstants constants, float* out);
    // out[j] = spectrum[j] · band[j], complex.
    void filter_row(const Band& band, const float* spectrum, float* out);
    // Adds 1 − (2 |Σ x y*| + K)/(Σ |x|² + |y|² + K) to the rows [first, last) of out (ny, nx); x, y:
    // complex (ny, nx); scratch: window_scratch(nx) floats.
    void compare_rows(const float* x, const float* y, std::size_t ny, std::size_t nx, std::size_t first,
                      std::size_t last, float k, float* out, float* scratch);)

}  // namespace crewe::metrics
