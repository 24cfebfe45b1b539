#include <pybind11/pybind11.h>

#include <memory>

#include "crewe/cuda/live/frame_device.hpp"

namespace py = pybind11;

namespace crewe::bindings {

// What `crewe._core.LiveSession` takes as its device.
void bind_live(py::module_& m);
void bind_live(py::module_& m) {
  using Held = std::shared_ptr<live::FrameDevice>;
  m.def(
      "frame_device",
      [](int device, int threads) {
        auto held = std::make_unique<Held>(cuda::live::make_frame_device(device, threads));
        return py::capsule(held.release(), "crewe.FrameDevice", [](PyObject* capsule) {
          delete static_cast<Held*>(PyCapsule_GetPointer(capsule, "crewe.FrameDevice"));
        });
      },
      py::arg("device"), py::arg("threads"));
}

}  // namespace crewe::bindings
