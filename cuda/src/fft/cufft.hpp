// What of cuFFT is used. The library is opened when it is first wanted, so that nothing but transforms needs it.
// Declarations as in cufft.h of CUDA 12 and 13.
#pragma once

#include "crewe/cuda/device.hpp"

namespace crewe::cuda {

struct CuFft {
  using Handle = int;
  static constexpr int kComplex = 0x29, kForward = -1, kInverse = 1;  // CUFFT_C2C and the directions

  int (*plan_many)(Handle* plan, int rank, int* n, int* in_embed, int in_stride, int in_distance, int* out_embed,
                   int out_stride, int out_distance, int type, int batch);
  int (*set_stream)(Handle plan, cudaStream_t stream);
  int (*execute)(Handle plan, float2* in, float2* out, int direction);
  int (*destroy)(Handle plan);
};

// Throws crewe::DeviceError where the library isn't installed.
const CuFft& cufft();

}  // namespace crewe::cuda
