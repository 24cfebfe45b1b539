#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "crewe/cuda/check.hpp"
#include "crewe/cuda/noise/chains.hpp"
#include "host_arrays.hpp"

namespace crewe::bindings {
namespace {

namespace stages = cuda::noise;
using stages::Images;
using stages::Results;
using Pair = std::array<double, 2>;

// Images (y, x) or (n, y, x) as a stack.
template <class T>
View<T, 3> stack(const py::handle& array, const char* name) {
  if (array.attr("ndim").cast<int>() == 3) return view_of<T, 3>(array, name);
  const View<T, 2> image = view_of<T, 2>(array, name);
  const auto rows = static_cast<std::ptrdiff_t>(image.shape[0]);
  return {
      image.data, {1, image.shape[0], image.shape[1]}, {rows * image.strides[0], image.strides[0], image.strides[1]}};
}

// f(stream) on the device of the array, without the GIL.
template <class F>
auto there(const py::handle& array, const F& f) {
  const cudaStream_t stream = stream_of(array);
  const cuda::UseDevice use(device_of(array));
  const py::gil_scoped_release release;
  return f(stream);
}

template <class T>
std::vector<T> fetched(const cuda::Buffer<T>& numbers, cudaStream_t stream) {
  std::vector<T> result(numbers.size());
  numbers.get(result.data(), result.size());
  cuda::check(cudaStreamSynchronize(stream), "work on the device");
  return result;
}

// A stage from images to images; Options are those of the stage of that name in crewe._core. The device has its own
// threads.
template <class... Options>
struct Stage {
  template <class... Arguments>
  static void bind(py::module_& m, const char* name, void (*run)(Images, Results, Options..., cudaStream_t),
                   const Arguments&... arguments) {
    using namespace py::literals;
    m.def(
        name,
        [run](const py::handle& image, const py::handle& out, Options... options, int) {
          const Images from = stack<const float>(image, "image");
          const Results to = stack<float>(out, "out");
          there(image, [&](cudaStream_t stream) { run(from, to, options..., stream); });
        },
        "image"_a, "out"_a, py::kw_only(), arguments..., "threads"_a = 0);
  }
};

void bind_stages(py::module_& m) {
  using namespace py::literals;
  Stage<std::uint64_t>::bind(m, "noise_shot", stages::shot, "seed"_a);
  Stage<double, double, std::uint64_t>::bind(m, "noise_pmt", stages::pmt, "width"_a, "pedestal"_a, "seed"_a);
  Stage<double, std::uint64_t>::bind(m, "noise_fixed_pattern", stages::fixed_pattern, "sigma"_a, "sensor"_a);
  Stage<double, std::uint64_t>::bind(m, "noise_thermal", stages::thermal, "sigma"_a, "seed"_a);
  Stage<double, std::uint64_t>::bind(m, "noise_flicker", stages::flicker, "sigma"_a, "seed"_a);
  Stage<double, std::uint64_t>::bind(m, "noise_reset", stages::reset, "sigma"_a, "seed"_a);
  Stage<float>::bind(m, "noise_clip", stages::clip, "maximum"_a);
  Stage<int, double, double>::bind(m, "noise_quantise", stages::quantise, "bits"_a, "full_scale"_a, "offset"_a);
  Stage<double>::bind(m, "noise_gaussian_blur", stages::gaussian_blur, "sigma"_a);
  Stage<const std::vector<float>&>::bind(m, "noise_fast_scan", stages::fast_scan, "response"_a);
  m.def(
      "noise_mtf",
      [](const py::handle& image, const py::handle& out, double a, double b, double c, int) {
        const Images from = stack<const float>(image, "image");
        const Results to = stack<float>(out, "out");
        there(image, [&](cudaStream_t stream) { stages::mtf(from, to, a, b, c, nullptr, stream); });
      },
      "image"_a, "out"_a, py::kw_only(), "a"_a, "b"_a, "c"_a, "threads"_a = 0);
  m.def(
      "noise_dark_current",
      [](const py::handle& image, const py::handle& out, double mean, double std, double hot, std::uint64_t sensor,
         std::uint64_t seed, int) {
        const Images from = stack<const float>(image, "image");
        const Results to = stack<float>(out, "out");
        there(image, [&](cudaStream_t stream) {
          stages::dark_current(from, to, noise::dark(mean, std, hot), sensor, seed, stream);
        });
      },
      "image"_a, "out"_a, py::kw_only(), "mean"_a, "std"_a, "hot"_a, "sensor"_a, "seed"_a, "threads"_a = 0);
  m.def(
      "noise_interpolate",
      [](const py::handle& image, const py::handle& out, const std::array<double, 4>& matrix, int) {
        const Images from = stack<const float>(image, "image");
        const Results to = stack<float>(out, "out");
        there(image, [&](cudaStream_t stream) { stages::interpolate(from, to, matrix.data(), stream); });
      },
      "image"_a, "out"_a, py::kw_only(), "matrix"_a, "threads"_a = 0);
  m.def(
      "noise_statistics",
      [](const py::handle& image) {
        const Images from = stack<const float>(image, "image");
        const auto found = there(image, [&](cudaStream_t stream) {
          const cuda::Buffer<noise::Statistics> device(from.shape[0], stream);
          stages::statistics(from, device.data(), stream);
          return fetched(device, stream);
        });
        // Of a stack: the extremes of all, the lowest mean.
        noise::Statistics all = found.at(0);
        for (const noise::Statistics& one : found) {
          all.minimum = one.minimum < all.minimum ? one.minimum : all.minimum;
          all.maximum = one.maximum > all.maximum ? one.maximum : all.maximum;
          all.mean = one.mean < all.mean ? one.mean : all.mean;
          all.finite = all.finite && one.finite;
        }
        return py::make_tuple(all.minimum, all.maximum, all.mean, all.finite);
      },
      "image"_a);
  m.def(
      "noise_quantile",
      [](const py::handle& image, double q, int) {
        const Images from = stack<const float>(image, "image");
        return there(image, [&](cudaStream_t stream) {
          const cuda::Buffer<double> device(from.shape[0], stream);
          stages::quantile(from, q, device.data(), stream);
          return fetched(device, stream).at(0);
        });
      },
      "image"_a, "q"_a, py::kw_only(), "threads"_a = 0);
}

void bind_lines(py::module_& m) {
  using namespace py::literals;
  m.def(
      "noise_jitter_series",
      [](const py::handle& out, const Pair& sigma, const Pair& phi, std::uint64_t seed) {
        const auto shifts = stack<double>(out, "out");
        there(out, [&](cudaStream_t stream) { stages::jitter_series(shifts, sigma.data(), phi.data(), seed, stream); });
      },
      "out"_a, py::kw_only(), "sigma"_a, "phi"_a, "seed"_a);
  m.def(
      "noise_shift_lines",
      [](const py::handle& image, const py::handle& shifts, const py::handle& out, int) {
        const Images from = stack<const float>(image, "image");
        const auto places = stack<const double>(shifts, "shifts");
        const Results to = stack<float>(out, "out");
        there(image, [&](cudaStream_t stream) { stages::shift_lines(from, places, to, nullptr, stream); });
      },
      "image"_a, "shifts"_a, "out"_a, py::kw_only(), "threads"_a = 0);
  m.def(
      "noise_unshift",
      [](const py::handle& data, const HostArray<double>& shifts, const py::handle& out, int) {
        const auto from = view_of<const float, 3>(data, "data");
        const auto places = host_input<double, 2>(shifts, "shifts");
        const auto to = view_of<float, 3>(out, "out");
        there(data, [&](cudaStream_t stream) { stages::unshift(from, places, to, stream); });
      },
      "data"_a, py::arg("shifts").noconvert(), "out"_a, py::kw_only(), "threads"_a = 0);
  m.def(
      "noise_row_lines",
      [](const py::handle& out, std::size_t count, const Pair& length, const Pair& factor, std::uint64_t seed) {
        const Results images = stack<float>(out, "out");
        there(out, [&](cudaStream_t stream) {
          stages::row_lines(images, count, length.data(), factor.data(), seed, stream);
        });
      },
      "out"_a, py::kw_only(), "count"_a, "length"_a, "factor"_a, "seed"_a);
  for (const auto& [name, kind] :
       {std::pair{"noise_black_pixels", noise::Walk::black}, std::pair{"noise_zingers", noise::Walk::zinger}}) {
    m.def(
        name,
        [kind](const py::handle& out, std::size_t count, std::size_t steps, const Pair& range, std::uint64_t seed) {
          const Results images = stack<float>(out, "out");
          there(out,
                [&](cudaStream_t stream) { stages::walk(kind, images, count, steps, range.data(), seed, stream); });
        },
        "out"_a, py::kw_only(), "count"_a, "steps"_a, "range"_a, "seed"_a);
  }
}

using Walks = std::optional<std::tuple<std::size_t, std::size_t, Pair>>;
using Clip = std::optional<std::pair<std::optional<double>, std::optional<double>>>;

stages::Walks walks_of(const Walks& walks) {
  if (!walks) return {};
  const auto& [count, steps, range] = *walks;
  return {count, steps, {range[0], range[1]}};
}

stages::Damage damage_of(const Walks& black, const Walks& zingers, const Clip& clip, int bits) {
  stages::Damage damage;
  damage.black = walks_of(black);
  damage.zingers = walks_of(zingers);
  damage.clip = clip.has_value();
  if (clip) {
    damage.maximum = clip->first.value_or(0);
    damage.quantile = clip->second.value_or(-1);
  }
  damage.bits = bits;
  return damage;
}

// A stage that is off is None.
void bind_chains(py::module_& m) {
  using namespace py::literals;
  m.def(
      "noise_scan_chain",
      [](const py::handle& image, const py::handle& out, const py::handle& shifts, double electrons, std::uint64_t seed,
         const std::optional<std::pair<Pair, Pair>>& jitter, const std::optional<Pair>& detector,
         const std::vector<float>& response, const std::optional<std::tuple<std::size_t, Pair, Pair>>& row_lines,
         const Walks& black, const Walks& zingers, const Clip& clip, int bits) {
        const Images from = stack<const float>(image, "image");
        const Results to = stack<float>(out, "out");
        const auto places = stack<double>(shifts, "shifts");
        stages::ScanChain chain;
        chain.electrons = electrons;
        chain.seed = seed;
        chain.jitter = jitter.has_value();
        for (std::size_t axis = 0; jitter && axis < 2; ++axis) {
          chain.sigma[axis] = jitter->first[axis];
          chain.phi[axis] = jitter->second[axis];
        }
        chain.detector = detector.has_value();
        if (detector) {
          chain.width = (*detector)[0];
          chain.pedestal = (*detector)[1];
        }
        chain.response = response;
        if (row_lines) {
          const auto& [count, length, factor] = *row_lines;
          chain.parts = count;
          for (std::size_t k = 0; k < 2; ++k) {
            chain.length[k] = length[k];
            chain.factor[k] = factor[k];
          }
        }
        chain.damage = damage_of(black, zingers, clip, bits);
        there(image, [&](cudaStream_t stream) { stages::scan_chain(from, to, places, chain, stream); });
      },
      "image"_a, "out"_a, "shifts"_a, py::kw_only(), "electrons"_a, "seed"_a, "jitter"_a, "detector"_a, "response"_a,
      "row_lines"_a, "black"_a, "zingers"_a, "clip"_a, "bits"_a);
  m.def(
      "noise_camera_chain",
      [](const py::handle& image, const py::handle& out, const py::handle& shifts, double electrons, std::uint64_t seed,
         std::uint64_t sensor, const std::optional<std::array<double, 3>>& mtf, double pattern,
         const std::optional<std::array<double, 3>>& dark, double thermal, double flicker, double reset,
         const Walks& black, const Walks& zingers, const Clip& clip, int bits) {
        const Images from = stack<const float>(image, "image");
        const Results to = stack<float>(out, "out");
        stages::CameraChain chain;
        chain.electrons = electrons;
        chain.seed = seed;
        chain.sensor = sensor;
        chain.mtf = mtf.has_value();
        if (mtf) {
          chain.a = (*mtf)[0];
          chain.b = (*mtf)[1];
          chain.c = (*mtf)[2];
        }
        chain.pattern = pattern;
        chain.dark = dark.has_value();
        if (dark) chain.map = noise::dark((*dark)[0], (*dark)[1], (*dark)[2]);
        chain.thermal = thermal;
        chain.flicker = flicker;
        chain.reset = reset;
        chain.damage = damage_of(black, zingers, clip, bits);
        const auto places = stack<double>(shifts, "shifts");
        there(image, [&](cudaStream_t stream) {
          stages::camera_chain(from, to, chain, stream);
          cuda::check(cudaMemsetAsync(places.data, 0, places.size() * sizeof(double), stream), "shifts");
        });
      },
      "image"_a, "out"_a, "shifts"_a, py::kw_only(), "electrons"_a, "seed"_a, "sensor"_a, "mtf"_a, "fixed_pattern"_a,
      "dark_current"_a, "thermal"_a, "flicker"_a, "reset"_a, "black"_a, "zingers"_a, "clip"_a, "bits"_a);
}

}  // namespace

void bind_noise(py::module_& m);
void bind_noise(py::module_& m) {
  bind_stages(m);
  bind_lines(m);
  bind_chains(m);
}

}  // namespace crewe::bindings
