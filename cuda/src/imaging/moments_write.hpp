// For kernels (.cu) only.
#pragma once

#include "moments_kernel.hpp"

namespace crewe::cuda::imaging {

// The sums of a frame, by one thread.
__device__ inline void write_moments(const FrameTask& task, std::size_t frame, const Moments& m) {
  if (task.into.moments != nullptr) task.into.moments[frame] = m;
  if (task.into.com != nullptr) {
    const crewe::imaging::Com centre = crewe::imaging::centre_of_mass(m, task.into.cy, task.into.cx);
    task.into.com[frame] = make_float2(centre.y, centre.x);
  }
}

__device__ inline void write_detector(const FrameTask& task, std::size_t frame, int k, double sum) {
  if (k >= static_cast<int>(task.detector_count)) return;
  const std::size_t place = frame * task.detector_stride + static_cast<unsigned>(k);
  if (task.into.detectors != nullptr) task.into.detectors[place] = sum;
  if (task.into.images != nullptr) task.into.images[place] = static_cast<float>(sum);
}

}  // namespace crewe::cuda::imaging
