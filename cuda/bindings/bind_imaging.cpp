#include <pybind11/stl.h>

#include <optional>
#include <vector>

#include "arrays.hpp"
#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/check.hpp"
#include "crewe/cuda/finite.hpp"
#include "crewe/cuda/imaging/icom.hpp"
#include "crewe/cuda/imaging/moments.hpp"
#include "frames.hpp"

namespace crewe::bindings {
namespace {

std::int64_t first_not_finite(const py::object& array) {
  const View<const float, 3> numbers = view_of<const float, 3>(array, "array");
  const cudaStream_t stream = stream_of(array);
  const int device = device_of(array);
  const py::gil_scoped_release free;
  const cuda::UseDevice use(device);
  return cuda::first_not_finite(numbers, stream);
}

void icom(const py::object& com, double step, double high_pass, const py::object& out) {
  const View<const float, 3> map = view_of<const float, 3>(com, "com");
  const View<float, 2> image = view_of<float, 2>(out, "out");
  const cudaStream_t stream = stream_of(com);
  const int device = device_of(com);
  const py::gil_scoped_release free;
  const cuda::UseDevice use(device);
  cuda::imaging::icom(map, step, high_pass, image, stream);
}

template <class T>
using Dense = py::array_t<T, py::array::c_style>;

template <class T>
std::vector<T> values(const std::optional<Dense<T>>& array) {
  return array ? std::vector<T>(array->data(), array->data() + array->size()) : std::vector<T>();
}

// The pointer of a contiguous (frames, ...) result, or null where none is wanted.
template <class T>
T* rows(const py::object& view, std::size_t frames, std::size_t width, const char* name) {
  if (view.is_none()) return nullptr;
  const View<T, 2> result = view_of<T, 2>(view, name);
  if (result.shape != std::array{frames, width} || (result.size() != 0 && !result.contiguous())) {
    throw std::invalid_argument(std::string(name) + ": a contiguous array of one row per frame wanted");
  }
  return result.data;
}

// Sums over frames on the device: centres of mass (n, 2), virtual detectors (n, k). Returns the first frame that holds
// a number that isn't finite, or −1: only float frames can, and only for them the stream is waited for.
std::int64_t reduce(const py::object& frames, bool moments, const std::optional<Dense<float>>& weights,
                    const std::vector<Dense<float>>& detectors, const py::object& com, double cy, double cx,
                    const py::object& image) {
  const std::vector<imaging::FrameBlock> blocks = frame_blocks(frames);
  imaging::FrameReducer::Options options;
  options.ny = blocks[0].ny;
  options.nx = blocks[0].nx;
  options.moments = moments;
  options.weights = values(weights);
  for (const Dense<float>& detector : detectors) options.detectors.push_back(values<float>(detector));
  std::size_t count = 0;
  for (const imaging::FrameBlock& block : blocks) count += block.count;
  cuda::imaging::FrameSums into;
  into.com = reinterpret_cast<float2*>(rows<float>(com, count, 2, "com"));
  into.cy = cy;
  into.cx = cx;
  into.images = rows<float>(image, count, detectors.size(), "image");
  const cudaStream_t stream = stream_of(frames);
  const int device = device_of(frames);
  const py::gil_scoped_release free;
  const cuda::UseDevice use(device);
  const cuda::imaging::FrameReducer reducer(options, stream);
  std::vector<unsigned long long> first(blocks.size(), cuda::imaging::kNoFrame);
  const bool check = blocks[0].pixel == imaging::Pixel::f32;
  cuda::Buffer<unsigned long long> bad;
  if (check) bad = cuda::Buffer<unsigned long long>(first.data(), first.size(), stream);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    reducer.reduce(blocks[i], 0, blocks[i].count, into, check ? bad.data() + i : nullptr, stream);
    if (into.com != nullptr) into.com += blocks[i].count;
    if (into.images != nullptr) into.images += blocks[i].count * detectors.size();
  }
  if (!check) return -1;
  bad.get(first.data(), first.size());
  cuda::check(cudaStreamSynchronize(stream), "sums over frames");
  std::size_t done = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (first[i] != cuda::imaging::kNoFrame) return static_cast<std::int64_t>(done + first[i]);
    done += blocks[i].count;
  }
  return -1;
}

}  // namespace

void bind_imaging(py::module_& m);
void bind_imaging(py::module_& m) {
  using namespace py::literals;
  m.def("first_not_finite", &first_not_finite, "array"_a);
  m.def("reduce", &reduce, "frames"_a, py::kw_only(), "moments"_a = true, "weights"_a = py::none(),
        "detectors"_a = py::tuple(), "com"_a = py::none(), "cy"_a = 0.0, "cx"_a = 0.0, "image"_a = py::none());
  m.def("icom", &icom, "com"_a, "step"_a, "high_pass"_a, "out"_a);
}

}  // namespace crewe::bindings
