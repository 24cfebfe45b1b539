// What people do to images afterwards. gaussian_blur: two passes of 8 bytes per pixel, one product per weight, pixels
// from the caches. interpolate: 8 bytes and sixteen products of doubles per pixel, in the order of the CPU.
#include "crewe/cuda/launch.hpp"
#include "crewe/cuda/noise/stages.hpp"
#include "crewe/noise/taps.hpp"
#include "noise/shapes.hpp"

namespace crewe::cuda::noise {
namespace {

using crewe::noise::mirrored;

struct Size {
  std::size_t ny, nx;
};

// Along y (step_y 1, step_x 0) or x.
__global__ void blur_kernel(const float* in, float* out, Size size, const float* taps, int count, int step_y,
                            int step_x) {
  const std::size_t p = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (p >= size.ny * size.nx) return;
  in += blockIdx.y * size.ny * size.nx;
  const auto y = static_cast<std::ptrdiff_t>(p / size.nx), x = static_cast<std::ptrdiff_t>(p % size.nx);
  float sum = 0;
  for (int t = 0; t < count; ++t) {
    const int away = t - count / 2;
    sum += taps[t] * in[mirrored(y + step_y * away, size.ny) * size.nx + mirrored(x + step_x * away, size.nx)];
  }
  out[blockIdx.y * size.ny * size.nx + p] = sum;
}

struct Matrix {
  double of[4];
};

__global__ void interpolate_kernel(const float* in, float* out, Size size, Matrix matrix) {
  const std::size_t p = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (p >= size.ny * size.nx) return;
  in += blockIdx.y * size.ny * size.nx;
  out[blockIdx.y * size.ny * size.nx + p] =
      crewe::noise::interpolated(in, size.ny, size.nx, p / size.nx, p % size.nx, matrix.of);
}

}  // namespace

void gaussian_blur(Images images, Results out, double sigma, cudaStream_t stream) {
  check_apart(images, out);
  if (!(sigma >= 0 && sigma <= 1000)) reject("sigma", "0 to 1000 pixels", std::to_string(sigma));
  const std::vector<float> weights = crewe::noise::gaussian_taps(sigma);
  const Buffer<float> taps(weights.data(), weights.size(), stream), between(images.size(), stream);
  const auto count = static_cast<int>(weights.size());
  const dim3 grid{blocks_of(pixels_of(images), kThreads), grid_axis(images.shape[0])};
  const Size size{images.shape[1], images.shape[2]};
  launch(blur_kernel, grid, kThreads, 0, stream, images.data, between.data(), size, taps.data(), count, 1, 0);
  launch(blur_kernel, grid, kThreads, 0, stream, between.data(), out.data, size, taps.data(), count, 0, 1);
}

void interpolate(Images images, Results out, const double matrix[4], cudaStream_t stream) {
  check_apart(images, out);
  launch(interpolate_kernel, {blocks_of(pixels_of(images), kThreads), grid_axis(images.shape[0])}, kThreads, 0, stream,
         images.data, out.data, Size{images.shape[1], images.shape[2]},
         Matrix{{matrix[0], matrix[1], matrix[2], matrix[3]}});
}

}  // namespace crewe::cuda::noise
