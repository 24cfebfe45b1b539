// Eight sums of each kind side by side, joined in one fixed order: the width of the registers does not show.
#include <cstddef>
#include <cstdint>

#include "metrics/kernels.hpp"
#include "vec.hpp"

namespace crewe::metrics::CREWE_ISA_LEVEL {
namespace {

double total(f64x8 x) {
  return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

CREWE_INLINE f64x8 widened(f32x16 x, int half) {
  const f32x8 low = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7);
  const f32x8 high = __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
  return __builtin_convertvector(half ? high : low, f64x8);
}

struct Extremes {
  f32x16 least, most;

  __attribute__((always_inline)) void see(f32x16 x, bool upper) {
    least = x < least ? x : least;
    if (upper) most = x > most ? x : most;
  }
};

template <bool everything>
CREWE_INLINE Stretch add_up(const float* a, const float* b, std::size_t n) {
  constexpr float kMost = __builtin_inff();
  f64x8 sa = {}, sb = {}, saa = {}, sab = {}, sbb = {};
  const Extremes none{f32x16{} + kMost, f32x16{} - kMost};
  Extremes of_a = none, of_b = none;
  const auto add = [&](f32x16 x, f32x16 y) __attribute__((always_inline)) {
    for (int half = 0; half < 2; ++half) {
      const f64x8 p = widened(x, half), q = widened(y, half);
      if constexpr (everything) {
        sa += p;
        sb += q;
      }
      saa += p * p;
      sab += p * q;
      sbb += q * q;
    }
  };
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const f32x16 x = load16(a + i), y = load16(b + i);
    add(x, y);
    of_a.see(x, everything);
    of_b.see(y, everything);
  }
  if (i < n) {  // zeros fill the last sixteen and add nothing; for the extremes the last pixel does
    f32x16 x = {}, y = {}, last_a = f32x16{} + a[n - 1], last_b = f32x16{} + b[n - 1];
    for (std::size_t k = 0; i + k < n; ++k) {
      last_a[k] = x[k] = a[i + k];
      last_b[k] = y[k] = b[i + k];
    }
    add(x, y);
    of_a.see(last_a, everything);
    of_b.see(last_b, everything);
  }
  Stretch s{{total(sa), total(sb), total(saa), total(sab), total(sbb)}, kMost, -kMost, kMost, -kMost};
  for (int k = 0; k < 16; ++k) {
    s.min_a = of_a.least[k] < s.min_a ? of_a.least[k] : s.min_a;
    s.max_a = of_a.most[k] > s.max_a ? of_a.most[k] : s.max_a;
    s.min_b = of_b.least[k] < s.min_b ? of_b.least[k] : s.min_b;
    s.max_b = of_b.most[k] > s.max_b ? of_b.most[k] : s.max_b;
  }
  return s;
}

}  // namespace

Stretch stretch(const float* a, const float* b, std::size_t n) {
  return add_up<true>(a, b, n);
}

Stretch stretch_products(const float* a, const float* b, std::size_t n) {
  return add_up<false>(a, b, n);
}

}  // namespace crewe::metrics::CREWE_ISA_LEVEL
