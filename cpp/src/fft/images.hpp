// Rows of images into the lanes of a signal group and back.
//
// Include only from *.simd.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fft/lanes.hpp"

namespace crewe::fft {
namespace CREWE_ISA_LEVEL {
namespace {

// Row r (r < rows <= lanes) of a complex image, `distance` complex numbers apart, ↔ lane r; the lanes beyond are zero.
// Sample j ↔ x[place[j]], or x[j] without `place`.
template <class T>
void load_rows(const T* image, std::ptrdiff_t distance, std::size_t nx, std::size_t rows, const std::uint32_t* place,
               Cx<T>* x) {
  constexpr std::size_t n = Lanes<T>::n;
  const auto at = [=](std::size_t j) { return place == nullptr ? j : place[j]; };
  std::size_t j = 0;
  for (; j + n / 2 <= nx; j += n / 2) {
    Vector<T> tile[n];
#pragma GCC unroll 16
    for (std::size_t r = 0; r < n; ++r) {
      const T* row = image + 2 * (static_cast<std::ptrdiff_t>(r) * distance + static_cast<std::ptrdiff_t>(j));
      tile[r] = r < rows ? load(row) : Vector<T>{};
    }
    transpose<T>(tile);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < n / 2; ++i) x[at(j + i)] = {tile[2 * i], tile[2 * i + 1]};
  }
  for (; j < nx; ++j) {
    Cx<T> sample{};
    for (std::size_t r = 0; r < rows; ++r) {
      const T* from = image + 2 * (static_cast<std::ptrdiff_t>(r) * distance + static_cast<std::ptrdiff_t>(j));
      sample.re[r] = from[0];
      sample.im[r] = from[1];
    }
    x[at(j)] = sample;
  }
}

template <class T>
void store_rows(const Cx<T>* x, T scale, const std::uint32_t* place, T* image, std::ptrdiff_t distance, std::size_t nx,
                std::size_t rows) {
  constexpr std::size_t n = Lanes<T>::n;
  const auto at = [=](std::size_t j) { return place == nullptr ? j : place[j]; };
  std::size_t j = 0;
  for (; j + n / 2 <= nx; j += n / 2) {
    Vector<T> tile[n];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < n / 2; ++i) {
      tile[2 * i] = x[at(j + i)].re * scale;
      tile[2 * i + 1] = x[at(j + i)].im * scale;
    }
    transpose<T>(tile);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < n; ++r) {
      T* row = image + 2 * (static_cast<std::ptrdiff_t>(r) * distance + static_cast<std::ptrdiff_t>(j));
      if (r < rows) store(row, tile[r]);
    }
  }
  for (; j < nx; ++j) {
    for (std::size_t r = 0; r < rows; ++r) {
      T* to = image + 2 * (static_cast<std::ptrdiff_t>(r) * distance + static_cast<std::ptrdiff_t>(j));
      to[0] = x[at(j)].re[r] * scale;
      to[1] = x[at(j)].im[r] * scale;
    }
  }
}

}  // namespace
}  // namespace CREWE_ISA_LEVEL
}  // namespace crewe::fft
