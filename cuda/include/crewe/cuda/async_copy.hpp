// Copies from global to shared memory that pass no register, so that a thread has any number of them under way.
#pragma once

#include "crewe/cuda/device.hpp"

#ifdef __CUDACC__
#include <cuda_pipeline_primitives.h>
#endif

namespace crewe::cuda {

__device__ inline void copy_async(float2* shared, const float2* global) {
#ifdef __CUDACC__
  __pipeline_memcpy_async(shared, global, sizeof(float2));
#else
  *shared = *global;
#endif
}

// Until this thread's copies have come; others are waited for at the next __syncthreads.
__device__ inline void wait_for_copies() {
#ifdef __CUDACC__
  __pipeline_commit();
  __pipeline_wait_prior(0);
#endif
}

}  // namespace crewe::cuda
