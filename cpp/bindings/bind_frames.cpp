#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <optional>
#include <vector>

#include "arrays.hpp"
#include "crewe/imaging/moments.hpp"
#include "crewe/parallel.hpp"

namespace crewe::bindings {
namespace {

using imaging::FrameBlock;
using imaging::FrameReducer;
using imaging::Moments;

template <class T>
using Dense = py::array_t<T, py::array::c_style>;

template <class T>
std::vector<T> values(const std::optional<Dense<T>>& array) {
  return array ? std::vector<T>(array->data(), array->data() + array->size()) : std::vector<T>();
}

// Where a result goes: (frames, width), written in rows; nothing if no array was given.
template <class T>
class Rows {
 public:
  Rows(std::optional<Array<T>>& array, std::size_t frames, std::size_t width, const char* name) : width_(width) {
    if (!array) return;
    const View<T, 2> view = output<T, 2>(*array, name);
    if (view.shape != std::array{frames, width} || (view.size() != 0 && !view.contiguous())) {
      throw std::invalid_argument(std::string(name) + ": a contiguous array (" + std::to_string(frames) + ", " +
                                  std::to_string(width) + ") wanted");
    }
    data_ = view.data;
  }
  T* at(std::size_t frame) const { return data_ == nullptr ? nullptr : data_ + frame * width_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  T* data_ = nullptr;
  std::size_t width_;
};

// The place of frame i as NumPy writes it: [2, 14].
std::string place_of(const py::array& frames, std::size_t i) {
  std::string text;
  for (py::ssize_t k = frames.ndim() - 2; k-- > 0;) {
    const auto extent = static_cast<std::size_t>(frames.shape(k));
    text.insert(0, std::to_string(i % extent) + (text.empty() ? "" : ", "));
    i /= extent;
  }
  return "[" + text + "]";
}

constexpr std::size_t kChunkBytes = 1 << 20;  // of a thread's turn: some 50 µs, a hundred times the cost of a turn

void reduce(const FrameReducer& reducer, const py::array& frames, std::optional<Array<float>> com, double cy, double cx,
            std::optional<Array<double>> moments, std::optional<Array<double>> sums,
            std::optional<Array<float>> profiles, int threads) {
  const std::vector<FrameBlock> blocks = frame_blocks(frames);
  std::size_t count = 0;
  for (const FrameBlock& block : blocks) count += block.count;
  const Rows<float> com_rows(com, count, 2, "com"), profile_rows(profiles, count, reducer.rings(), "profiles");
  const Rows<double> moment_rows(moments, count, 3, "moments"), sum_rows(sums, count, reducer.detectors(), "sums");
  std::atomic<std::size_t> bad{std::numeric_limits<std::size_t>::max()};
  {
    const py::gil_scoped_release release;
    std::size_t first = 0;
    for (const FrameBlock& block : blocks) {
      const std::size_t bytes = block.ny * block.nx * imaging::pixel_size(block.pixel);
      const std::size_t grain = std::max<std::size_t>(kChunkBytes / std::max<std::size_t>(bytes, 1), 1);
      parallel_for(block.count, grain, threads, [&](std::size_t begin, std::size_t end) {
        std::vector<Moments> nyx(end - begin);
        std::vector<double> spare(sum_rows ? 0 : (end - begin) * reducer.detectors());
        const std::ptrdiff_t wrong =
            reducer.reduce(block, begin, end, nyx.data(), sum_rows ? sum_rows.at(first + begin) : spare.data(),
                           profile_rows.at(first + begin));
        if (wrong >= 0) {  // the first one of all, whoever finds it
          const std::size_t frame = first + static_cast<std::size_t>(wrong);
          std::size_t known = bad.load();
          while (frame < known && !bad.compare_exchange_weak(known, frame)) {
          }
        }
        for (std::size_t i = begin; i < end; ++i) {
          const Moments& m = nyx[i - begin];
          if (double* out = moment_rows.at(first + i)) out[0] = m.n, out[1] = m.y, out[2] = m.x;
          if (float* out = com_rows.at(first + i)) {
            const imaging::Com centre = imaging::centre_of_mass(m, cy, cx);
            out[0] = centre.y, out[1] = centre.x;
          }
        }
      });
      first += block.count;
    }
  }
  if (bad != std::numeric_limits<std::size_t>::max()) {
    throw std::invalid_argument("frames: finite numbers wanted, NaN or infinity came in frame " +
                                place_of(frames, bad));
  }
}

}  // namespace

void bind_frames(py::module_& m) {
  using namespace py::literals;
  m.def(
      "ring_weights",
      [](std::pair<std::size_t, std::size_t> shape, double inner, double outer, double cy, double cx) {
        const std::vector<float> weights = imaging::ring_weights(shape.first, shape.second, inner, outer, cy, cx);
        return py::array_t<float>({shape.first, shape.second}, weights.data());
      },
      "shape"_a, "inner"_a, "outer"_a, "cy"_a, "cx"_a);
  py::class_<FrameReducer>(m, "FrameReducer")
      .def(py::init([](std::pair<std::size_t, std::size_t> shape, bool moments,
                       const std::optional<Dense<float>>& weights, const std::vector<Dense<float>>& detectors,
                       const std::optional<Dense<std::uint8_t>>& rings, const std::optional<Dense<float>>& dark,
                       const std::optional<Dense<float>>& gain, const std::optional<Dense<std::uint8_t>>& dead_pixels) {
             FrameReducer::Options options;
             options.ny = shape.first;
             options.nx = shape.second;
             options.moments = moments;
             options.weights = values(weights);
             for (const Dense<float>& detector : detectors) options.detectors.push_back(values<float>(detector));
             options.rings = values(rings);
             options.dark = values(dark);
             options.gain = values(gain);
             options.dead_pixels = values(dead_pixels);
             return FrameReducer(std::move(options));
           }),
           "shape"_a, py::kw_only(), "moments"_a = true, "weights"_a = py::none(), "detectors"_a = py::tuple(),
           "rings"_a = py::none(), "dark"_a = py::none(), "gain"_a = py::none(), "dead_pixels"_a = py::none())
      .def_property_readonly("rings", &FrameReducer::rings)
      .def("reduce", &reduce, "frames"_a, py::kw_only(), "com"_a.noconvert() = py::none(), "cy"_a = 0.0, "cx"_a = 0.0,
           "moments"_a.noconvert() = py::none(), "sums"_a.noconvert() = py::none(),
           "profiles"_a.noconvert() = py::none(), "threads"_a = 0);
}

}  // namespace crewe::bindings
