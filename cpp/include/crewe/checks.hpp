// Checks at the door: which argument, what is wanted and what came.
#pragma once

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "crewe/view.hpp"

namespace crewe {

[[noreturn]] inline void reject(const std::string& name, const std::string& wanted, const std::string& came) {
  throw std::invalid_argument(name + ": " + wanted + " wanted, " + came + " came");
}

// (2, 3)
template <std::size_t N>
std::string shape_text(const std::array<std::size_t, N>& shape) {
  std::string text;
  for (const std::size_t extent : shape) text += (text.empty() ? "(" : ", ") + std::to_string(extent);
  return text + (N == 1 ? ",)" : ")");
}

template <class T, std::size_t N>
void check_shape(const View<T, N>& array, const std::array<std::size_t, N>& wanted, const char* name) {
  if (array.shape != wanted) reject(name, "shape " + shape_text(wanted), shape_text(array.shape));
}

template <class T, std::size_t N>
void check_contiguous(const View<T, N>& array, const char* name) {
  if (array.size() != 0 && !array.contiguous()) reject(name, "a C-contiguous array", "one with gaps or another order");
}

// Of an array that may be left out: one number per pixel, or none.
inline void check_pixels(std::size_t size, std::size_t pixels, const char* name) {
  if (size != 0 && size != pixels) reject(name, std::to_string(pixels) + " pixels", std::to_string(size));
}

}  // namespace crewe
