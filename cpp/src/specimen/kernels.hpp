// The inner loop of rendering, once per instruction-set level.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cpu.hpp"

namespace crewe::specimen {

// t² = a·dy² + 2b·dy·dx + c·dx²; weight·f(t) is added to the pixels.
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

CREWE_SIMD_DECLARE(
    // Adds an item to the rows [first, end) of an image of `width` columns.
    void add_item(const Item& item, const Samples& samples, float* image, std::size_t width, std::size_t first,
                  std::size_t end);)

}  // namespace crewe::specimen
