#include <pybind11/complex.h>
#include <pybind11/stl.h>

#include "crewe/cuda/sim/multislice.hpp"
#include "host_arrays.hpp"

namespace crewe::bindings {

void bind_sim(py::module_& m);

namespace {

using cuda::sim::Multislice;
using cuda::sim::Patterns;
using cuda::sim::Probe;
using cuda::sim::Signals;
using cuda::sim::TransformPairs;
using cuda::sim::Waves;
using cuda::sim::WaveSums;

// begin, add and result of sums over waves.
template <class Sums, class T, std::size_t N>
void bind_sums(py::class_<Sums>& sums) {
  sums.def("begin", &Sums::begin, py::arg("count"), py::call_guard<py::gil_scoped_release>())
      .def("add", &Sums::add, py::arg("waves"), py::arg("weight"), py::call_guard<py::gil_scoped_release>())
      .def(
          "result",
          [](const Sums& self, HostArray<T> out) {
            const auto view = host_output<T, N>(out, "out");
            const py::gil_scoped_release release;
            self.result(view);
          },
          py::arg("out").noconvert());
}

void bind_engine(py::module_& m) {
  py::class_<Multislice>(m, "Multislice")
      .def(py::init([](std::pair<std::size_t, std::size_t> shape, std::pair<double, double> sampling, double wavelength,
                       double interaction, std::vector<double> thickness, std::pair<double, double> tilt, int device,
                       std::size_t scratch) {
             cuda::sim::MultisliceOptions options;
             options.ny = shape.first;
             options.nx = shape.second;
             options.dy = sampling.first;
             options.dx = sampling.second;
             options.wavelength = wavelength;
             options.interaction = interaction;
             options.thickness = std::move(thickness);
             options.tilt_y = tilt.first;
             options.tilt_x = tilt.second;
             const py::gil_scoped_release release;
             return std::make_unique<Multislice>(options, device, scratch);
           }),
           py::arg("shape"), py::arg("sampling"), py::arg("wavelength"), py::arg("interaction"), py::arg("thickness"),
           py::arg("tilt"), py::arg("device"), py::arg("scratch"))
      .def("reserve", &Multislice::reserve, py::arg("n"))
      .def(
          "load",
          [](Multislice& engine, std::size_t first, const HostArray<float>& potential) {
            const auto view = host_input<float, 3>(potential, "potential");
            const py::gil_scoped_release release;
            engine.load(first, view);
          },
          py::arg("first"), py::arg("potential").noconvert())
      .def(
          "project",
          [](Multislice& engine, std::size_t first, const HostArray<double>& factors, const HostArray<double>& y,
             const HostArray<double>& x, const HostArray<std::int64_t>& starts) {
            const auto table = host_input<double, 3>(factors, "factors");
            const auto ys = host_numbers(y, "y"), xs = host_numbers(x, "x");
            const auto begins = host_numbers(starts, "starts");
            const py::gil_scoped_release release;
            engine.project(first, table, ys, xs, begins);
          },
          py::arg("first"), py::arg("factors").noconvert(), py::arg("y").noconvert(), py::arg("x").noconvert(),
          py::arg("starts").noconvert())
      .def("synchronize", &Multislice::synchronize, py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("slots", &Multislice::slots)
      .def_property_readonly("slice_bytes", &Multislice::slice_bytes)
      .def_property_readonly("wave_bytes", &Multislice::wave_bytes);
}

void bind_waves(py::module_& m) {
  py::class_<Probe>(m, "Probe")
      .def(py::init([](const Multislice& engine, const HostArray<std::complex<double>>& spectrum) {
             return std::make_unique<Probe>(engine, host_input<std::complex<double>, 2>(spectrum, "spectrum"));
           }),
           py::keep_alive<1, 2>(), py::arg("engine"), py::arg("spectrum").noconvert());

  py::class_<Waves>(m, "Waves")
      .def(py::init<const Multislice&, std::size_t, std::size_t>(), py::keep_alive<1, 2>(), py::arg("engine"),
           py::arg("groups"), py::arg("count"))
      .def_property_readonly("groups", &Waves::groups)
      .def_property_readonly("count", &Waves::count)
      .def(
          "set_waves",
          [](Waves& waves, const HostArray<std::complex<float>>& values) {
            const auto view = host_input<std::complex<float>, 3>(values, "waves");
            const py::gil_scoped_release release;
            waves.set_waves(view);
          },
          py::arg("waves").noconvert())
      .def(
          "set_probes",
          [](Waves& waves, const Probe& probe, const HostArray<double>& positions) {
            waves.set_probes(probe, host_input<double, 2>(positions, "positions"));
          },
          py::keep_alive<1, 2>(), py::arg("probe"), py::arg("positions").noconvert())
      .def(
          "advance",
          [](Waves& waves, const HostArray<std::uint32_t>& slots, const HostArray<std::uint32_t>& propagators) {
            const auto table = host_input<std::uint32_t, 2>(slots, "slots");
            const auto flights = host_numbers(propagators, "propagators");
            const py::gil_scoped_release release;
            waves.advance(table, flights);
          },
          py::arg("slots").noconvert(), py::arg("propagators").noconvert())
      .def(
          "wave",
          [](const Waves& waves, std::size_t group, HostArray<std::complex<float>> out) {
            const auto view = host_output<std::complex<float>, 3>(out, "out");
            const py::gil_scoped_release release;
            waves.wave(group, view);
          },
          py::arg("group"), py::arg("out").noconvert());
}

}  // namespace

void bind_sim(py::module_& m) {
  bind_engine(m);
  bind_waves(m);

  py::class_<Patterns> patterns(m, "Patterns");
  patterns.def(py::init([](const Multislice& engine, const HostArray<std::int32_t>& row,
                           const HostArray<std::int32_t>& column, std::pair<std::size_t, std::size_t> shape) {
                 return std::make_unique<Patterns>(engine, host_numbers(row, "row"), host_numbers(column, "column"),
                                                   shape.first, shape.second);
               }),
               py::keep_alive<1, 2>(), py::arg("engine"), py::arg("row").noconvert(), py::arg("column").noconvert(),
               py::arg("shape"));
  bind_sums<Patterns, float, 3>(patterns);

  py::class_<Signals> signals(m, "Signals");
  signals.def(py::init([](const Multislice& engine, const HostArray<float>& detectors) {
                return std::make_unique<Signals>(engine, host_input<float, 3>(detectors, "detectors"));
              }),
              py::keep_alive<1, 2>(), py::arg("engine"), py::arg("detectors").noconvert());
  bind_sums<Signals, double, 2>(signals);

  py::class_<WaveSums> sums(m, "WaveSums");
  sums.def(py::init<const Multislice&>(), py::keep_alive<1, 2>(), py::arg("engine"));
  bind_sums<WaveSums, std::complex<float>, 3>(sums);

  py::class_<TransformPairs>(m, "TransformPairs")
      .def(py::init<std::size_t, std::size_t, std::size_t, int>(), py::arg("ny"), py::arg("nx"), py::arg("batch"),
           py::arg("device"))
      .def("run", &TransformPairs::run, py::arg("pairs"), py::call_guard<py::gil_scoped_release>());
}

}  // namespace crewe::bindings
