// Sums over frames of any kind in double: one block per frame, a warp per row, lanes along it.
//
// Bytes: each frame once; per pixel one conversion to double and 1 to 4 double operations, one more for each detector:
// on GPUs with few double units (1:64) those bound it, on data-centre GPUs (1:2) the memory. A profile is summed in
// shared memory, in a column of its own for every lane: no atomics, and the same bits every time.
#include "crewe/cuda/block_sum.hpp"
#include "crewe/cuda/launch.hpp"
#include "moments_kernel.hpp"
#include "moments_write.hpp"
#include "read_pixel.hpp"

namespace crewe::cuda::imaging {
namespace {

using crewe::imaging::Pixel;

constexpr unsigned kMostWarps = 4;

template <bool kFloat, int K>
__global__ void __launch_bounds__(kMostWarps* kWarp) reduce_frame(FrameTask task, RealMaps maps, bool moments) {
  __shared__ double room[(3 + K) * kMostWarps];
  CREWE_SHARED(double, table);  // (warps, rings, lanes)
  const unsigned warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp, warps = blockDim.x / kWarp;
  double* const mine = table + warp * maps.ring_count * kWarp + lane;
  for (unsigned j = 0; j < maps.ring_count; ++j) mine[j * kWarp] = 0;
  const std::byte* const data = task.data + static_cast<std::ptrdiff_t>(blockIdx.x) * task.frame_stride;
  double sums[3 + K] = {};
  bool finite = true;
  for (unsigned y = warp; y < task.ny; y += warps) {
    const std::byte* const row = data + static_cast<std::ptrdiff_t>(y) * task.row_stride;
#pragma unroll 4
    for (unsigned x = lane; x < task.nx; x += kWarp) {
      const std::size_t i = static_cast<std::size_t>(y) * task.nx + x;
      double v = read_pixel<kFloat>(task.pixel, row + static_cast<std::ptrdiff_t>(x) * task.column_stride);
      if (maps.dead != nullptr && maps.dead[i] != 0) v = 0;
      if constexpr (kFloat) finite = finite && v - v == 0;
      if (maps.dark != nullptr) v -= static_cast<double>(maps.dark[i]);
      if (maps.gain != nullptr) v *= static_cast<double>(maps.gain[i]);
      if (moments) {
        const double w = maps.weights != nullptr ? v * static_cast<double>(maps.weights[i]) : v;
        sums[0] += w;
        sums[1] += w * y;
        sums[2] += w * x;
      }
#pragma unroll
      for (int k = 0; k < K; ++k) {
        if (k < static_cast<int>(task.detector_count)) sums[3 + k] += v * static_cast<double>(maps.detectors[k][i]);
      }
      if (maps.rings != nullptr && maps.rings[i] < maps.ring_count) mine[maps.rings[i] * kWarp] += v;
    }
  }
  const std::size_t frame = blockIdx.x;
  if (kFloat && __any_sync(kWholeWarp, finite ? 0 : 1) != 0 && lane == 0) {
    atomicMin(task.bad, static_cast<unsigned long long>(task.first + frame));
  }
  block_sum(sums, room);
  if (threadIdx.x == 0) {
    if (moments) write_moments(task, frame, {sums[0], sums[1], sums[2]});
#pragma unroll
    for (int k = 0; k < K; ++k) write_detector(task, frame, k, sums[3 + k]);
  }
  if (maps.ring_count == 0) return;
  __syncthreads();
  for (unsigned j = warp; j < maps.ring_count; j += warps) {
    double sum = 0;
    for (unsigned w = 0; w < warps; ++w) sum += table[(w * maps.ring_count + j) * kWarp + lane];
    sum = warp_sum(sum);
    if (lane == 0) task.into.profiles[frame * maps.ring_count + j] = static_cast<float>(sum);
  }
}

template <bool kFloat>
void launch_for(const FrameTask& task, const RealMaps& maps, bool moments, unsigned frames, cudaStream_t stream) {
  // Every GPU lets a block have 64 kB: one warp of 255 rings.
  constexpr std::size_t kShared = 64 << 10;
  const std::size_t each = maps.ring_count * kWarp * sizeof(double);
  unsigned warps = kMostWarps;
  while (warps > 1 && warps * each > kShared) --warps;
  const auto kernel = task.detector_count == 0   ? reduce_frame<kFloat, 0>
                      : task.detector_count == 1 ? reduce_frame<kFloat, 1>
                      : task.detector_count <= 4 ? reduce_frame<kFloat, 4>
                                                 : reduce_frame<kFloat, kMostDetectors>;
  launch(kernel, frames, warps * kWarp, warps * each, stream, task, maps, moments);
}

}  // namespace

void reduce_real(const FrameTask& task, const RealMaps& maps, bool moments, unsigned frames, cudaStream_t stream) {
  if (task.pixel == Pixel::f32) {
    launch_for<true>(task, maps, moments, frames, stream);
  } else {
    launch_for<false>(task, maps, moments, frames, stream);
  }
}

}  // namespace crewe::cuda::imaging
