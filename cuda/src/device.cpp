#include "crewe/cuda/device.hpp"

#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/check.hpp"
#include "crewe/cuda/stream.hpp"
#include "crewe/error.hpp"

namespace crewe::cuda {

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // what was thrown is not reported again
  throw DeviceError(std::string(what) + ": " + cudaGetErrorName(error) + ": " + cudaGetErrorString(error));
}

std::vector<Device> devices(std::string* why) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess || count == 0) {
    cudaGetLastError();
    if (why != nullptr) *why = error == cudaSuccess ? "no CUDA device" : cudaGetErrorString(error);
    return {};
  }
  std::vector<Device> found;
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, i), "properties of a device");
    found.push_back({properties.name, properties.major, properties.minor, properties.totalGlobalMem,
                     properties.multiProcessorCount});
  }
  return found;
}

int multiprocessors() {
  int device = 0, count = 0;
  check(cudaGetDevice(&device), "current device");
  check(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device), "multiprocessors");
  return count;
}

std::size_t free_bytes() {
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "free memory");
  return free;
}

UseDevice::UseDevice(int device) {
  check(cudaGetDevice(&before_), "current device");
  if (device != before_) check(cudaSetDevice(device), "device");
}
UseDevice::UseDevice(int device, std::nothrow_t) noexcept {
  cudaGetDevice(&before_);
  cudaSetDevice(device);
}
UseDevice::~UseDevice() {
  cudaSetDevice(before_);
}

Stream::Stream() {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "stream");
}
Stream::~Stream() {
  cudaStreamDestroy(stream_);
}
void Stream::synchronize() const {
  check(cudaStreamSynchronize(stream_), "work on the device");
}

Event::Event() {
  check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "event");
}
Event::~Event() {
  cudaEventDestroy(event_);
}
void Event::record(cudaStream_t stream) {
  check(cudaEventRecord(event_, stream), "event");
}
void Event::synchronize() const {
  check(cudaEventSynchronize(event_), "work on the device");
}
void Event::hold_back(cudaStream_t stream) const {
  check(cudaStreamWaitEvent(stream, event_, 0), "event");
}

namespace detail {

void* allocate(std::size_t bytes, cudaStream_t stream) {
  if (bytes == 0) return nullptr;
  void* pointer = nullptr;
  const cudaError_t error = cudaMallocAsync(&pointer, bytes, stream);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    throw DeviceError("memory of the device: " + std::to_string(bytes) + " bytes wanted, " +
                      std::to_string(free_bytes()) + " are free");
  }
  check(error, "memory of the device");
  return pointer;
}

void release(void* pointer, cudaStream_t stream) noexcept {
  if (pointer != nullptr) cudaFreeAsync(pointer, stream);
}

void* allocate_pinned(std::size_t bytes) {
  void* pointer = nullptr;
  if (bytes != 0) check(cudaHostAlloc(&pointer, bytes, cudaHostAllocDefault), "page-locked memory");
  return pointer;
}

void release_pinned(void* pointer) noexcept {
  if (pointer != nullptr) cudaFreeHost(pointer);
}

void copy_in(void* to, const void* from, std::size_t bytes, cudaStream_t stream) {
  if (bytes != 0) check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream), "copy to the device");
}

void copy_out(void* to, const void* from, std::size_t bytes, cudaStream_t stream) {
  if (bytes != 0) check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream), "copy from the device");
}

void fill_zero(void* pointer, std::size_t bytes, cudaStream_t stream) {
  if (bytes != 0) check(cudaMemsetAsync(pointer, 0, bytes, stream), "memory of the device");
}

}  // namespace detail
}  // namespace crewe::cuda
