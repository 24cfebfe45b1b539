#include <pybind11/stl.h>

#include <tuple>
#include <utility>
#include <vector>

#include "crewe/cuda/imaging/ssb.hpp"
#include "frames.hpp"

namespace crewe::bindings {
namespace {

// energy, semiangle, step, angle_per_pixel, wiener, aberrations (n, m, C, phi)
using Optics = std::tuple<double, double, double, double, double, std::vector<std::tuple<int, int, double, double>>>;

bool ssb(const py::object& frames, const Optics& optics, std::pair<double, double> center, double rotation,
         bool transpose, const py::object& out, int threads) {
  View<std::complex<float>, 2> wave = view_of<std::complex<float>, 2>(out, "out");
  imaging::SsbOptions options;
  options.sy = wave.shape[0];
  options.sx = wave.shape[1];
  const std::vector<imaging::FrameBlock> blocks = frame_blocks(frames);
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
  const cudaStream_t stream = stream_of(frames);
  const int device = device_of(frames);
  const py::gil_scoped_release free;
  const cuda::UseDevice use(device);
  View<float2, 2> pairs(reinterpret_cast<float2*>(wave.data), wave.shape, wave.strides);
  return cuda::imaging::ssb(blocks, options, pairs, threads, stream);
}

}  // namespace

void bind_phase(py::module_& m);
void bind_phase(py::module_& m) {
  using namespace py::literals;
  m.def("ssb", &ssb, "frames"_a, "optics"_a, "center"_a, "rotation"_a, "transpose"_a, "out"_a, py::kw_only(),
        "threads"_a = 0);
}

}  // namespace crewe::bindings
