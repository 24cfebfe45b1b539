#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "crewe/imaging/join.hpp"
#include "crewe/imaging/ssb.hpp"
#include "crewe/parallel.hpp"

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

// frames (n, ky, kx) → out (n, rows, columns).
void join_pixels(const py::array& frames, std::size_t join, std::pair<std::size_t, std::size_t> corner,
                 Array<float> out, int threads) {
  const auto joined = output<float, 3>(out, "out");
  const imaging::FrameBlock block = frame_block(frames);
  const imaging::Binning bins{join, corner.first, corner.second, joined.shape[1], joined.shape[2]};
  imaging::check_binning(bins, block.ny, block.nx);
  const std::size_t size = bins.rows * bins.columns;
  check_shape(joined, {block.count, bins.rows, bins.columns}, "out");
  check_contiguous(joined, "out");
  const py::gil_scoped_release release;
  parallel_for(block.count, 8, threads, [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      imaging::join_pixels(block, i, bins, nullptr, nullptr, joined.data + i * size);
    }
  });
}

}  // namespace

void bind_phase(py::module_& m);
void bind_phase(py::module_& m) {
  using namespace py::literals;
  m.def("ssb", &ssb, "frames"_a, "optics"_a, "center"_a, "rotation"_a, "transpose"_a, "out"_a.noconvert(),
        py::kw_only(), "threads"_a = 0);
  m.def("join_pixels", &join_pixels, "frames"_a, "join"_a, "corner"_a, "out"_a.noconvert(), py::kw_only(),
        "threads"_a = 0);
}

}  // namespace crewe::bindings
