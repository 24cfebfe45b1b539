// CUDA's runtime and language; the one header that brings them in. Kernels are launched by launch.hpp.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <new>
#include <string>
#include <vector>

// The dynamic shared memory of a block as an array of T: CREWE_SHARED(float, tile);
#ifdef __CUDACC__
#define CREWE_SHARED(T, name)                                         \
  extern __shared__ __align__(16) unsigned char crewe_shared_bytes[]; \
  T* const name = reinterpret_cast<T*>(crewe_shared_bytes)
#else
#define CREWE_SHARED(T, name) T* const name = static_cast<T*>(emulator::shared_memory())
#endif

namespace crewe::cuda {

inline constexpr unsigned kWarp = 32;
inline constexpr unsigned kWholeWarp = 0xFFFFFFFFU;

struct Device {
  std::string name;
  int major = 0, minor = 0;  // compute capability
  std::size_t bytes = 0;     // of memory
  int multiprocessors = 0;
};

// Empty where there is none; `why` then says why.
std::vector<Device> devices(std::string* why = nullptr);

// Multiprocessors of the current device.
int multiprocessors();

// Memory of the current device that is free now [bytes].
std::size_t free_bytes();

// Makes a device the current one of this thread, and the one before again at the end.
class UseDevice {
 public:
  explicit UseDevice(int device);
  UseDevice(int device, std::nothrow_t) noexcept;  // for destructors, which may run when the driver has gone
  ~UseDevice();
  UseDevice(const UseDevice&) = delete;
  UseDevice& operator=(const UseDevice&) = delete;

 private:
  int before_ = 0;
};

}  // namespace crewe::cuda
