// What the lane transforms (lanes.hpp) read: plain data, owned by Plan (plan.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

namespace crewe::sim {

constexpr std::size_t kMaxPasses = 40;

// One pass of radix `radix` over blocks of `length`: m = length / radix, twiddle[j][q−1] = exp(−2πi jq/length), j < m.
template <class T>
struct LanePass {
  std::size_t radix = 0, length = 0;
  const T* twiddle = nullptr;
  const T* roots = nullptr;  // (cos, sin)(2πk/radix) for prime radices above 7
};

template <class T>
struct LanePlan {
  std::size_t n = 0, passes = 0;
  LanePass<T> pass[kMaxPasses];
};

// A field (ny, nx) between the transforms along x and y: row y in real space, columns in Fourier space, of which only
// the wanted ones are kept. In memory column groups of `lanes` lanes, each a signal group of `rows` samples: element
// (y, column c) lies in the Cx (c / lanes)·rows + y, lane c % lanes. rows = ny rounded up to whole lanes.
template <class T>
struct LaneLayout {
  LanePlan<T> y, x;
  std::size_t ny = 0, nx = 0, rows = 0;
  std::size_t row_groups = 0, column_groups = 0;
  const std::uint32_t* place =
      nullptr;  // of each column (column_groups · lanes): its place in a row's spectrum; nx = none
  const std::uint32_t* dropped = nullptr;  // places in a row's spectrum that aren't kept: zero
  std::size_t dropped_count = 0;
};

}  // namespace crewe::sim
