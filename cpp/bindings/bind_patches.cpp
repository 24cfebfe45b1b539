#include <pybind11/complex.h>
#include <pybind11/pybind11.h>

#include "arrays.hpp"
#include "crewe/imaging/patches.hpp"

namespace crewe::bindings {
namespace {

using imaging::Patches;

Patches make_patches(const Array<float>& probe, double pitch, double cut) {
  const auto wave = input<float, 3>(probe, "probe");
  const py::gil_scoped_release release;
  return Patches(wave, pitch, cut);
}

void add(const Patches& patches, const Array<float>& waves, Array<std::complex<float>> image, std::size_t first,
         std::size_t columns, std::size_t oversample, int threads) {
  const auto stack = input<float, 4>(waves, "waves");
  const auto sum = output<std::complex<float>, 2>(image, "image");
  const py::gil_scoped_release release;
  patches.add(stack, first, columns, oversample, sum, threads);
}

}  // namespace

void bind_patches(py::module_& m);
void bind_patches(py::module_& m) {
  using namespace py::literals;
  py::class_<Patches>(m, "Patches")
      .def(py::init(&make_patches), "probe"_a.noconvert(), py::kw_only(), "pitch"_a, "cut"_a)
      .def_property_readonly("reach", &Patches::reach)
      .def_property_readonly("weights",
                             [](const Patches& patches) {
                               return py::array_t<float>({patches.width(), patches.width()}, patches.weights().data());
                             })
      .def("add", &add, "waves"_a.noconvert(), "image"_a.noconvert(), py::kw_only(), "first"_a, "columns"_a,
           "oversample"_a, "threads"_a = 0);
}

}  // namespace crewe::bindings
