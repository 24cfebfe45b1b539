// The extension crewe._core: one bind_<module>.cpp per module of the library.
#include <pybind11/pybind11.h>

#include "crewe/cpu.hpp"
#include "crewe/error.hpp"

namespace py = pybind11;

namespace crewe::bindings {

void bind_frames(py::module_& m);
void bind_fields(py::module_& m);
void bind_phase(py::module_& m);
void bind_patches(py::module_& m);
void bind_mib(py::module_& m);
void bind_events(py::module_& m);
void bind_live(py::module_& m);
void bind_sim(py::module_& m);
void bind_metrics(py::module_& m);
void bind_noise(py::module_& m);
void bind_specimen(py::module_& m);
void bind_atoms_find(py::module_& m);
void bind_atoms_fit(py::module_& m);

namespace {

// Library errors become the exceptions of crewe.errors, which is plain Python and imports nothing of the core.
void translate_errors(py::module_& m) {
  const py::module_ errors = py::module_::import("crewe.errors");
  static PyObject* const format_error = py::object(errors.attr("FormatError")).release().ptr();
  static PyObject* const device_error = py::object(errors.attr("DeviceError")).release().ptr();
  static PyObject* const busy_error = py::object(errors.attr("BusyError")).release().ptr();
  // NOLINTNEXTLINE(performance-unnecessary-value-param): pybind11 wants this signature
  py::register_local_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const FormatError& damage) {
      py::object exception = py::reinterpret_borrow<py::object>(format_error)(damage.what(), damage.offset);
      PyErr_SetObject(format_error, exception.ptr());
    } catch (const DeviceError& failure) {
      PyErr_SetString(device_error, failure.what());
    } catch (const BusyError& full) {
      PyErr_SetString(busy_error, full.what());
    }
  });
  m.def("isa", [] { return crewe::isa_name(); }, "The instruction-set level in use: 'base', 'v3' or 'v4'.");
}

}  // namespace
}  // namespace crewe::bindings

PYBIND11_MODULE(_core, m) {
  using namespace crewe::bindings;
  m.doc() = "The compiled core of crewe; use the functions of the crewe package.";
  m.attr("__version__") = CREWE_VERSION;
  translate_errors(m);
  bind_frames(m);
  bind_fields(m);
  bind_phase(m);
  bind_patches(m);
  bind_mib(m);
  bind_events(m);
  bind_live(m);
  bind_sim(m);
  bind_metrics(m);
  bind_noise(m);
  bind_specimen(m);
  bind_atoms_find(m);
  bind_atoms_fit(m);
}
