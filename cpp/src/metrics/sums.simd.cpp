// Eight sums of each kind side by side, joined in one fixed order: the width of the registers does not show.
#include <cstddef>
#include <cstdint>

#include "metrics/kernels.hpp"
#include "metrics/vec.hpp"

namespace crewe::metrics::CREWE_ISA_LEVEL {
namespace {

CREWE_INLINE f32x8 smaller(f32x8 x, f32x8 y) {
  return x < y ? x : y;
}
CREWE_INLINE f32x8 larger(f32x8 x, f32x8 y) {
  return x > y ? x : y;
}

double total(f64x8 x) {
  return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

}  // namespace

Stretch stretch(const float* a, const float* b, std::size_t n) {
  constexpr float kMost = __builtin_inff();
  f64x8 sa = {}, sb = {}, saa = {}, sab = {}, sbb = {};
  f32x8 min_a = f32x8{} + kMost, min_b = min_a, max_a = f32x8{} - kMost, max_b = max_a;
  const auto add = [&](f32x8 x, f32x8 y) __attribute__((always_inline)) {
    const f64x8 p = __builtin_convertvector(x, f64x8), q = __builtin_convertvector(y, f64x8);
    sa += p;
    sb += q;
    saa += p * p;
    sab += p * q;
    sbb += q * q;
    min_a = smaller(x, min_a);
    max_a = larger(x, max_a);
    min_b = smaller(y, min_b);
    max_b = larger(y, max_b);
  };
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    add(*reinterpret_cast<const f32x8u*>(a + i), *reinterpret_cast<const f32x8u*>(b + i));
  }
  if (i < n) {  // zeros fill the last eight: they add nothing to the sums, and stay out of the extremes
    f32x8 x = {}, y = {};
    f32x8 low_a = min_a, high_a = max_a, low_b = min_b, high_b = max_b;
    for (std::size_t k = 0; i + k < n; ++k) {
      x[k] = a[i + k];
      y[k] = b[i + k];
      low_a[k] = x[k] < low_a[k] ? x[k] : low_a[k];
      high_a[k] = x[k] > high_a[k] ? x[k] : high_a[k];
      low_b[k] = y[k] < low_b[k] ? y[k] : low_b[k];
      high_b[k] = y[k] > high_b[k] ? y[k] : high_b[k];
    }
    add(x, y);
    min_a = low_a;
    max_a = high_a;
    min_b = low_b;
    max_b = high_b;
  }
  Stretch s{{total(sa), total(sb), total(saa), total(sab), total(sbb)}, kMost, -kMost, kMost, -kMost};
  for (int k = 0; k < 8; ++k) {
    s.min_a = min_a[k] < s.min_a ? min_a[k] : s.min_a;
    s.max_a = max_a[k] > s.max_a ? max_a[k] : s.max_a;
    s.min_b = min_b[k] < s.min_b ? min_b[k] : s.min_b;
    s.max_b = max_b[k] > s.max_b ? max_b[k] : s.max_b;
  }
  return s;
}

}  // namespace crewe::metrics::CREWE_ISA_LEVEL
