// Transforms of lines of an image, in natural order at both ends, in place.
#pragma once

#include <cstddef>

#include "crewe/cpu.hpp"
#include "fft/lane_plan.hpp"

namespace crewe::fft {

// Sample j of line i lies at data[2·(i·distance + j)] where lines are rows, at data[2·(i + j·distance)] where they are
// columns. Inverse transforms are divided by n. scratch: scratch_size(plan) numbers, aligned to 64 bytes.
template <class T>
struct Lines {
  const LanePlan<T>& plan;
  T* data;
  std::size_t count;
  std::ptrdiff_t distance;
  bool inverse;
  T* scratch;
};

// A signal group at the widest level, and what a transform needs besides.
template <class T>
std::size_t scratch_size(const LanePlan<T>& plan) {
  constexpr std::size_t kWidest = 64 / sizeof(T);
  return 2 * kWidest * (plan.n + plan.spare());
}

CREWE_SIMD_DECLARE(template <class T> void transform_rows(const Lines<T>&);
                   template <class T> void transform_columns(const Lines<T>&);)

}  // namespace crewe::fft
