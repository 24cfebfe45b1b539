#include "cufft.hpp"

#include <dlfcn.h>

#include <string>

#include "crewe/error.hpp"

namespace crewe::cuda {
namespace {

void* open_library() {
  std::string tried;
  for (const char* name : {"libcufft.so.12", "libcufft.so.11", "libcufft.so"}) {
    if (void* const library = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
    if (tried.empty()) tried = dlerror();
  }
  throw DeviceError("Fourier transforms on the device want cuFFT (pip install nvidia-cufft): " + tried);
}

template <class F>
void find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  if (function == nullptr) throw DeviceError(std::string("cuFFT has no ") + name);
}

CuFft load() {
  void* const library = open_library();
  CuFft functions{};
  find(library, "cufftPlanMany", functions.plan_many);
  find(library, "cufftSetStream", functions.set_stream);
  find(library, "cufftExecC2C", functions.execute);
  find(library, "cufftDestroy", functions.destroy);
  return functions;
}

}  // namespace

const CuFft& cufft() {
  static const CuFft functions = load();
  return functions;
}

}  // namespace crewe::cuda
