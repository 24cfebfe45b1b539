#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "crewe/atoms/fit.hpp"
#include "crewe/atoms/information.hpp"

namespace crewe::bindings {
namespace {

using Doubles = Array<double>;

atoms::Width width_of(const std::string& name) {
  if (name == "shared") return atoms::Width::shared;
  if (name == "free") return atoms::Width::free;
  if (name == "elliptic") return atoms::Width::elliptic;
  throw std::invalid_argument("width: 'shared', 'free' or 'elliptic' wanted, '" + name + "' came");
}

template <class T>
void bind_fit(py::module_& m) {
  using namespace py::literals;
  m.def(
      "atoms_fit",
      [](const Array<T>& image, const Doubles& positions, Doubles& columns, Doubles& covariance,
         const std::string& width, bool background, bool poisson, int threads) {
        const auto z = input<T, 2>(image, "image");
        const auto start = input<double, 2>(positions, "positions");
        const auto out = output<double, 2>(columns, "columns");
        const auto errors = output<double, 3>(covariance, "covariance");
        const atoms::FitOptions options{width_of(width), background, poisson, threads};
        atoms::Fit found;
        {
          const py::gil_scoped_release release;
          found = atoms::fit(z, start, options, out, errors);
        }
        return py::make_tuple(found.background, found.residual, found.iterations, found.converged);
      },
      py::arg("image").noconvert(), py::arg("positions").noconvert(), py::arg("columns").noconvert(),
      py::arg("covariance").noconvert(), py::kw_only(), "width"_a, "background"_a, "poisson"_a, "threads"_a = 0);
}

}  // namespace

void bind_atoms_fit(py::module_& m);
void bind_atoms_fit(py::module_& m) {
  using namespace py::literals;
  bind_fit<float>(m);
  bind_fit<double>(m);
  m.def(
      "atoms_bound",
      [](const Doubles& columns, double background, const std::array<std::size_t, 2>& shape, const std::string& width,
         bool background_free, Doubles& out, int threads) {
        const auto rows = input<double, 2>(columns, "columns");
        const auto errors = output<double, 3>(out, "out");
        const atoms::Width kind = width_of(width);
        const py::gil_scoped_release release;
        atoms::bound(rows, background, shape, kind, background_free, errors, threads);
      },
      py::arg("columns").noconvert(), "background"_a, "shape"_a, py::kw_only(), "width"_a, "background_free"_a,
      py::arg("out").noconvert(), "threads"_a = 0);
  m.def(
      "atoms_draw",
      [](const Doubles& columns, double background, Doubles& out, int threads) {
        const auto rows = input<double, 2>(columns, "columns");
        const auto image = output<double, 2>(out, "out");
        const py::gil_scoped_release release;
        atoms::draw(rows, background, image, threads);
      },
      py::arg("columns").noconvert(), "background"_a, py::arg("out").noconvert(), py::kw_only(), "threads"_a = 0);
}

}  // namespace crewe::bindings
