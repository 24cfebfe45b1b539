// One radial profile, stretched and turned, on the pixels of an image; for the CPU's vectors and the GPU's threads.
//
//   weight·f(t),  t² = a·dy² + 2b·dy·dx + c·dx² = height·dy² + c·(dx + lean·dy)²
//
// f is a table, linear in between; its cusp at t = 0 is averaged over 3 × 3 places in the pixel.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/elementary.hpp"

namespace crewe::specimen {

struct Item {
  double y, x, a, b, c, weight;
  std::uint32_t kind;
};

// f(t) at t = k/steps, k = 0, 1, ..., linear in between; zero from k = end on.
struct Samples {
  static constexpr double kSteps = 256;
  const float* values;  // f_k and f_{k+1} − f_k, one pair after the other; both zero for k = end
  float end;
  bool cusp;  // at t = 0: within a pixel of it the mean over 3 × 3 places is taken
};

// f at the root of `square`.
template <class V>
CREWE_INLINE V look_up(const Samples& samples, V square) {
  const V place = Lanes<V>::square_root(square) * static_cast<float>(Samples::kSteps);
  const V held = place < samples.end ? place : V{} + samples.end;
  const Signed<V> k = Lanes<V>::truncate(held);
  V value, step;
  Lanes<V>::pairs(samples.values, k, value, step);
  return value + (held - Lanes<V>::convert(k)) * step;
}

// The pixels x0 ... x1 of a row that an item reaches, and what their t² have in common; none where it doesn't.
struct Reach {
  bool any;
  double x0, x1, middle;
  float base;
};
CREWE_INLINE Reach reach_of(const Item& item, const Samples& samples, double y, double right) {
  const double reach = static_cast<double>(samples.end) / Samples::kSteps;
  const double inverse = 1 / item.c, lean = item.b * inverse, height = item.a - item.b * lean;
  const double dy = y - item.y, middle = item.x - lean * dy, part = height * dy * dy;
  if (!(part <= reach * reach)) return {false, 0, 0, 0, 0};
  const double half = __builtin_sqrt((reach * reach - part) * inverse);
  const double from = __builtin_ceil(middle - half), to = __builtin_floor(middle + half);
  const double x0 = from > 0 ? from : 0, x1 = to < right ? to : right;
  return {x0 <= x1, x0, x1, middle, static_cast<float>(part)};
}

// t² of the pixels x0 + first + lane, `first` a multiple of 16, lane = 0 ... 15.
template <class V>
CREWE_INLINE V square_of(const Item& item, const Reach& reach, double first, V lane) {
  const V dx = static_cast<float>(reach.x0 - reach.middle + first) + lane;
  return reach.base + static_cast<float>(item.c) * dx * dx;
}

// A place p = 0 ... 8 of a pixel lies (p / 3 − 1, p % 3 − 1) thirds of it from the middle (dy, dx); t² there.
template <class V>
CREWE_INLINE V square_within(const Item& item, double dy, double dx, V up, V right) {
  const V y = static_cast<float>(dy) + up * (1.0f / 3.0f), x = static_cast<float>(dx) + right * (1.0f / 3.0f);
  const V square =
      static_cast<float>(item.a) * y * y + static_cast<float>(2 * item.b) * y * x + static_cast<float>(item.c) * x * x;
  return square > 0.0f ? square : V{};
}

}  // namespace crewe::specimen
