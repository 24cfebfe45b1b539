#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "crewe/noise/camera.hpp"
#include "crewe/noise/counting.hpp"
#include "crewe/noise/geometry.hpp"
#include "crewe/noise/pixels.hpp"
#include "crewe/noise/scan.hpp"
#include "crewe/rng.hpp"

namespace crewe::bindings {
namespace {

using Image = Array<float>;
using Pair = std::array<double, 2>;

View<const float, 2> in(const Image& image) {
  return input<float, 2>(image, "image");
}
View<float, 2> to(Image& out) {
  return output<float, 2>(out, "out");
}

void bind_stages(py::module_& m) {
  using namespace py::literals;
  const auto image = py::arg("image").noconvert();
  const auto out = py::arg("out").noconvert();
  m.def(
      "noise_shot",
      [](const Image& image, Image& out, std::uint64_t seed, std::uint32_t picture, int threads) {
        const auto a = in(image);
        const auto b = to(out);
        const py::gil_scoped_release release;
        noise::shot(a, b, seed, picture, threads);
      },
      image, out, py::kw_only(), "seed"_a, "picture"_a = 0, "threads"_a = 0);
  m.def(
      "noise_pmt",
      [](const Image& image, Image& out, double width, double pedestal, std::uint64_t seed, std::uint32_t picture,
         int threads) {
        const auto a = in(image);
        const auto b = to(out);
        const py::gil_scoped_release release;
        noise::pmt(a, b, width, pedestal, seed, picture, threads);
      },
      image, out, py::kw_only(), "width"_a, "pedestal"_a, "seed"_a, "picture"_a = 0, "threads"_a = 0);
  m.def(
      "noise_fixed_pattern",
      [](const Image& image, Image& out, double sigma, std::uint64_t sensor, int threads) {
        const auto a = in(image);
        const auto b = to(out);
        const py::gil_scoped_release release;
        noise::fixed_pattern(a, b, sigma, sensor, threads);
      },
      image, out, py::kw_only(), "sigma"_a, "sensor"_a, "threads"_a = 0);
  m.def(
      "noise_dark_map",
      [](Image& out, double mean, double std, double hot, std::uint64_t sensor, int threads) {
        const auto b = to(out);
        const py::gil_scoped_release release;
        noise::dark_map(b, mean, std, hot, sensor, threads);
      },
      out, py::kw_only(), "mean"_a, "std"_a, "hot"_a, "sensor"_a, "threads"_a = 0);
  m.def(
      "noise_dark_shot",
      [](const Image& image, const Image& map, Image& out, std::uint64_t seed, std::uint32_t picture, int threads) {
        const auto a = in(image);
        const auto dark = input<float, 2>(map, "map");
        const auto b = to(out);
        const py::gil_scoped_release release;
        noise::dark_shot(a, dark, b, seed, picture, threads);
      },
      image, py::arg("map").noconvert(), out, py::kw_only(), "seed"_a, "picture"_a = 0, "threads"_a = 0);
  // Stages with one standard deviation and a seed.
  using OneSigma = void (*)(View<const float, 2>, View<float, 2>, double, std::uint64_t, std::uint32_t, int);
  for (const auto& [name, stage] : {std::pair<const char*, OneSigma>{"noise_thermal", noise::thermal},
                                    {"noise_flicker", noise::flicker},
                                    {"noise_reset", noise::reset}}) {
    m.def(
        name,
        [stage = stage](const Image& image, Image& out, double sigma, std::uint64_t seed, std::uint32_t picture,
                        int threads) {
          const auto a = in(image);
          const auto b = to(out);
          const py::gil_scoped_release release;
          stage(a, b, sigma, seed, picture, threads);
        },
        image, out, py::kw_only(), "sigma"_a, "seed"_a, "picture"_a = 0, "threads"_a = 0);
  }
  m.def(
      "noise_mtf",
      [](const Image& image, Image& out, double a, double b, double c, int threads) {
        const auto from = in(image);
        const auto into = to(out);
        const py::gil_scoped_release release;
        noise::mtf(from, into, a, b, c, threads);
      },
      image, out, py::kw_only(), "a"_a, "b"_a, "c"_a, "threads"_a = 0);
}

void bind_scan(py::module_& m) {
  using namespace py::literals;
  const auto image = py::arg("image").noconvert();
  const auto out = py::arg("out").noconvert();
  const auto shifts = py::arg("shifts").noconvert();
  m.def(
      "noise_jitter_series",
      [](Array<double>& out, const Pair& sigma, const Pair& phi, std::uint64_t seed, std::uint32_t picture) {
        const View<double, 2> view = output<double, 2>(out, "out");
        check_shape(view, {view.shape[0], 2}, "out");
        for (int axis = 0; axis < 2; ++axis) {
          const auto k = static_cast<std::size_t>(axis);
          noise::jitter_series(view.data + axis * view.strides[1], view.shape[0], view.strides[0], sigma[k], phi[k],
                               axis, seed, picture);
        }
      },
      out, py::kw_only(), "sigma"_a, "phi"_a, "seed"_a, "picture"_a = 0);
  m.def(
      "noise_shift_lines",
      [](const Image& image, const Array<double>& shifts, Image& out, int threads) {
        const auto a = in(image);
        const auto s = input<double, 2>(shifts, "shifts");
        const auto b = to(out);
        const py::gil_scoped_release release;
        noise::shift_lines(a, s, b, threads);
      },
      image, shifts, out, py::kw_only(), "threads"_a = 0);
  m.def(
      "noise_unshift",
      [](const Image& data, const Array<double>& shifts, Image& out, int threads) {
        const auto a = input<float, 3>(data, "data");
        const auto s = input<double, 2>(shifts, "shifts");
        const auto b = output<float, 3>(out, "out");
        const py::gil_scoped_release release;
        noise::unshift(a, s, b, threads);
      },
      py::arg("data").noconvert(), shifts, out, py::kw_only(), "threads"_a = 0);
  m.def("noise_scan_response", &noise::scan_response, "alpha"_a, "beta"_a, "gamma"_a, "theta"_a);
  m.def(
      "noise_fast_scan",
      [](const Image& image, Image& out, const std::vector<float>& response, int threads) {
        const auto a = in(image);
        const auto b = to(out);
        const py::gil_scoped_release release;
        noise::fast_scan(a, b, response, threads);
      },
      image, out, py::kw_only(), "response"_a, "threads"_a = 0);
  m.def(
      "noise_row_lines",
      [](Image& out, std::size_t count, const Pair& length, const Pair& factor, std::uint64_t seed,
         std::uint32_t picture) {
        const auto b = to(out);
        const py::gil_scoped_release release;
        noise::row_lines(b, count, length.data(), factor.data(), seed, picture);
      },
      out, py::kw_only(), "count"_a, "length"_a, "factor"_a, "seed"_a, "picture"_a = 0);
}

void bind_pixels(py::module_& m) {
  using namespace py::literals;
  const auto image = py::arg("image").noconvert();
  const auto out = py::arg("out").noconvert();
  using Walks = void (*)(View<float, 2>, std::size_t, std::size_t, const double[2], std::uint64_t, std::uint32_t);
  for (const auto& [name, stage] :
       {std::pair<const char*, Walks>{"noise_black_pixels", noise::black_pixels}, {"noise_zingers", noise::zingers}}) {
    m.def(
        name,
        [stage = stage](Image& out, std::size_t count, std::size_t steps, const Pair& range, std::uint64_t seed,
                        std::uint32_t picture) {
          const auto b = to(out);
          const py::gil_scoped_release release;
          stage(b, count, steps, range.data(), seed, picture);
        },
        out, py::kw_only(), "count"_a, "steps"_a, "range"_a, "seed"_a, "picture"_a = 0);
  }
  m.def(
      "noise_quantile",
      [](const Image& image, double q, int threads) {
        const auto a = in(image);
        const py::gil_scoped_release release;
        return noise::quantile(a, q, threads);
      },
      image, "q"_a, py::kw_only(), "threads"_a = 0);
  m.def(
      "noise_clip",
      [](const Image& image, Image& out, float maximum, int threads) {
        const auto a = in(image);
        const auto b = to(out);
        const py::gil_scoped_release release;
        noise::clip(a, b, maximum, threads);
      },
      image, out, py::kw_only(), "maximum"_a, "threads"_a = 0);
  m.def(
      "noise_quantise",
      [](const Image& image, Image& out, int bits, double full_scale, double offset, int threads) {
        const auto a = in(image);
        const auto b = to(out);
        const py::gil_scoped_release release;
        noise::quantise(a, b, bits, full_scale, offset, threads);
      },
      image, out, py::kw_only(), "bits"_a, "full_scale"_a, "offset"_a, "threads"_a = 0);
  m.def(
      "noise_gaussian_blur",
      [](const Image& image, Image& out, double sigma, int threads) {
        const auto a = in(image);
        const auto b = to(out);
        const py::gil_scoped_release release;
        noise::gaussian_blur(a, b, sigma, threads);
      },
      image, out, py::kw_only(), "sigma"_a, "threads"_a = 0);
  m.def(
      "noise_interpolate",
      [](const Image& image, Image& out, const std::array<double, 4>& matrix, int threads) {
        const auto a = in(image);
        const auto b = to(out);
        const py::gil_scoped_release release;
        noise::interpolate(a, b, matrix.data(), threads);
      },
      image, out, py::kw_only(), "matrix"_a, "threads"_a = 0);
  m.def(
      "noise_statistics",
      [](const Image& image) {
        const auto a = in(image);
        noise::Statistics s;
        {
          const py::gil_scoped_release release;
          s = noise::statistics(a);
        }
        return py::make_tuple(s.minimum, s.maximum, s.mean, s.finite);
      },
      image);
  m.def("noise_full_scale", &noise::full_scale, "highest"_a, py::kw_only(), "seed"_a);
  m.attr("noise_below") = noise::kBelow;
  m.def("philox4x32", [](const rng::Block& counter, const std::array<std::uint32_t, 2>& key) {
    return rng::philox(counter, key[0], key[1]);
  });
}

}  // namespace

void bind_noise(py::module_& m);
void bind_noise(py::module_& m) {
  bind_stages(m);
  bind_scan(m);
  bind_pixels(m);
}

}  // namespace crewe::bindings
