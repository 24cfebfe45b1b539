// The extension crewe._cuda: one bind_<module>.cpp per module of the library.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>

#include "arrays.hpp"
#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/check.hpp"
#include "crewe/error.hpp"

namespace crewe::bindings {

void bind_imaging(py::module_& m);
void bind_atoms(py::module_& m);
void bind_noise(py::module_& m);
void bind_patches(py::module_& m);
void bind_specimen(py::module_& m);
void bind_sim(py::module_& m);
void bind_live(py::module_& m);
void bind_phase(py::module_& m);

namespace {

// Memory of one device, held by an array of crewe.cuda; in the order of the legacy stream.
class Memory {
 public:
  Memory(std::size_t bytes, int device) : device_(device) {
    const cuda::UseDevice use(device);
    bytes_ = cuda::Buffer<std::byte>(bytes, cudaStreamLegacy);
  }
  ~Memory() {
    const cuda::UseDevice use(device_, std::nothrow);
    bytes_ = {};
  }

  std::uintptr_t pointer() const { return reinterpret_cast<std::uintptr_t>(bytes_.data()); }
  int device() const { return device_; }

  void write(const py::array& from) {
    if (static_cast<std::size_t>(from.nbytes()) != bytes_.size()) throw std::invalid_argument("memory: another size");
    const auto* const data = static_cast<const std::byte*>(from.data());
    const py::gil_scoped_release free;
    const cuda::UseDevice use(device_);
    bytes_.put(data, bytes_.size());
    cuda::check(cudaStreamSynchronize(cudaStreamLegacy), "copy to the device");
  }

  void read(py::array& into) const {
    if (static_cast<std::size_t>(into.nbytes()) != bytes_.size()) throw std::invalid_argument("memory: another size");
    auto* const data = static_cast<std::byte*>(into.mutable_data());
    const py::gil_scoped_release free;
    const cuda::UseDevice use(device_);
    bytes_.get(data, bytes_.size());
    cuda::check(cudaStreamSynchronize(cudaStreamLegacy), "copy from the device");
  }

 private:
  int device_;
  cuda::Buffer<std::byte> bytes_;
};

// Page-locked memory as an array of bytes.
py::array_t<std::uint8_t> pinned(std::size_t bytes) {
  auto held = std::make_unique<cuda::Pinned<std::uint8_t>>(bytes);
  std::uint8_t* const data = held->data();
  const py::capsule owner(held.release(),
                          [](void* memory) { delete static_cast<cuda::Pinned<std::uint8_t>*>(memory); });
  return py::array_t<std::uint8_t>(static_cast<py::ssize_t>(bytes), data, owner);
}

// Library errors become the exceptions of crewe.errors.
void translate_errors() {
  static PyObject* const device_error =
      py::object(py::module_::import("crewe.errors").attr("DeviceError")).release().ptr();
  py::register_local_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const DeviceError& failure) {
      PyErr_SetString(device_error, failure.what());
    }
  });
}

std::string why_not() {
  std::string why;
  cuda::devices(&why);
  return why;
}

int device_of_pointer(std::uintptr_t pointer) {
  cudaPointerAttributes attributes;
  cuda::check(cudaPointerGetAttributes(&attributes, reinterpret_cast<const void*>(pointer)), "place of an array");
  if (attributes.type != cudaMemoryTypeDevice && attributes.type != cudaMemoryTypeManaged) {
    throw std::invalid_argument("array: memory of a device wanted");
  }
  return attributes.device;
}

std::size_t bytes_of(const py::handle& view) {
  return view.attr("size").cast<std::size_t>() * view.attr("dtype").attr("itemsize").cast<std::size_t>();
}

std::byte* pointer_of(const py::handle& view) {
  return reinterpret_cast<std::byte*>(view.attr("pointer").cast<std::uintptr_t>());
}

// Contiguous views of one size on one device.
void copy(const py::handle& from, const py::handle& to) {
  if (bytes_of(from) != bytes_of(to)) throw std::invalid_argument("copy: another size");
  const cuda::UseDevice use(device_of(from));
  cuda::check(
      cudaMemcpyAsync(pointer_of(to), pointer_of(from), bytes_of(from), cudaMemcpyDeviceToDevice, stream_of(from)),
      "copy on the device");
}

py::array fetch(const py::handle& from) {
  py::array result(from.attr("dtype").cast<py::dtype>(), from.attr("shape").cast<std::vector<std::size_t>>());
  const cuda::UseDevice use(device_of(from));
  const cudaStream_t stream = stream_of(from);
  cuda::check(cudaMemcpyAsync(result.mutable_data(), pointer_of(from), bytes_of(from), cudaMemcpyDeviceToHost, stream),
              "copy from the device");
  const py::gil_scoped_release release;
  cuda::check(cudaStreamSynchronize(stream), "copy from the device");
  return result;
}

}  // namespace
}  // namespace crewe::bindings

PYBIND11_MODULE(_cuda, m) {
  using namespace crewe::bindings;
  using crewe::cuda::Device;
  m.doc() = "The CUDA kernels of crewe; use the functions of the crewe package.";
  translate_errors();
  py::class_<Device>(m, "Device")
      .def_readonly("name", &Device::name)
      .def_property_readonly("capability", [](const Device& d) { return std::pair(d.major, d.minor); })
      .def_readonly("memory", &Device::bytes)
      .def_readonly("multiprocessors", &Device::multiprocessors);
  m.def("devices", [] { return crewe::cuda::devices(); });
  m.def("why_not", &why_not);
  m.def(
      "free_bytes",
      [](int device) {
        const crewe::cuda::UseDevice use(device);
        return crewe::cuda::free_bytes();
      },
      py::arg("device"));
  m.def("device_of", &device_of_pointer, py::arg("pointer"));
  m.def(
      "synchronize",
      [](int device, std::uintptr_t stream) {
        const py::gil_scoped_release free;
        const crewe::cuda::UseDevice use(device);
        crewe::cuda::check(cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(stream)), "work on the device");
      },
      py::arg("device"), py::arg("stream"));
  m.def("copy", &copy, py::arg("source"), py::arg("into"));
  m.def("fetch", &fetch, py::arg("source"));
  py::class_<Memory>(m, "Memory")
      .def(py::init<std::size_t, int>(), py::arg("bytes"), py::arg("device"))
      .def_property_readonly("pointer", &Memory::pointer)
      .def_property_readonly("device", &Memory::device)
      .def("write", &Memory::write, py::arg("source"))
      .def("read", &Memory::read, py::arg("into"));
  m.def("pinned", &pinned, py::arg("bytes"));
  m.def(
      "finish",
      [](int device) {
        const py::gil_scoped_release free;
        const crewe::cuda::UseDevice use(device);
        crewe::cuda::check(cudaDeviceSynchronize(), "work on the device");
      },
      "Waits for all work of a device.", py::arg("device"));
  bind_imaging(m);
  bind_atoms(m);
  bind_noise(m);
  bind_patches(m);
  bind_specimen(m);
  bind_sim(m);
  bind_live(m);
  bind_phase(m);
}
