// One radial profile, stretched and turned, added to the rows of an image: sixteen pixels at a time.
#include "kernels.hpp"
#include "vec.hpp"

namespace crewe::specimen::CREWE_ISA_LEVEL {
namespace {

constexpr int kLanes = 16;
const f32x16 kLane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
constexpr int kPlaces = 9;  // 3 × 3 in a pixel; their thirds of a pixel up and right of the middle:
const f32x16 kUp = {-1, -1, -1, 0, 0, 0, 1, 1, 1}, kRight = {-1, 0, 1, -1, 0, 1, -1, 0, 1};

// row[0 .. n) += x, n <= 16.
CREWE_INLINE void add(float* row, f32x16 x, std::ptrdiff_t n) {
#if defined(CREWE_ISA_IS_v4)
  const auto mask = static_cast<__mmask16>((1u << n) - 1);
  _mm512_mask_storeu_ps(row, mask, _mm512_add_ps(_mm512_maskz_loadu_ps(mask, row), __m512(x)));
#else
  for (std::ptrdiff_t i = 0; i < n; ++i) row[i] += x[i];
#endif
}

}  // namespace

void add_item(const Item& item, const Samples& samples, float* image, std::size_t width, std::size_t first,
              std::size_t end) {
  const auto right = static_cast<double>(width - 1);
  const auto weight = static_cast<float>(item.weight);
  for (std::size_t y = first; y < end; ++y) {
    const Reach reach = reach_of(item, samples, static_cast<double>(y), right);
    if (!reach.any) continue;
    const auto count = static_cast<std::ptrdiff_t>(reach.x1 - reach.x0) + 1;
    float* row = image + y * width + static_cast<std::size_t>(reach.x0);
    for (std::ptrdiff_t i = 0; i < count; i += kLanes) {
      const f32x16 square = square_of(item, reach, static_cast<double>(i), kLane);
      add(row + i, weight * look_up(samples, square), count - i < kLanes ? count - i : kLanes);
    }
    const double dy = static_cast<double>(y) - item.y;
    if (!samples.cusp || dy <= -1 || dy >= 1) continue;
    const double c0 = __builtin_ceil(item.x - 1), c1 = __builtin_floor(item.x + 1);
    for (double x = c0 > reach.x0 ? c0 : reach.x0; x <= (c1 < reach.x1 ? c1 : reach.x1); ++x) {
      const f32x16 f = look_up(samples, square_within(item, dy, x - item.x, kUp, kRight));
      float sum = 0;
      for (int place = 0; place < kPlaces; ++place) sum += f[place];
      row[static_cast<std::ptrdiff_t>(x - reach.x0)] += weight * (sum * (1.0f / kPlaces) - f[kPlaces / 2]);
    }
  }
}

}  // namespace crewe::specimen::CREWE_ISA_LEVEL
