// One radial profile, stretched and turned, added to the rows of an image: sixteen pixels at a time.
#include "kernels.hpp"
#include "vec.hpp"

namespace crewe::specimen::CREWE_ISA_LEVEL {
namespace {

constexpr int kLanes = 16;
const f32x16 kLane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
constexpr int kPlaces = 9;  // 3 × 3 in a pixel; their thirds of a pixel up and right of the middle:
const f32x16 kUp = {-1, -1, -1, 0, 0, 0, 1, 1, 1}, kRight = {-1, 0, 1, -1, 0, 1, -1, 0, 1};

// The pairs at 2·index.
CREWE_INLINE void gather(const float* pairs, i32x16 index, f32x16& first, f32x16& second) {
#if defined(CREWE_ISA_IS_v4)
  const __m512i k = __m512i(index);
  const __m512 low = _mm512_castpd_ps(_mm512_i32gather_pd(_mm512_castsi512_si256(k), pairs, 8));
  const __m512 high = _mm512_castpd_ps(_mm512_i32gather_pd(_mm512_extracti64x4_epi64(k, 1), pairs, 8));
  const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  first = f32x16(_mm512_permutex2var_ps(low, even, high));
  second = f32x16(_mm512_permutex2var_ps(low, _mm512_or_si512(even, _mm512_set1_epi32(1)), high));
#else
  for (int lane = 0; lane < kLanes; ++lane) {
    first[lane] = pairs[2 * index[lane]];
    second[lane] = pairs[2 * index[lane] + 1];
  }
#endif
}

CREWE_INLINE f32x16 look_up(const Samples& samples, f32x16 square) {
  const f32x16 place = square_root(square) * static_cast<float>(Samples::kSteps);
  const f32x16 held = place < samples.end ? place : f32x16{} + samples.end;
  const i32x16 k = __builtin_convertvector(held, i32x16);
  f32x16 value, step;
  gather(samples.values, k, value, step);
  return value + (held - __builtin_convertvector(k, f32x16)) * step;
}

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
  const double reach = static_cast<double>(samples.end) / Samples::kSteps;
  // t² = height·dy² + c·(dx + lean·dy)²
  const double inverse = 1 / item.c, lean = item.b * inverse, height = item.a - item.b * lean;
  const auto right = static_cast<double>(width - 1);
  const auto weight = static_cast<float>(item.weight), slope = static_cast<float>(item.c);
  for (std::size_t y = first; y < end; ++y) {
    const double dy = static_cast<double>(y) - item.y, middle = item.x - lean * dy, part = height * dy * dy;
    if (!(part <= reach * reach)) continue;
    const double half = __builtin_sqrt((reach * reach - part) * inverse);
    const double from = __builtin_ceil(middle - half), to = __builtin_floor(middle + half);
    const double x0 = from > 0 ? from : 0, x1 = to < right ? to : right;
    if (!(x0 <= x1)) continue;
    const auto base = static_cast<float>(part);
    const auto count = static_cast<std::ptrdiff_t>(x1 - x0) + 1;
    float* row = image + y * width + static_cast<std::size_t>(x0);
    for (std::ptrdiff_t i = 0; i < count; i += kLanes) {
      const f32x16 dx = static_cast<float>(x0 - middle + static_cast<double>(i)) + kLane;
      add(row + i, weight * look_up(samples, base + slope * dx * dx), count - i < kLanes ? count - i : kLanes);
    }
    if (!samples.cusp || dy <= -1 || dy >= 1) continue;
    const double c0 = __builtin_ceil(item.x - 1), c1 = __builtin_floor(item.x + 1);
    const f32x16 up = static_cast<float>(dy) + kUp * (1.0f / 3.0f);
    for (double x = c0 > x0 ? c0 : x0; x <= (c1 < x1 ? c1 : x1); ++x) {
      const f32x16 along = static_cast<float>(x - item.x) + kRight * (1.0f / 3.0f);
      const f32x16 square =
          static_cast<float>(item.a) * up * up + static_cast<float>(2 * item.b) * up * along + slope * along * along;
      const f32x16 f = look_up(samples, square > 0.0f ? square : f32x16{});
      float sum = 0;
      for (int place = 0; place < kPlaces; ++place) sum += f[place];
      row[static_cast<std::ptrdiff_t>(x - x0)] += weight * (sum * (1.0f / kPlaces) - f[kPlaces / 2]);
    }
  }
}

}  // namespace crewe::specimen::CREWE_ISA_LEVEL
