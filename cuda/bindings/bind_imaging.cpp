#include <pybind11/stl.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/check.hpp"
#include "crewe/cuda/finite.hpp"
#include "crewe/cuda/imaging/event_moments.hpp"
#include "crewe/cuda/imaging/icom.hpp"
#include "crewe/cuda/imaging/moments.hpp"
#include "crewe/cuda/imaging/ricom.hpp"
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
  cuda::imaging::icom(map, image, step, high_pass, stream);
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

void ricom(const py::object& com, std::size_t width, double low, double high, float step, const py::object& out) {
  const View<const float, 3> map = view_of<const float, 3>(com, "com");
  const View<float, 2> image = view_of<float, 2>(out, "out");
  const cudaStream_t stream = stream_of(com);
  const int device = device_of(com);
  const py::gil_scoped_release free;
  const cuda::UseDevice use(device);
  const imaging::RicomKernel kernel(width, low, high, map.shape[0], map.shape[1]);
  cuda::imaging::ricom(map, {kernel, stream}, image, step, stream);
}

void ricom_scatter(std::size_t width, const py::object& image, std::size_t row, std::size_t col, const py::object& com,
                   std::size_t first, std::size_t last) {
  const View<float, 2> pixels = view_of<float, 2>(image, "image");
  const View<const float, 2> run = view_of<const float, 2>(com, "com");
  if (run.shape[1] != 2 || !run.contiguous()) throw std::invalid_argument("com: contiguous pairs (n, 2) wanted");
  const cudaStream_t stream = stream_of(image);
  const int device = device_of(image);
  const py::gil_scoped_release free;
  const cuda::UseDevice use(device);
  const crewe::imaging::RicomKernel kernel(width, 0, std::numeric_limits<double>::infinity(), 1, 1);
  cuda::imaging::ricom_scatter({kernel, stream}, pixels, row, col, reinterpret_cast<const float2*>(run.data),
                               run.shape[0], first, last, stream);
}

// Sums of events over a scan, for as long as the object lives; they come back as arrays of the host.
class Events {
 public:
  Events(std::pair<std::size_t, std::size_t> shape, std::size_t positions, const std::optional<Dense<float>>& weights,
         const std::vector<Dense<float>>& detectors, const std::optional<Dense<std::uint8_t>>& rings,
         const std::optional<Dense<float>>& gain, const std::optional<Dense<std::uint8_t>>& dead_pixels, int device)
      : device_(device), pixels_(shape.first * shape.second) {
    const cuda::UseDevice use(device);
    imaging::FrameReducer::Options options;
    options.ny = shape.first;
    options.nx = shape.second;
    options.weights = values(weights);
    for (const Dense<float>& detector : detectors) options.detectors.push_back(values<float>(detector));
    options.rings = values(rings);
    options.gain = values(gain);
    options.dead_pixels = values(dead_pixels);
    reducer_.emplace(options, positions, cudaStreamLegacy);
    moments_ = {positions, cudaStreamLegacy};
    detectors_ = {positions * reducer_->detectors(), cudaStreamLegacy};
    profiles_ = {positions * reducer_->rings(), cudaStreamLegacy};
    pattern_ = {pixels_, cudaStreamLegacy};
    moments_.zero();
    detectors_.zero();
    profiles_.zero();
    pattern_.zero();
  }

  void add(const py::array& records) {
    if (records.itemsize() != sizeof(io::Event) || records.ndim() != 1 ||
        (records.size() > 1 && records.strides(0) != sizeof(io::Event))) {
      throw std::invalid_argument("events: one contiguous row of EVENT records wanted");
    }
    const auto n = static_cast<std::size_t>(records.size());
    const auto* const data = static_cast<const io::Event*>(records.data());
    const py::gil_scoped_release free;
    const cuda::UseDevice use(device_);
    unsigned long long first = cuda::imaging::kNoEvent;
    const cuda::Buffer<unsigned long long> bad(&first, 1, cudaStreamLegacy);
    const cuda::Buffer<io::Event> events(data, n, cudaStreamLegacy);
    reducer_->add(events.data(), n, {moments_.data(), detectors_.data(), profiles_.data(), pattern_.data()}, bad.data(),
                  cudaStreamLegacy);
    bad.get(&first, 1);
    cuda::check(cudaStreamSynchronize(cudaStreamLegacy), "sums over events");
    if (first != cuda::imaging::kNoEvent) {
      throw std::out_of_range("event " + std::to_string(first) + " lies beyond the scan or the detector");
    }
  }

  py::tuple sums() const {
    const std::size_t n = reducer_->positions();
    py::array_t<double> moments({n, std::size_t{3}}), detectors({n, reducer_->detectors()});
    py::array_t<double> pattern(static_cast<py::ssize_t>(pixels_));
    py::array_t<float> profiles({n, reducer_->rings()});
    const cuda::UseDevice use(device_);
    moments_.get(reinterpret_cast<imaging::Moments*>(moments.mutable_data()), n);
    detectors_.get(detectors.mutable_data(), detectors_.size());
    profiles_.get(profiles.mutable_data(), profiles_.size());
    pattern_.get(pattern.mutable_data(), pixels_);
    cuda::check(cudaStreamSynchronize(cudaStreamLegacy), "sums over events");
    return py::make_tuple(moments, detectors, profiles, pattern);
  }

 private:
  int device_;
  std::size_t pixels_;
  std::optional<cuda::imaging::EventReducer> reducer_;
  cuda::Buffer<imaging::Moments> moments_;
  cuda::Buffer<double> detectors_, pattern_;
  cuda::Buffer<float> profiles_;
};

}  // namespace

void bind_imaging(py::module_& m);
void bind_imaging(py::module_& m) {
  using namespace py::literals;
  m.def("first_not_finite", &first_not_finite, "array"_a);
  m.def("reduce", &reduce, "frames"_a, py::kw_only(), "moments"_a = true, "weights"_a = py::none(),
        "detectors"_a = py::tuple(), "com"_a = py::none(), "cy"_a = 0.0, "cx"_a = 0.0, "image"_a = py::none());
  m.def("icom", &icom, "com"_a, "step"_a, "high_pass"_a, "out"_a);
  m.def("ricom", &ricom, "com"_a, "width"_a, "low"_a, "high"_a, "step"_a, "out"_a);
  m.def("ricom_scatter", &ricom_scatter, "width"_a, "image"_a, "row"_a, "col"_a, "com"_a, "first"_a, "last"_a);
  py::class_<Events>(m, "Events")
      .def(py::init<std::pair<std::size_t, std::size_t>, std::size_t, const std::optional<Dense<float>>&,
                    const std::vector<Dense<float>>&, const std::optional<Dense<std::uint8_t>>&,
                    const std::optional<Dense<float>>&, const std::optional<Dense<std::uint8_t>>&, int>(),
           "shape"_a, "positions"_a, py::kw_only(), "weights"_a = py::none(), "detectors"_a = py::tuple(),
           "rings"_a = py::none(), "gain"_a = py::none(), "dead_pixels"_a = py::none(), "device"_a = 0)
      .def("add", &Events::add, "records"_a)
      .def("sums", &Events::sums);
}

}  // namespace crewe::bindings
