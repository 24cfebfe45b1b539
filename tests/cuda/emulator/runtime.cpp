// Devices, memory, streams, events and graphs of the stand-in for CUDA's runtime.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cuda_runtime.h"

using Work = std::function<cudaError_t()>;

struct CUevent_st {
  std::uint64_t recorded = 0, reached = 0;  // how often it was put into a stream, and met there
  CUstream_st* stream = nullptr;
  std::chrono::steady_clock::time_point when;
};

struct CUstream_st {
  std::deque<Work> waiting;
  std::vector<Work>* capture = nullptr;
  cudaError_t error = cudaSuccess;
};

struct CUgraph_st {
  std::vector<Work> work;
};

namespace {

struct Allocation {
  unsigned char* pages = nullptr;
  std::size_t page_bytes = 0, bytes = 0;
  int device = 0;
  bool host = false;
};

constexpr unsigned char kGuardByte = 0xA5;

std::recursive_mutex lock;
std::map<const unsigned char*, Allocation> allocations;
CUstream_st blocking;  // the streams 0, 1, 2 and those made without cudaStreamNonBlocking
std::map<cudaStream_t, bool> streams;
thread_local int device_now = 0;
thread_local cudaError_t last_error = cudaSuccess;

long long number(const char* name, long long otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}
std::size_t capacity() {
  return static_cast<std::size_t>(number("CREWE_EMULATOR_MEMORY", 1 << 30));
}
int devices() {
  return static_cast<int>(number("CREWE_EMULATOR_DEVICES", 2));
}

cudaError_t report(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

CUstream_st* queue_of(cudaStream_t stream) {
  const auto found = streams.find(stream);
  return found == streams.end() || !found->second ? &blocking : stream;
}

std::size_t used(int device) {
  std::size_t bytes = 0;
  for (const auto& [pointer, each] : allocations) bytes += !each.host && each.device == device ? each.bytes : 0;
  return bytes;
}

// [page that can't be touched][guard bytes][data, up to the end of a page][page that can't be touched]
void* allocate(std::size_t bytes, bool host) {
  constexpr std::size_t kAlign = 16;
  const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t rounded = (bytes + kAlign - 1) / kAlign * kAlign, inner = (rounded + page) / page * page;
  void* const room = mmap(nullptr, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return nullptr;
  auto* const first = static_cast<unsigned char*>(room) + page;
  mprotect(first, inner, PROT_READ | PROT_WRITE);
  unsigned char* const data = first + inner - rounded;
  std::memset(data, 0xFF, bytes);
  std::memset(data + bytes, kGuardByte, rounded - bytes);
  std::memset(first, kGuardByte, static_cast<std::size_t>(data - first));
  allocations[data] = {static_cast<unsigned char*>(room), inner + 2 * page, bytes, device_now, host};
  return data;
}

cudaError_t release(void* pointer) {
  if (pointer == nullptr) return cudaSuccess;
  const auto found = allocations.find(static_cast<unsigned char*>(pointer));
  if (found == allocations.end()) return cudaErrorInvalidValue;
  const Allocation a = found->second;
  const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const unsigned char* const data = found->first;
  const unsigned char* const end = a.pages + a.page_bytes - page;
  const auto whole = [](const unsigned char* from, const unsigned char* to) {
    return std::all_of(from, to, [](unsigned char byte) { return byte == kGuardByte; });
  };
  const bool good = whole(a.pages + page, data) && whole(data + a.bytes, end);
  allocations.erase(found);
  munmap(a.pages, a.page_bytes);
  return good ? cudaSuccess : cudaErrorIllegalAddress;
}

// Whether [pointer, pointer + bytes) lies in one device allocation.
bool on_device(const void* pointer, std::size_t bytes) {
  const auto* const p = static_cast<const unsigned char*>(pointer);
  auto found = allocations.upper_bound(p);
  if (found == allocations.begin()) return false;
  --found;
  return !found->second.host && p >= found->first && p + bytes <= found->first + found->second.bytes;
}

// Whether it begins in memory that the host locked.
bool locked(const void* pointer) {
  const auto* const p = static_cast<const unsigned char*>(pointer);
  auto found = allocations.upper_bound(p);
  if (found == allocations.begin()) return false;
  --found;
  return found->second.host && p < found->first + found->second.bytes;
}

cudaError_t flush(CUstream_st* stream) {
  while (!stream->waiting.empty()) {
    const Work work = std::move(stream->waiting.front());
    stream->waiting.pop_front();
    const cudaError_t error = work();
    if (stream->error == cudaSuccess) stream->error = error;
  }
  return std::exchange(stream->error, cudaSuccess);
}

cudaError_t until(CUevent_st* event, std::uint64_t count) {
  cudaError_t error = cudaSuccess;
  while (event->reached < count && event->stream != nullptr && !event->stream->waiting.empty()) {
    const Work work = std::move(event->stream->waiting.front());
    event->stream->waiting.pop_front();
    const cudaError_t now = work();
    if (error == cudaSuccess) error = now;
  }
  return error;
}

cudaError_t copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const bool device_to = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool device_from = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (bytes == 0) return cudaSuccess;
  if (kind != cudaMemcpyDefault) {
    if (device_to != on_device(to, bytes) || device_from != on_device(from, bytes)) return cudaErrorInvalidValue;
  }
  std::memmove(to, from, bytes);
  return cudaSuccess;
}

using Guard = std::lock_guard<std::recursive_mutex>;

}  // namespace

cudaError_t emulator::enqueue(cudaStream_t stream, Work work) {
  const Guard guard(lock);
  CUstream_st* const queue = queue_of(stream);
  if (queue->capture != nullptr) {
    queue->capture->push_back(std::move(work));
  } else {
    queue->waiting.push_back(std::move(work));
  }
  return cudaSuccess;
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
    case cudaErrorIllegalAddress:
      return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
  }
  return "unknown";
}
const char* cudaGetErrorString(cudaError_t error) {
  if (error == cudaErrorLaunchFailure) return emulator::last_complaint();
  if (error == cudaErrorIllegalAddress) return "guard bytes of an allocation were written";
  return cudaGetErrorName(error);
}
cudaError_t cudaGetLastError() {
  return std::exchange(last_error, cudaSuccess);
}
cudaError_t cudaPeekAtLastError() {
  return last_error;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = devices();
  return report(*count > 0 ? cudaSuccess : cudaErrorNoDevice);
}
cudaError_t cudaGetDevice(int* device) {
  *device = device_now;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= devices()) return report(cudaErrorInvalidDevice);
  device_now = device;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device < 0 || device >= devices()) return report(cudaErrorInvalidDevice);
  *properties = {"emulated", capacity(), 48 << 10, 227 << 10, 9, 0, 4, 1 << 20, 1024, 32};
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = 48 << 10;
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = 4;
      break;
    case cudaDevAttrL2CacheSize:
      *value = 1 << 20;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = 227 << 10;
      break;
  }
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  const Guard guard(lock);
  cudaError_t error = flush(&blocking);
  for (const auto& [stream, alone] : streams) {
    if (!alone) continue;
    const cudaError_t now = flush(stream);
    if (error == cudaSuccess) error = now;
  }
  return report(error);
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  const Guard guard(lock);
  *total = capacity();
  *free = *total - std::min(*total, used(device_now));
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  const Guard guard(lock);
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (used(device_now) + bytes > capacity()) return report(cudaErrorMemoryAllocation);
  *pointer = allocate(bytes, false);
  return report(*pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess);
}
cudaError_t cudaMallocAsync(void** pointer, std::size_t bytes, cudaStream_t) {
  return cudaMalloc(pointer, bytes);
}
cudaError_t cudaFree(void* pointer) {
  const Guard guard(lock);
  const cudaError_t error = cudaDeviceSynchronize();
  const cudaError_t mine = release(pointer);
  return report(error == cudaSuccess ? mine : error);
}
cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream) {
  return emulator::enqueue(stream, [=] { return release(pointer); });
}
cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned) {
  const Guard guard(lock);
  *pointer = bytes == 0 ? nullptr : allocate(bytes, true);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) {
  return cudaHostAlloc(pointer, bytes, 0);
}
cudaError_t cudaFreeHost(void* pointer) {
  return cudaFree(pointer);
}
cudaError_t cudaHostRegister(void*, std::size_t, unsigned) {
  return cudaSuccess;
}
cudaError_t cudaHostUnregister(void*) {
  return cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  const Guard guard(lock);
  *attributes = {cudaMemoryTypeUnregistered, -1, nullptr, const_cast<void*>(pointer)};
  auto found = allocations.upper_bound(static_cast<const unsigned char*>(pointer));
  if (found == allocations.begin()) return cudaSuccess;
  --found;
  if (static_cast<const unsigned char*>(pointer) >= found->first + found->second.bytes) return cudaSuccess;
  attributes->type = found->second.host ? cudaMemoryTypeHost : cudaMemoryTypeDevice;
  attributes->device = found->second.device;
  attributes->devicePointer = const_cast<void*>(pointer);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  const Guard guard(lock);
  if (kind == cudaMemcpyHostToDevice && !locked(from)) {
    // Memory that isn't page-locked is read before the call returns.
    const auto* const data = static_cast<const unsigned char*>(from);
    return emulator::enqueue(stream, [to, kind, kept = std::vector<unsigned char>(data, data + bytes)] {
      return copy(to, kept.data(), kept.size(), kind);
    });
  }
  return emulator::enqueue(stream, [=] { return copy(to, from, bytes, kind); });
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const Guard guard(lock);
  cudaMemcpyAsync(to, from, bytes, kind, nullptr);
  return report(flush(&blocking));
}
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  return emulator::enqueue(stream, [=] {
    for (std::size_t i = 0; i < height; ++i) {
      const cudaError_t error =
          copy(static_cast<char*>(to) + i * to_pitch, static_cast<const char*>(from) + i * from_pitch, width, kind);
      if (error != cudaSuccess) return error;
    }
    return cudaSuccess;
  });
}
cudaError_t cudaMemsetAsync(void* pointer, int value, std::size_t bytes, cudaStream_t stream) {
  return emulator::enqueue(stream, [=] {
    if (bytes != 0 && !on_device(pointer, bytes)) return cudaErrorInvalidValue;
    if (bytes != 0) std::memset(pointer, value, bytes);
    return cudaSuccess;
  });
}
cudaError_t cudaMemset(void* pointer, int value, std::size_t bytes) {
  return cudaMemsetAsync(pointer, value, bytes, nullptr);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const Guard guard(lock);
  *stream = new CUstream_st;
  streams[*stream] = flags == cudaStreamNonBlocking;
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Guard guard(lock);
  const cudaError_t error = flush(queue_of(stream));
  streams.erase(stream);
  delete stream;
  return report(error);
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Guard guard(lock);
  return report(flush(queue_of(stream)));
}
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const Guard guard(lock);
  return queue_of(stream)->waiting.empty() ? cudaSuccess : cudaErrorNotReady;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const std::uint64_t count = event->recorded;
  return emulator::enqueue(stream, [=] { return until(event, count); });
}
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, void (*function)(void*), void* user) {
  return emulator::enqueue(stream, [=] {
    function(user);
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, 0);
}
cudaError_t cudaEventDestroy(cudaEvent_t) {
  return cudaSuccess;
}  // never freed: waiting work may name it
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const Guard guard(lock);
  event->stream = queue_of(stream);
  const std::uint64_t count = ++event->recorded;
  return emulator::enqueue(stream, [=] {
    event->reached = std::max(event->reached, count);
    event->when = std::chrono::steady_clock::now();
    return cudaSuccess;
  });
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const Guard guard(lock);
  return report(until(event, event->recorded));
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  return event->reached >= event->recorded ? cudaSuccess : cudaErrorNotReady;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  *milliseconds = std::chrono::duration<float, std::milli>(to->when - from->when).count();
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const Guard guard(lock);
  CUstream_st* const queue = queue_of(stream);
  if (queue == &blocking || queue->capture != nullptr) return report(cudaErrorInvalidValue);
  queue->capture = new std::vector<Work>;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Guard guard(lock);
  CUstream_st* const queue = queue_of(stream);
  const std::unique_ptr<std::vector<Work>> work(std::exchange(queue->capture, nullptr));
  if (work == nullptr) return report(cudaErrorInvalidValue);
  *graph = new CUgraph_st{std::move(*work)};
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new CUgraph_st(*graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  for (const Work& work : exec->work) emulator::enqueue(stream, work);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}
