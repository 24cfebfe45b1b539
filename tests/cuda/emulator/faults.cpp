// Whether the emulator finds what it is there to find: kernels with one mistake each, and their right twins.
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/launch.hpp"
#include "crewe/cuda/stream.hpp"
#include "crewe/error.hpp"

namespace {

using namespace crewe::cuda;

constexpr int kThreads = 256;

__global__ void fill(float* out, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) out[i] = static_cast<float>(i);
}
__global__ void write_before(float* out) {
  if (threadIdx.x == 0) out[-1] = 1;
}
__global__ void wait_apart(float* out) {
  if (threadIdx.x < kWarp / 2) {
    __syncthreads();
  } else {
    __syncwarp();
  }
  out[threadIdx.x] = 1;
}
template <bool kWait>
__global__ void reverse(float* out) {
  __shared__ float room[kThreads];
  room[threadIdx.x] = static_cast<float>(threadIdx.x);
  if (kWait) __syncthreads();
  out[threadIdx.x] = room[kThreads - 1 - threadIdx.x];
}
__global__ void use_shared(float* out) {
  CREWE_SHARED(float, room);
  room[threadIdx.x] = 1;
  out[threadIdx.x] = room[threadIdx.x];
}

int failures = 0;

void expect(bool right, const char* what) {
  if (!right) std::printf("not as it should be: %s\n", what), ++failures;
}

// What is thrown for, when the stream is waited for; empty: nothing.
template <class F>
std::string error_of(F run) {
  try {
    const Stream stream;
    run(static_cast<cudaStream_t>(stream));
    stream.synchronize();
  } catch (const crewe::DeviceError& error) {
    return error.what();
  }
  return "";
}

bool says(const std::string& error, const char* words) {
  return error.find(words) != std::string::npos;
}

template <bool kWait>
int wrong_of_reverse() {
  const Stream stream;
  const Buffer<float> out(kThreads, stream);
  std::vector<float> host(kThreads);
  launch(reverse<kWait>, 1, kThreads, 0, stream, out.data());
  out.get(host.data(), kThreads);
  stream.synchronize();
  int wrong = 0;
  for (int i = 0; i < kThreads; ++i)
    wrong += host[static_cast<std::size_t>(i)] == static_cast<float>(kThreads - 1 - i) ? 0 : 1;
  return wrong;
}

void memory() {
  expect(says(error_of([](cudaStream_t stream) {
                Buffer<float> out(10, stream);
                launch(write_before, 1, kWarp, 0, stream, out.data());
                out = {};
              }),
              "guard bytes"),
         "a write before a buffer");
  expect(says(error_of([](cudaStream_t stream) {
                const Buffer<float> out(10, stream);
                const std::vector<float> host(20);
                detail::copy_in(out.data(), host.data(), 20 * sizeof(float), stream);
                check(cudaStreamSynchronize(stream), "copy");
              }),
              "InvalidValue"),
         "a copy that doesn't fit");
  expect(says(error_of([](cudaStream_t stream) { Buffer<std::byte>(std::size_t{1} << 40, stream); }), "bytes wanted"),
         "more memory than there is");
  const Stream stream;
  const Buffer<float> out(10, stream);
  float host[10] = {};
  out.get(host, 10);
  stream.synchronize();
  expect(std::isnan(host[3]), "fresh memory is no number");
  launch(fill, 1, kWarp, 0, stream, out.data(), 10);
  out.get(host, 10);
  expect(std::isnan(host[9]), "nothing is there before the stream is waited for");
  stream.synchronize();
  expect(host[9] == 9, "the result");
}

// Reading or writing past the end ends the program: tried in a child.
void past_the_end() {
  const pid_t child = fork();
  if (child == 0) {
    error_of([](cudaStream_t stream) {
      const Buffer<float> out(1000, stream);
      launch(fill, 8, kThreads, 0, stream, out.data(), 2000);
      check(cudaStreamSynchronize(stream), "kernel");
    });
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  expect(WIFSIGNALED(status), "a write past the end of a buffer");
}

void threads() {
  const auto with_room = [](auto kernel, unsigned block, std::size_t shared) {
    return error_of([&](cudaStream_t stream) {
      const Buffer<float> out(kThreads, stream);
      launch(kernel, 1, block, shared, stream, out.data());
    });
  };
  expect(says(with_room(wait_apart, kWarp, 0), "wait for ever"), "a barrier that not all reach");
  expect(says(with_room(use_shared, 64, 63 * sizeof(float)), "shared memory"), "a write past shared memory");
  expect(with_room(use_shared, 64, 64 * sizeof(float)).empty(), "shared memory that suffices");
  expect(!with_room(use_shared, 2048, 0).empty(), "a block of too many threads");
  expect(wrong_of_reverse<false>() > 0, "a missing barrier");
  expect(wrong_of_reverse<true>() == 0, "a barrier");
}

}  // namespace

int main() {
  memory();
  past_the_end();
  threads();
  return failures;
}
