// Elements that are wanted, put one behind the other in their order: counted per block, the counts summed up, written.
// `Wanted` is a functor of an index that says whether; `Put` one of (place, index).
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/launch.hpp"

namespace crewe::cuda {

constexpr unsigned kCompactThreads = 256;

// Sum of `value` over the threads before this one; `total`: over all of the block.
__device__ inline unsigned before(unsigned value, unsigned& total) {
  __shared__ unsigned sums[kCompactThreads];
  sums[threadIdx.x] = value;
  __syncthreads();
  for (unsigned step = 1; step < kCompactThreads; step *= 2) {
    const unsigned other = threadIdx.x >= step ? sums[threadIdx.x - step] : 0;
    __syncthreads();
    sums[threadIdx.x] += other;
    __syncthreads();
  }
  total = sums[kCompactThreads - 1];
  const unsigned mine = sums[threadIdx.x];
  __syncthreads();
  return mine - value;
}

template <class Wanted>
__global__ void count_wanted(std::size_t n, Wanted wanted, std::uint32_t* counts) {
  const std::size_t i = std::size_t{blockIdx.x} * kCompactThreads + threadIdx.x;
  unsigned total = 0;
  before(i < n && wanted(i) ? 1 : 0, total);
  if (threadIdx.x == 0) counts[blockIdx.x] = total;
}

// Counts → first places; their sum goes to `total`. One block.
static __global__ void sum_up(std::uint32_t* counts, std::size_t n, std::uint32_t* total) {
  std::uint32_t done = 0;
  for (std::size_t first = 0; first < n; first += kCompactThreads) {
    const std::size_t i = first + threadIdx.x;
    unsigned all = 0;
    const unsigned place = before(i < n ? counts[i] : 0, all);
    if (i < n) counts[i] = done + place;
    done += all;
  }
  if (threadIdx.x == 0) *total = done;
}

template <class Wanted, class Put>
__global__ void write_wanted(std::size_t n, Wanted wanted, Put put, const std::uint32_t* places) {
  const std::size_t i = std::size_t{blockIdx.x} * kCompactThreads + threadIdx.x;
  const bool is = i < n && wanted(i);
  unsigned total = 0;
  const unsigned place = before(is ? 1 : 0, total);
  if (is) put(places[blockIdx.x] + place, i);
}

template <class Wanted, class Put>
void compact(std::size_t n, const Wanted& wanted, const Put& put, std::uint32_t* count, cudaStream_t stream) {
  const unsigned blocks = blocks_of(n, kCompactThreads);
  const Buffer<std::uint32_t> counts(blocks, stream);
  launch(count_wanted<Wanted>, blocks, kCompactThreads, 0, stream, n, wanted, counts.data());
  launch(sum_up, 1, kCompactThreads, 0, stream, counts.data(), std::size_t{blocks}, count);
  launch(write_wanted<Wanted, Put>, blocks, kCompactThreads, 0, stream, n, wanted, put, counts.data());
}

}  // namespace crewe::cuda
