// One thread per pixel of the image, a warp along a row: it gathers the positions of its window in their order.
//
// Per tap two products and two sums, two cached loads: the kernel's value, one address for the whole block, and the
// centre of mass, neighbours for neighbours. Bound by these loads: 61·61 taps of a 512×512 scan are 31 million warp
// taps, 0.3 ms on 132 multiprocessors. A scatter of n positions touches (61 + n)·61 pixels.
#include <stdexcept>
#include <vector>

#include "crewe/checks.hpp"
#include "crewe/cuda/check.hpp"
#include "crewe/cuda/imaging/ricom.hpp"
#include "crewe/cuda/launch.hpp"

namespace crewe::cuda::imaging {
namespace {

constexpr dim3 kTile(32, 8);

__device__ float tap(float2 kernel, float2 com) {
  return kernel.y * com.y + kernel.x * com.x;
}

__device__ float2 load(const View<const float, 3>& com, int y, int x) {
  const float* const at = com.data + y * com.strides[0] + x * com.strides[1];
  return make_float2(__ldg(at), __ldg(at + com.strides[2]));
}

__global__ void gather_scan(View<const float, 3> com, const float2* kernel, int half, float step, View<float, 2> out) {
  const int sy = static_cast<int>(out.shape[0]), sx = static_cast<int>(out.shape[1]);
  const int y = static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y);
  const int x = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (y >= sy || x >= sx) return;
  const int width = 2 * half + 1, left = max(-half, -x), right = min(half, sx - 1 - x);
  float sum = 0;
  for (int dy = max(-half, -y); dy <= min(half, sy - 1 - y); ++dy) {
    const float2* const row = kernel + (dy + half) * width + half;
    for (int dx = left; dx <= right; ++dx) sum += tap(__ldg(row + dx), load(com, y + dy, x + dx));
  }
  out.data[y * out.strides[0] + x * out.strides[1]] = sum * step;
}

// Pixels (y, x) from (top, left) on, positions in one row of the scan.
struct Run {
  int row, col, count, top, left, bottom, right;
};

__global__ void gather_run(const float2* com, Run run, const float2* kernel, int half, View<float, 2> image) {
  const int y = run.top + static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y);
  const int x = run.left + static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (y >= run.bottom || x >= run.right) return;
  const float2* const row = kernel + (run.row - y + half) * (2 * half + 1) + half + run.col - x;
  float& pixel = image.data[y * image.strides[0] + x * image.strides[1]];
  float sum = pixel;
  const int end = min(run.count - 1, x + half - run.col);
  for (int j = max(0, x - half - run.col); j <= end; ++j) sum += tap(__ldg(row + j), __ldg(com + j));
  pixel = sum;
}

}  // namespace

RicomKernel::RicomKernel(const crewe::imaging::RicomKernel& kernel, cudaStream_t stream)
    : width_(kernel.width()), values_(width_ * width_, stream) {
  const std::size_t plane = width_ * width_;
  std::vector<float2> pairs(plane);
  for (std::size_t i = 0; i < plane; ++i) pairs[i] = make_float2(kernel.values()[i], kernel.values()[plane + i]);
  values_.put(pairs.data(), plane);
  check(cudaStreamSynchronize(stream), "kernel of riCOM");
}

void ricom_scatter(const RicomKernel& kernel, View<float, 2> image, std::size_t row, std::size_t col, const float2* com,
                   std::size_t count, std::size_t first, std::size_t last, cudaStream_t stream) {
  const std::size_t sy = image.shape[0], sx = image.shape[1], half = kernel.width() / 2;
  if (row >= sy || col > sx || count > sx - col || first > last || last > sy) {
    throw std::out_of_range("ricom_scatter: positions or rows outside of the image");
  }
  const auto whole = [](std::size_t n) { return static_cast<int>(n); };
  const std::size_t top = std::max(first, row - std::min(row, half)), bottom = std::min(last, row + half + 1);
  const std::size_t left = col - std::min(col, half), right = std::min(sx, col + count + half);
  if (count == 0 || top >= bottom) return;
  const Run run{whole(row), whole(col), whole(count), whole(top), whole(left), whole(bottom), whole(right)};
  const dim3 grid(blocks_of(right - left, kTile.x), blocks_of(bottom - top, kTile.y));
  launch(gather_run, grid, kTile, 0, stream, com, run, kernel.values(), whole(half), image);
}

void ricom(View<const float, 3> com, const RicomKernel& kernel, View<float, 2> out, float step, cudaStream_t stream) {
  const std::size_t sy = out.shape[0], sx = out.shape[1];
  check_shape(com, {sy, sx, 2}, "com");
  const dim3 grid(blocks_of(sx, kTile.x), blocks_of(sy, kTile.y));
  launch(gather_scan, grid, kTile, 0, stream, com, kernel.values(), static_cast<int>(kernel.width() / 2), step, out);
}

}  // namespace crewe::cuda::imaging
