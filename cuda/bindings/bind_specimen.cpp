#include <pybind11/pybind11.h>

#include "arrays.hpp"
#include "crewe/cuda/specimen/render.hpp"
#include "host_arrays.hpp"

namespace crewe::bindings {

void bind_specimen(py::module_& m);
void bind_specimen(py::module_& m) {
  m.def(
      "specimen_render",
      [](const HostArray<double>& places, const HostArray<std::uint32_t>& kind, const HostArray<double>& profiles,
         const py::object& out) {
        const auto where = host_input<double, 2>(places, "places");
        const auto shapes = host_input<double, 2>(profiles, "profiles");
        const auto kinds = host_numbers<std::uint32_t>(kind, "kind");
        if (shapes.shape[1] != 5) throw std::invalid_argument("profiles: shape (kinds, 5) wanted");
        if (kinds.size() != where.shape[0]) throw std::invalid_argument("kind: one per place wanted");
        std::vector<specimen::Profile> list;
        for (std::size_t k = 0; k < shapes.shape[0]; ++k) {
          list.push_back({shapes(k, 0), shapes(k, 1), shapes(k, 2), shapes(k, 3), shapes(k, 4)});
        }
        const auto image = view_of<float, 2>(out, "out");
        const cudaStream_t stream = stream_of(out);
        const cuda::UseDevice use(device_of(out));
        const py::gil_scoped_release release;
        cuda::specimen::render(where, kinds.data(), list, image, stream);
      },
      py::arg("places").noconvert(), py::arg("kind").noconvert(), py::arg("profiles").noconvert(), py::arg("out"));
}

}  // namespace crewe::bindings
