#include <pybind11/pybind11.h>

#include <optional>

#include "arrays.hpp"
#include "crewe/cuda/imaging/patches.hpp"
#include "host_arrays.hpp"

namespace crewe::bindings {
namespace {

class DevicePatches {
 public:
  DevicePatches(const HostArray<float>& probe, double pitch, double cut, int device) : device_(device) {
    const imaging::Patches patches(host_input<float, 3>(probe, "probe"), pitch, cut);
    const cuda::UseDevice use(device);
    patches_.emplace(patches, cudaStreamLegacy);
  }
  ~DevicePatches() {
    cudaSetDevice(device_);
    patches_.reset();
  }

  void add(const py::object& waves, const py::object& image, std::size_t first, std::size_t columns,
           std::size_t oversample) const {
    const auto all = view_of<const float, 4>(waves, "waves");
    const auto sum = view_of<std::complex<float>, 2>(image, "image");
    const cudaStream_t stream = stream_of(image);
    const cuda::UseDevice use(device_);
    const py::gil_scoped_release release;
    patches_->add(all, first, columns, oversample, sum, stream);
  }

 private:
  int device_;
  std::optional<cuda::imaging::Patches> patches_;
};

}  // namespace

void bind_patches(py::module_& m);
void bind_patches(py::module_& m) {
  using namespace py::literals;
  py::class_<DevicePatches>(m, "Patches")
      .def(py::init<const HostArray<float>&, double, double, int>(), py::arg("probe").noconvert(), py::kw_only(),
           "pitch"_a, "cut"_a, "device"_a)
      .def("add", &DevicePatches::add, "waves"_a, "image"_a, py::kw_only(), "first"_a, "columns"_a, "oversample"_a);
}

}  // namespace crewe::bindings
