#include <pybind11/complex.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "crewe/sim/multislice.hpp"
#include "crewe/sim/potential.hpp"

namespace crewe::bindings {

void bind_sim(py::module_& m);

namespace {

template <class T>
std::span<const T> numbers(const Array<T>& array, const char* name) {
  const View<const T, 1> view = input<T, 1>(array, name);
  check_contiguous(view, name);
  return {view.data, view.shape[0]};
}

template <class T>
void project(const Array<double>& factors, const Array<double>& y, const Array<double>& x,
             const Array<std::int64_t>& first, Array<T> out, int threads) {
  const auto table = input<double, 3>(factors, "factors");
  const auto image = output<T, 3>(out, "out");
  const auto ys = numbers(y, "y"), xs = numbers(x, "x");
  const auto firsts = numbers(first, "first");
  const py::gil_scoped_release release;
  sim::project(table, ys, xs, firsts, image, threads);
}

template <class T, class Out>
void intensity(const sim::Waves<T>& waves, const Array<std::int32_t>& row, const Array<std::int32_t>& column,
               double weight, Array<Out> out, int threads) {
  const auto rows = numbers(row, "row"), columns = numbers(column, "column");
  const auto view = output<Out, 3>(out, "out");
  const py::gil_scoped_release release;
  waves.intensity(rows, columns, weight, view, threads);
}

template <class T>
void bind_precision(py::module_& m, const char* engine_name, const char* waves_name) {
  using Engine = sim::Multislice<T>;
  using Waves = sim::Waves<T>;
  py::class_<Engine>(m, engine_name)
      .def(py::init([](std::pair<std::size_t, std::size_t> shape, std::pair<double, double> sampling, double wavelength,
                       double interaction, std::vector<double> thickness, std::pair<double, double> tilt) {
             sim::MultisliceOptions options;
             options.ny = shape.first;
             options.nx = shape.second;
             options.dy = sampling.first;
             options.dx = sampling.second;
             options.wavelength = wavelength;
             options.interaction = interaction;
             options.thickness = std::move(thickness);
             options.tilt_y = tilt.first;
             options.tilt_x = tilt.second;
             return std::make_unique<Engine>(options);
           }),
           py::arg("shape"), py::arg("sampling"), py::arg("wavelength"), py::arg("interaction"), py::arg("thickness"),
           py::arg("tilt"))
      .def(
          "load",
          [](Engine& engine, std::size_t first, const Array<T>& potential, int threads) {
            const auto view = input<T, 3>(potential, "potential");
            const py::gil_scoped_release release;
            engine.load(first, view, threads);
          },
          py::arg("first"), py::arg("potential").noconvert(), py::arg("threads"))
      .def("reserve", &Engine::reserve, py::arg("n"))
      .def_property_readonly("slices", &Engine::slices)
      .def_property_readonly("slice_bytes", &Engine::slice_bytes)
      .def_property_readonly("wave_bytes", &Engine::wave_bytes);

  py::class_<Waves>(m, waves_name)
      .def(py::init<const Engine&, std::size_t>(), py::keep_alive<1, 2>(), py::arg("engine"), py::arg("count"))
      .def_property_readonly("count", &Waves::count)
      .def(
          "set_probes",
          [](Waves& waves, const Array<std::complex<double>>& spectrum, const Array<double>& positions, int threads) {
            const auto view = input<std::complex<double>, 2>(spectrum, "spectrum");
            const auto places = input<double, 2>(positions, "positions");
            const py::gil_scoped_release release;
            waves.set_probes(view, places, threads);
          },
          py::arg("spectrum").noconvert(), py::arg("positions").noconvert(), py::arg("threads"))
      .def(
          "set_waves",
          [](Waves& waves, const Array<std::complex<T>>& values) {
            waves.set_waves(input<std::complex<T>, 3>(values, "waves"));
          },
          py::arg("waves").noconvert())
      .def(
          "advance",
          [](Waves& waves, const Array<std::uint32_t>& transmission, const Array<std::uint32_t>& propagator,
             int threads) {
            const auto slices = numbers(transmission, "transmission"), flights = numbers(propagator, "propagator");
            const py::gil_scoped_release release;
            waves.advance(slices, flights, threads);
          },
          py::arg("transmission").noconvert(), py::arg("propagator").noconvert(), py::arg("threads"))
      .def(
          "wave",
          [](const Waves& waves, Array<std::complex<T>> out, int threads) {
            const auto view = output<std::complex<T>, 3>(out, "out");
            const py::gil_scoped_release release;
            waves.wave(view, threads);
          },
          py::arg("out").noconvert(), py::arg("threads"))
      .def("intensity", &intensity<T, float>, py::arg("row").noconvert(), py::arg("column").noconvert(),
           py::arg("weight"), py::arg("out").noconvert(), py::arg("threads"))
      .def("intensity", &intensity<T, double>, py::arg("row").noconvert(), py::arg("column").noconvert(),
           py::arg("weight"), py::arg("out").noconvert(), py::arg("threads"))
      .def(
          "signals",
          [](const Waves& waves, const Array<float>& detectors, double weight, Array<double> out, int threads) {
            const auto masks = input<float, 3>(detectors, "detectors");
            const auto view = output<double, 2>(out, "out");
            const py::gil_scoped_release release;
            waves.signals(masks, weight, view, threads);
          },
          py::arg("detectors").noconvert(), py::arg("weight"), py::arg("out").noconvert(), py::arg("threads"));

  m.def("sim_project", &project<T>, py::arg("factors").noconvert(), py::arg("y").noconvert(), py::arg("x").noconvert(),
        py::arg("first").noconvert(), py::arg("out").noconvert(), py::arg("threads"));
  m.def(
      "sim_transform_pairs",
      [](Array<std::complex<T>> wave, std::size_t pairs) {
        const auto view = output<std::complex<T>, 2>(wave, "wave");
        check_contiguous(view, "wave");
        const py::gil_scoped_release release;
        sim::transform_pairs(view.data, view.shape[0], view.shape[1], pairs);
      },
      py::arg("wave").noconvert(), py::arg("pairs"),
      "Forward and inverse transforms of one wave with the kernels of the multislice: the floor for the speed of a "
      "step.");
}

}  // namespace

void bind_sim(py::module_& m) {
  bind_precision<float>(m, "Multislice32", "Waves32");
  bind_precision<double>(m, "Multislice64", "Waves64");
}

}  // namespace crewe::bindings
