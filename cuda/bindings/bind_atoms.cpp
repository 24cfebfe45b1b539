#include <optional>

#include "arrays.hpp"
#include "crewe/cuda/atoms/proposals.hpp"
#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/check.hpp"

namespace crewe::bindings {
namespace {

// Rows that a kernel found, whose number is known only then.
template <class T>
class Found {
 public:
  // find(rows, count): at most `most` rows of `width` numbers.
  template <class F>
  Found(std::size_t most, std::size_t width, int device, cudaStream_t stream, const F& find)
      : device_(device), width_(width), stream_(stream), rows_(most * width, stream) {
    const cuda::Buffer<std::uint32_t> count(1, stream);
    find(rows_.data(), count.data());
    std::uint32_t found = 0;
    count.get(&found, 1);
    cuda::check(cudaStreamSynchronize(stream), "work on the device");
    count_ = found;
  }
  Found(Found&&) noexcept = default;
  ~Found() {
    cudaSetDevice(device_);
    rows_ = {};
  }

  std::size_t count() const { return count_; }
  void put(const py::object& out) const {
    if (out.attr("size").cast<std::size_t>() != count_ * width_) throw std::invalid_argument("out: another size");
    const cuda::UseDevice use(device_);
    cuda::check(cudaMemcpyAsync(reinterpret_cast<void*>(out.attr("pointer").cast<std::uintptr_t>()), rows_.data(),
                                count_ * width_ * sizeof(T), cudaMemcpyDeviceToDevice, stream_),
                "copy on the device");
  }

 private:
  int device_;
  std::size_t width_, count_ = 0;
  cudaStream_t stream_;
  cuda::Buffer<T> rows_;
};

template <class T>
void bind_found(py::module_& m, const char* name) {
  py::class_<Found<T>>(m, name)
      .def_property_readonly("count", &Found<T>::count)
      .def("put", &Found<T>::put, py::arg("out"));
}

}  // namespace

void bind_atoms(py::module_& m);
void bind_atoms(py::module_& m) {
  using namespace py::literals;
  bind_found<std::int64_t>(m, "FoundBoxes");
  bind_found<double>(m, "FoundPeaks");
  m.def(
      "atoms_first_bad_box",
      [](const py::object& boxes, const py::object& scores) {
        const auto all = view_of<const double, 2>(boxes, "boxes");
        const auto heights = view_of<const double, 1>(scores, "scores");
        const cudaStream_t stream = stream_of(boxes);
        const cuda::UseDevice use(device_of(boxes));
        const py::gil_scoped_release release;
        return cuda::atoms::first_bad_box(all, heights, stream);
      },
      "boxes"_a, "scores"_a);
  m.def(
      "atoms_nms",
      [](const py::object& boxes, const py::object& scores, double iou) {
        const auto all = view_of<const double, 2>(boxes, "boxes");
        const auto heights = view_of<const double, 1>(scores, "scores");
        const cudaStream_t stream = stream_of(boxes);
        const int device = device_of(boxes);
        const cuda::UseDevice use(device);
        const py::gil_scoped_release release;
        return Found<std::int64_t>(all.shape[0], 1, device, stream, [&](std::int64_t* kept, std::uint32_t* count) {
          cuda::atoms::nms(all, heights, iou, kept, count, stream);
        });
      },
      "boxes"_a, "scores"_a, py::kw_only(), "iou"_a);
  m.def(
      "atoms_peaks",
      [](const py::object& map, std::size_t reach, float lower) {
        const auto heights = view_of<const float, 2>(map, "map");
        if (reach < 1) throw std::invalid_argument("reach: 1 or more wanted");
        const cudaStream_t stream = stream_of(map);
        const int device = device_of(map);
        const cuda::UseDevice use(device);
        const py::gil_scoped_release release;
        const std::size_t most = cuda::atoms::most_peaks(heights.shape[0], heights.shape[1], reach);
        return Found<double>(most, 3, device, stream, [&](double* found, std::uint32_t* count) {
          cuda::atoms::peaks(heights, reach, lower, found, count, stream);
        });
      },
      "map"_a, py::kw_only(), "reach"_a, "lower"_a);
}

}  // namespace crewe::bindings
