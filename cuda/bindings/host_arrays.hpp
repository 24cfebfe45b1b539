// NumPy arrays of the host ↔ views, without copies or casts.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>

#include "crewe/view.hpp"

namespace crewe::bindings {

namespace py = pybind11;

template <class T>
using HostArray = py::array_t<T, 0>;  // used with .noconvert(): another dtype is a TypeError

template <class T, std::size_t N>
View<T, N> host_view(T* data, const py::array& array, const char* name) {
  if (array.ndim() != static_cast<py::ssize_t>(N)) {
    throw std::invalid_argument(std::string(name) + ": " + std::to_string(N) + " axes wanted, " +
                                std::to_string(array.ndim()) + " came");
  }
  View<T, N> view;
  view.data = data;
  for (std::size_t k = 0; k < N; ++k) {
    const py::ssize_t axis = static_cast<py::ssize_t>(k);
    view.shape[k] = static_cast<std::size_t>(array.shape(axis));
    view.strides[k] = array.strides(axis) / array.itemsize();
  }
  return view;
}

template <class T, std::size_t N>
View<const T, N> host_input(const HostArray<T>& array, const char* name) {
  return host_view<const T, N>(array.data(), array, name);
}

template <class T, std::size_t N>
View<T, N> host_output(HostArray<T>& array, const char* name) {
  return host_view<T, N>(array.mutable_data(), array, name);
}

template <class T>
std::span<const T> host_numbers(const HostArray<T>& array, const char* name) {
  const View<const T, 1> view = host_input<T, 1>(array, name);
  if (view.size() > 0 && !view.contiguous())
    throw std::invalid_argument(std::string(name) + ": a contiguous array wanted");
  return {view.data, view.shape[0]};
}

}  // namespace crewe::bindings
