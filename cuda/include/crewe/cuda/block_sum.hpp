// Sums over the threads of a warp and of a block. For kernels (.cu) only.
#pragma once

#include "crewe/cuda/device.hpp"

namespace crewe::cuda {

// Sums of the lanes of a warp; lane 0 has them.
template <class T>
__device__ T warp_sum(T value) {
  for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_down_sync(kWholeWarp, value, step);
  return value;
}

// Sums over the threads of a block; thread 0 has them. `room`: a shared array of one T per warp and value.
template <class T, unsigned N>
__device__ void block_sum(T (&values)[N], T* room) {
  const unsigned warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp, warps = blockDim.x / kWarp;
#pragma unroll
  for (unsigned i = 0; i < N; ++i) {
    values[i] = warp_sum(values[i]);
    if (lane == 0) room[i * warps + warp] = values[i];
  }
  if (warps == 1) return;
  __syncthreads();
  if (threadIdx.x != 0) return;
#pragma unroll
  for (unsigned i = 0; i < N; ++i) {
    for (unsigned w = 1; w < warps; ++w) values[i] += room[i * warps + w];
  }
}

}  // namespace crewe::cuda
