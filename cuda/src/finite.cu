// One read of the array, 4 B per number: bound by memory. A grid that fills the device, each thread with strides of the
// grid; the rare hit goes through one atomic.
#include <algorithm>

#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/finite.hpp"
#include "crewe/cuda/launch.hpp"

namespace crewe::cuda {
namespace {

__global__ void find_not_finite(View<const float, 3> numbers, std::size_t n, unsigned long long* first) {
  const std::size_t step = static_cast<std::size_t>(gridDim.x) * blockDim.x;
  for (std::size_t i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) {
    const std::size_t x = i % numbers.shape[2], row = i / numbers.shape[2];
    const std::size_t y = row % numbers.shape[1], z = row / numbers.shape[1];
    const float value = numbers.data[static_cast<std::ptrdiff_t>(z) * numbers.strides[0] +
                                     static_cast<std::ptrdiff_t>(y) * numbers.strides[1] +
                                     static_cast<std::ptrdiff_t>(x) * numbers.strides[2]];
    if (!(value - value == 0)) atomicMin(first, static_cast<unsigned long long>(i));
  }
}

}  // namespace

std::int64_t first_not_finite(View<const float, 3> numbers, cudaStream_t stream) {
  const std::size_t n = numbers.size();
  if (n == 0) return -1;
  const unsigned long long first = n;
  Buffer<unsigned long long> found(&first, 1, stream);
  constexpr unsigned kThreads = 256, kBlocksPerProcessor = 8;
  const unsigned most = static_cast<unsigned>(multiprocessors()) * kBlocksPerProcessor;
  launch(find_not_finite, std::min(blocks_of(n, kThreads), most), kThreads, 0, stream, numbers, n, found.data());
  unsigned long long result = 0;
  found.get(&result, 1);
  check(cudaStreamSynchronize(stream), "check for finite numbers");
  return result == n ? -1 : static_cast<std::int64_t>(result);
}

}  // namespace crewe::cuda
