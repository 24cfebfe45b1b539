// The end of a chain: clipping, digits and the way back to the scale of the undistorted image, in one pass.
#pragma once

#include <cstdint>

#include "crewe/cuda/noise/stages.hpp"

namespace crewe::cuda::noise {

// What is off costs nothing. Pointers: one number per image, in memory of the device.
struct Finish {
  bool clip = false;
  float maximum = 0;
  const double* tops = nullptr;  // instead of `maximum`
  int bits = 0;                  // 0: no digits
  double full_scale = 1, offset = 0;
  const crewe::noise::Statistics* statistics = nullptr;  // full_scale and offset follow from the highest pixel
  std::uint64_t seed = 0;
  const float* scale = nullptr;
};
void finish(Images images, Results out, const Finish& what, cudaStream_t stream);

// float(electrons/mean) and float(mean/electrons).
void scales(const crewe::noise::Statistics* statistics, std::size_t n, double electrons, float* to_electrons,
            float* back, cudaStream_t stream);

}  // namespace crewe::cuda::noise
