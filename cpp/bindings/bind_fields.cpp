#include <pybind11/complex.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "arrays.hpp"
#include "crewe/fft.hpp"
#include "crewe/imaging/icom.hpp"
#include "crewe/imaging/ricom.hpp"

namespace crewe::bindings {
namespace {

using imaging::RicomKernel;

RicomKernel make_kernel(std::size_t width, double low, double high, std::pair<std::size_t, std::size_t> shape) {
  const py::gil_scoped_release release;
  return RicomKernel(width, low, high, shape.first, shape.second);
}

py::array_t<float> kernel_values(const RicomKernel& kernel) {
  const std::size_t n = kernel.width();
  return py::array_t<float>({std::size_t{2}, n, n}, kernel.values().data());
}

void ricom(const Array<float>& com, const RicomKernel& kernel, Array<float> out, int threads) {
  const auto positions = input<float, 3>(com, "com");
  const auto image = output<float, 2>(out, "out");
  const py::gil_scoped_release release;
  imaging::ricom(positions, kernel, image, threads);
}

void ricom_scatter(const RicomKernel& kernel, Array<float> image, std::size_t row, std::size_t col,
                   const Array<float>& com, std::optional<std::size_t> first, std::optional<std::size_t> last) {
  const auto pixels = output<float, 2>(image, "image");
  const auto positions = input<float, 2>(com, "com");
  check_shape(positions, {positions.shape[0], 2}, "com");
  check_contiguous(positions, "com");
  const py::gil_scoped_release release;
  imaging::ricom_scatter(kernel, pixels, row, col, positions.data, positions.shape[0], first.value_or(0),
                         last.value_or(pixels.shape[0]));
}

// The whole map, `cut` positions to a call, as a session does it: for tests and benchmarks.
void ricom_in_cuts(const Array<float>& com, const RicomKernel& kernel, Array<float> out, std::size_t cut) {
  const auto positions = input<float, 3>(com, "com");
  const auto image = output<float, 2>(out, "out");
  check_shape(positions, {image.shape[0], image.shape[1], 2}, "com");
  check_contiguous(positions, "com");
  if (cut == 0) reject("cut", "1 or more", "0");
  const py::gil_scoped_release release;
  for (std::size_t row = 0; row < positions.shape[0]; ++row) {
    for (std::size_t col = 0; col < positions.shape[1]; col += cut) {
      const std::size_t count = std::min(cut, positions.shape[1] - col);
      imaging::ricom_scatter(kernel, image, row, col, &positions(row, col, 0), count, 0, image.shape[0]);
    }
  }
}

void icom(const Array<float>& com, double step, double high_pass, Array<float> out, int threads) {
  const auto positions = input<float, 3>(com, "com");
  const auto image = output<float, 2>(out, "out");
  const py::gil_scoped_release release;
  imaging::icom(positions, image, step, high_pass, threads);
}

template <class T>
void fft2(Array<std::complex<T>> data, bool inverse, int threads) {
  const auto stack = output<std::complex<T>, 3>(data, "data");
  check_contiguous(stack, "data");
  const py::gil_scoped_release release;
  fft::fft2(stack.data, stack.shape[0], stack.shape[1], stack.shape[2],
            inverse ? fft::Direction::inverse : fft::Direction::forward, threads);
}

}  // namespace

void bind_fields(py::module_& m);
void bind_fields(py::module_& m) {
  using namespace py::literals;
  py::class_<RicomKernel>(m, "RicomKernel")
      .def(py::init(&make_kernel), "width"_a, "low"_a = 0.0, "high"_a = std::numeric_limits<double>::infinity(),
           "shape"_a = std::pair<std::size_t, std::size_t>(1, 1))
      .def_property_readonly("width", &RicomKernel::width)
      .def_property_readonly("values", &kernel_values);
  m.def("ricom", &ricom, "com"_a.noconvert(), "kernel"_a, "out"_a.noconvert(), py::kw_only(), "threads"_a = 0);
  m.def("ricom_scatter", &ricom_scatter, "kernel"_a, "image"_a.noconvert(), "row"_a, "col"_a, "com"_a.noconvert(),
        py::kw_only(), "first"_a = py::none(), "last"_a = py::none());
  m.def("ricom_in_cuts", &ricom_in_cuts, "com"_a.noconvert(), "kernel"_a, "out"_a.noconvert(), "cut"_a);
  m.def("icom", &icom, "com"_a.noconvert(), "step"_a, "high_pass"_a, "out"_a.noconvert(), py::kw_only(),
        "threads"_a = 0);
  m.def("fft2", &fft2<float>, "data"_a.noconvert(), py::kw_only(), "inverse"_a = false, "threads"_a = 0);
  m.def("fft2", &fft2<double>, "data"_a.noconvert(), py::kw_only(), "inverse"_a = false, "threads"_a = 0);
  m.def("good_size", &fft::good_size, "n"_a, "The smallest length >= n whose factors are 2, 3, 5 and 7.");
}

}  // namespace crewe::bindings
