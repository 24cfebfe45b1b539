#include "fft/mkl.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "crewe/parallel.hpp"

namespace crewe::fft {
namespace {

// Numbers of mkl_dfti.h.
constexpr int kComplex = 32, kSingle = 35, kDouble = 36, kBackwardScale = 5, kThreadLimit = 27;

// The functions of libmkl_rt (or one that is loaded already); status 0 is success.
struct Library {
  long (*create)(void** handle, int precision, int domain, long dimensions, ...) = nullptr;
  long (*set)(void* handle, int parameter, ...) = nullptr;
  long (*commit)(void* handle) = nullptr;
  long (*forward)(void* handle, void* data, ...) = nullptr;
  long (*backward)(void* handle, void* data, ...) = nullptr;
  long (*release)(void** handle) = nullptr;
  char* (*message)(long status) = nullptr;

  Library() {
    void* library = nullptr;
    for (const char* name : {"libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so"}) {
      if (library == nullptr) library = dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    }
    if (library == nullptr) {
      throw std::runtime_error("CREWE_FFT=MKL: libmkl_rt isn't found; pip install mkl, or unset CREWE_FFT");
    }
    find(library, "DftiCreateDescriptor", create);
    find(library, "DftiSetValue", set);
    find(library, "DftiCommitDescriptor", commit);
    find(library, "DftiComputeForward", forward);
    find(library, "DftiComputeBackward", backward);
    find(library, "DftiFreeDescriptor", release);
    find(library, "DftiErrorMessage", message);
  }

  template <class F>
  static void find(void* library, const char* name, F& function) {
    function = reinterpret_cast<F>(dlsym(library, name));
    if (function == nullptr) throw std::runtime_error(std::string("CREWE_FFT=MKL: libmkl_rt has no ") + name);
  }

  void check(long status) const {
    if (status != 0) throw std::runtime_error(std::string("CREWE_FFT=MKL: ") + message(status));
  }
};

const Library& library() {
  static const Library found;
  return found;
}

}  // namespace

bool mkl_wanted() {
  static const bool wanted = [] {
    const char* text = std::getenv("CREWE_FFT");
    const std::string_view value = text == nullptr ? "" : text;
    if (value == "MKL") return true;
    if (value.empty() || value == "own") return false;
    throw std::invalid_argument("CREWE_FFT: own or MKL wanted, " + std::string(value) + " came");
  }();
  return wanted;
}

template <class T>
void mkl_fft2(std::complex<T>* data, std::size_t batch, std::size_t ny, std::size_t nx, Direction direction,
              int threads) {
  const Library& mkl = library();
  parallel_for(batch, 1, threads, [&](std::size_t begin, std::size_t end) {
    void* handle = nullptr;
    const long lengths[] = {static_cast<long>(ny), static_cast<long>(nx)};
    mkl.check(mkl.create(&handle, std::is_same_v<T, float> ? kSingle : kDouble, kComplex, 2, lengths));
    const auto release = [&mkl](void** owned) { mkl.release(owned); };
    const std::unique_ptr<void*, decltype(release)> owner(&handle, release);
    mkl.check(mkl.set(handle, kThreadLimit, 1L));
    mkl.check(mkl.set(handle, kBackwardScale, 1.0 / (static_cast<double>(ny) * static_cast<double>(nx))));
    mkl.check(mkl.commit(handle));
    for (std::size_t i = begin; i < end; ++i) {
      std::complex<T>* image = data + i * ny * nx;
      mkl.check(direction == Direction::inverse ? mkl.backward(handle, image) : mkl.forward(handle, image));
    }
  });
}

template void mkl_fft2(std::complex<float>*, std::size_t, std::size_t, std::size_t, Direction, int);
template void mkl_fft2(std::complex<double>*, std::size_t, std::size_t, std::size_t, Direction, int);

}  // namespace crewe::fft
