// One-dimensional filters along a line and across lines. Each pixel is a sum in one fixed order: the width of the
// registers does not show in the result.
#include <cstddef>
#include <cstdint>

#include "kernels.hpp"

namespace crewe::noise::CREWE_ISA_LEVEL {
namespace {

#if defined(CREWE_ISA_IS_v4)
constexpr std::size_t kWidth = 16;
#elif defined(CREWE_ISA_IS_v3)
constexpr std::size_t kWidth = 8;
#else
constexpr std::size_t kWidth = 4;
#endif
typedef float Vector __attribute__((vector_size(kWidth * sizeof(float))));
typedef float Unaligned __attribute__((vector_size(kWidth * sizeof(float)), aligned(4)));

inline Vector load(const float* p) {
  return *reinterpret_cast<const Unaligned*>(p);
}
inline void store(float* p, Vector x) {
  *reinterpret_cast<Unaligned*>(p) = x;
}

}  // namespace

void filter(const float* in, float* out, std::size_t n, const float* taps, std::size_t count, std::ptrdiff_t step) {
  std::size_t i = 0;
  for (; i + 4 * kWidth <= n; i += 4 * kWidth) {
    const float* x = in + i;
    Vector a = {}, b = {}, c = {}, d = {};
    for (std::size_t t = 0; t < count; ++t, x += step) {
      const Vector h = Vector{} + taps[t];
      a += h * load(x);
      b += h * load(x + kWidth);
      c += h * load(x + 2 * kWidth);
      d += h * load(x + 3 * kWidth);
    }
    store(out + i, a);
    store(out + i + kWidth, b);
    store(out + i + 2 * kWidth, c);
    store(out + i + 3 * kWidth, d);
  }
  for (; i < n; ++i) {
    const float* x = in + i;
    float a = 0.0f;
    for (std::size_t t = 0; t < count; ++t, x += step) a += taps[t] * *x;
    out[i] = a;
  }
}

void combine(const float* const* rows, const float* weights, std::size_t count, float* out, std::size_t n) {
  std::size_t i = 0;
  for (; i + 4 * kWidth <= n; i += 4 * kWidth) {
    Vector a = {}, b = {}, c = {}, d = {};
    for (std::size_t r = 0; r < count; ++r) {
      const Vector h = Vector{} + weights[r];
      const float* x = rows[r] + i;
      a += h * load(x);
      b += h * load(x + kWidth);
      c += h * load(x + 2 * kWidth);
      d += h * load(x + 3 * kWidth);
    }
    store(out + i, a);
    store(out + i + kWidth, b);
    store(out + i + 2 * kWidth, c);
    store(out + i + 3 * kWidth, d);
  }
  for (; i < n; ++i) {
    float a = 0.0f;
    for (std::size_t r = 0; r < count; ++r) a += weights[r] * rows[r][i];
    out[i] = a;
  }
}

}  // namespace crewe::noise::CREWE_ISA_LEVEL
