// Arrays on the device, as crewe._device.DeviceView has them, ↔ views.
#pragma once

#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "crewe/cuda/device.hpp"
#include "crewe/view.hpp"

namespace crewe::bindings {

namespace py = pybind11;

inline cudaStream_t stream_of(const py::handle& view) {
  return reinterpret_cast<cudaStream_t>(view.attr("stream").cast<std::uintptr_t>());
}

inline int device_of(const py::handle& view) {
  return view.attr("device").cast<int>();
}

// The elements of a view; another dtype, number of axes or stride than wanted is a mistake of the caller's.
template <class T, std::size_t N>
View<T, N> view_of(const py::handle& view, const char* name) {
  using Element = std::remove_const_t<T>;
  const std::string wrong = std::string(name) + ": ";
  if (!py::object(view.attr("dtype")).equal(py::dtype::of<Element>())) {
    throw py::type_error(wrong + "another dtype came than the kernel takes");
  }
  const auto shape = view.attr("shape").cast<std::array<std::size_t, N>>();
  const auto bytes = view.attr("strides").cast<std::array<std::ptrdiff_t, N>>();
  View<T, N> result;
  result.data = reinterpret_cast<T*>(view.attr("pointer").cast<std::uintptr_t>());
  result.shape = shape;
  for (std::size_t k = 0; k < N; ++k) {
    if (bytes[k] % static_cast<std::ptrdiff_t>(sizeof(T)) != 0) {
      throw std::invalid_argument(wrong + "strides are no multiple of the item size");
    }
    result.strides[k] = bytes[k] / static_cast<std::ptrdiff_t>(sizeof(T));
  }
  return result;
}

}  // namespace crewe::bindings
