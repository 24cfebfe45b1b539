#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "crewe/imaging/ssb.hpp"

namespace crewe::bindings {
namespace {

// energy, semiangle, step, angle_per_pixel, wiener, aberrations (n, m, C, phi)
using Optics = std::tuple<double, double, double, double, double, std::vector<std::tuple<int, int, double, double>>>;

void ssb(const py::array& frames, const Optics& optics, std::pair<double, double> center, double rotation,
         bool transpose, Array<float> out, int threads) {
  const auto phase = output<float, 2>(out, "out");
  imaging::SsbOptions options;
  options.sy = phase.shape[0];
  options.sx = phase.shape[1];
  const auto blocks = frame_blocks(frames);
  options.ky = blocks.front().ny;
  options.kx = blocks.front().nx;
  const auto& [energy, semiangle, step, angle_per_pixel, wiener, aberrations] = optics;
  options.energy = energy;
  options.semiangle = semiangle;
  options.step = step;
  options.angle_per_pixel = angle_per_pixel;
  std::tie(options.cy, options.cx) = center;
  options.rotation = rotation;
  options.transpose = transpose;
  options.wiener = wiener;
  for (const auto& [n, m, size, azimuth] : aberrations) options.aberrations.push_back({n, m, size, azimuth});
  const py::gil_scoped_release release;
  imaging::ssb(blocks, options, phase, threads);
}

}  // namespace

void bind_phase(py::module_& m);
void bind_phase(py::module_& m) {
  using namespace py::literals;
  m.def("ssb", &ssb, "frames"_a, "optics"_a, "center"_a, "rotation"_a, "transpose"_a, "out"_a.noconvert(),
        py::kw_only(), "threads"_a = 0);
}

}  // namespace crewe::bindings
