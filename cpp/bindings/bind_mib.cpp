#include <pybind11/pybind11.h>

namespace crewe::bindings {

void bind_mib(pybind11::module_& m);
void bind_mib(pybind11::module_&) {}

}  // namespace crewe::bindings
