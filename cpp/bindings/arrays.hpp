// NumPy arrays ↔ views, without copies or casts.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <array>
#include <span>
#include <string>
#include <vector>

#include "crewe/checks.hpp"
#include "crewe/imaging/moments.hpp"
#include "crewe/io/event.hpp"
#include "crewe/view.hpp"

namespace crewe::bindings {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, 0>;  // used with .noconvert(): another dtype is a TypeError

template <std::size_t N>
std::array<std::ptrdiff_t, N> element_strides(const py::array& array, const char* name) {
  std::array<std::ptrdiff_t, N> strides{};
  for (std::size_t k = 0; k < N; ++k) {
    const py::ssize_t bytes = array.strides(static_cast<py::ssize_t>(k));
    if (bytes % array.itemsize() != 0) {
      reject(name, "strides of whole elements", std::to_string(bytes) + " bytes");
    }
    strides[k] = bytes / array.itemsize();
  }
  return strides;
}

template <std::size_t N>
std::array<std::size_t, N> extents(const py::array& array, const char* name) {
  if (array.ndim() != static_cast<py::ssize_t>(N)) {
    reject(name, std::to_string(N) + " axes", std::to_string(array.ndim()));
  }
  std::array<std::size_t, N> shape{};
  for (std::size_t k = 0; k < N; ++k) shape[k] = static_cast<std::size_t>(array.shape(static_cast<py::ssize_t>(k)));
  return shape;
}

template <class T, std::size_t N>
View<const T, N> input(const Array<T>& array, const char* name) {
  return {array.data(), extents<N>(array, name), element_strides<N>(array, name)};
}

template <class T, std::size_t N>
View<T, N> output(Array<T>& array, const char* name) {
  return {array.mutable_data(), extents<N>(array, name), element_strides<N>(array, name)};
}

// Frames (n, ky, kx) of any dtype that detectors send, in either byte order.
imaging::FrameBlock frame_block(const py::array& frames);

// Frames (..., ky, kx) with any strides as blocks in C order: one where the leading axes lie evenly in memory.
std::vector<imaging::FrameBlock> frame_blocks(const py::array& frames);

// EVENT records → events, without a copy.
std::span<const io::Event> events_of(const py::array& records);

}  // namespace crewe::bindings
