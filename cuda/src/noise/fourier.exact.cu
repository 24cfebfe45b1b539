// The two stages of a camera that go through Fourier space. Filters are real: two images share one transform, as real
// and imaginary part. Beside cuFFT's passes 16 bytes per pixel of the field are written, filtered (16) and read (8 per
// image).
#include "crewe/cuda/fft.hpp"
#include "crewe/cuda/launch.hpp"
#include "crewe/cuda/noise/stages.hpp"
#include "crewe/noise/taps.hpp"
#include "noise/draw.hpp"
#include "noise/shapes.hpp"

namespace crewe::cuda::noise {
namespace {

using crewe::noise::Transfer;

struct Frame {
  std::size_t n, ny, nx, reach, height, width;
};

__global__ void mirror_kernel(const float* images, const float* scale, Frame f, float2* fields) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x, image = 2 * std::size_t{blockIdx.y};
  if (i >= f.height * f.width) return;
  const auto reach = static_cast<std::ptrdiff_t>(f.reach);
  const std::size_t y = crewe::noise::mirrored(static_cast<std::ptrdiff_t>(i / f.width) - reach, f.ny);
  const std::size_t x = crewe::noise::mirrored(static_cast<std::ptrdiff_t>(i % f.width) - reach, f.nx);
  float2 value{images[(image * f.ny + y) * f.nx + x], 0};
  if (image + 1 < f.n) value.y = images[((image + 1) * f.ny + y) * f.nx + x];
  if (scale != nullptr) {
    value.x *= scale[image];
    if (image + 1 < f.n) value.y *= scale[image + 1];
  }
  fields[blockIdx.y * f.height * f.width + i] = value;
}

__global__ void transfer_kernel(float2* fields, Frame f, const Transfer::Factor* along_y,
                                const Transfer::Factor* along_x, float part, float rest) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= f.height * f.width) return;
  const Transfer::Factor y = along_y[i / f.width], x = along_x[i % f.width];
  // cuFFT leaves out the division by the number of points.
  const float gain = (part * y.first * x.first + rest * y.second * x.second) / static_cast<float>(f.height * f.width);
  float2& value = fields[blockIdx.y * f.height * f.width + i];
  value = float2{value.x * gain, value.y * gain};
}

__global__ void unframe_kernel(const float2* fields, Frame f, float* out) {
  const std::size_t p = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x, image = blockIdx.y;
  if (p >= f.ny * f.nx) return;
  const std::size_t y = p / f.nx + f.reach, x = p % f.nx + f.reach;
  const float2 value = fields[(image / 2 * f.height + y) * f.width + x];
  out[image * f.ny * f.nx + p] = image % 2 == 0 ? value.x : value.y;
}

__global__ void white_kernel(float2* fields, std::size_t pixels, std::size_t n, std::uint64_t seed) {
  const std::size_t thread = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x, image = 2 * std::size_t{blockIdx.y};
  const Four place{thread / 8, static_cast<unsigned>(thread % 8)};
  if (place.pixel(0) >= pixels) return;
  float one[kFour], other[kFour] = {};
  draw_normals({seed + image, rng::Stage::flicker, 0}, place, one);
  if (image + 1 < n) draw_normals({seed + image + 1, rng::Stage::flicker, 0}, place, other);
  for (int k = 0; k < kFour; ++k) {
    if (place.pixel(k) < pixels) fields[blockIdx.y * pixels + place.pixel(k)] = float2{one[k], other[k]};
  }
}

__global__ void pink_kernel(float2* fields, std::size_t ny, std::size_t nx) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= ny * nx) return;
  const float gain = crewe::noise::flicker_gain(i / nx, i % nx, ny, nx) / static_cast<float>(ny * nx);
  float2& value = fields[blockIdx.y * ny * nx + i];
  value = float2{value.x * gain, value.y * gain};
}

constexpr unsigned kParts = 64;  // blocks that sum up one field

struct Sums {
  double x, y, xx, yy;
};

__device__ void add(Sums& a, const Sums& b) {
  a.x += b.x;
  a.y += b.y;
  a.xx += b.xx;
  a.yy += b.yy;
}

__global__ void sums_kernel(const float2* fields, std::size_t pixels, Sums* out) {
  __shared__ Sums all[kThreads];
  Sums mine{0, 0, 0, 0};
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < pixels;
       i += std::size_t{kParts} * blockDim.x) {
    const float2 value = fields[blockIdx.y * pixels + i];
    const double x = value.x, y = value.y;
    add(mine, {x, y, x * x, y * y});
  }
  all[threadIdx.x] = mine;
  __syncthreads();
  for (unsigned half = kThreads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) add(all[threadIdx.x], all[threadIdx.x + half]);
    __syncthreads();
  }
  if (threadIdx.x == 0) out[blockIdx.y * kParts + blockIdx.x] = all[0];
}

// (mean, sigma/std) of each image.
__global__ void level_kernel(const Sums* sums, std::size_t n, std::size_t pixels, double sigma, float2* of) {
  const std::size_t image = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (image >= n) return;
  Sums all{0, 0, 0, 0};
  for (unsigned k = 0; k < kParts; ++k) add(all, sums[image / 2 * kParts + k]);
  const double count = static_cast<double>(pixels), mean = (image % 2 == 0 ? all.x : all.y) / count;
  const double variance = (image % 2 == 0 ? all.xx : all.yy) / count - mean * mean;
  of[image] = float2{static_cast<float>(mean), variance > 0 ? static_cast<float>(sigma / sqrt(variance)) : 0.0f};
}

}  // namespace

void mtf(Images images, Results out, double a, double b, double c, const float* scale, cudaStream_t stream) {
  check_stacks(images, out);
  const auto [n, ny, nx] = images.shape;
  if (images.size() == 0) return;
  const Transfer t = crewe::noise::transfer(ny, nx, a, b, c);
  const std::size_t points = t.height * t.width, pairs = (n + 1) / 2;
  const Frame frame{n, ny, nx, t.reach, t.height, t.width};
  const Buffer<Transfer::Factor> along_y(t.along_y.data(), t.height, stream),
      along_x(t.along_x.data(), t.width, stream);
  const Buffer<float2> fields(pairs * points, stream);
  const Fft2 fft(t.height, t.width, pairs);
  const dim3 grid{blocks_of(points, kThreads), grid_axis(pairs)};
  launch(mirror_kernel, grid, kThreads, 0, stream, images.data, scale, frame, fields.data());
  fft.forward(fields.data(), stream);
  launch(transfer_kernel, grid, kThreads, 0, stream, fields.data(), frame, along_y.data(), along_x.data(), t.part,
         t.rest);
  fft.inverse(fields.data(), stream);
  launch(unframe_kernel, {blocks_of(ny * nx, kThreads), grid_axis(n)}, kThreads, 0, stream, fields.data(), frame,
         out.data);
}

Flicker flicker_fields(std::size_t n, std::size_t ny, std::size_t nx, double sigma, std::uint64_t seed,
                       cudaStream_t stream) {
  const std::size_t pixels = ny * nx, pairs = (n + 1) / 2;
  Flicker result{Buffer<float2>(pairs * pixels, stream), Buffer<float2>(n, stream)};
  const Fft2 fft(ny, nx, pairs);
  launch(white_kernel, {blocks_of((pixels + 31) / 32 * 8, kThreads), grid_axis(pairs)}, kThreads, 0, stream,
         result.fields.data(), pixels, n, seed);
  fft.forward(result.fields.data(), stream);
  launch(pink_kernel, {blocks_of(pixels, kThreads), grid_axis(pairs)}, kThreads, 0, stream, result.fields.data(), ny,
         nx);
  fft.inverse(result.fields.data(), stream);
  const Buffer<Sums> sums(pairs * kParts, stream);
  launch(sums_kernel, {kParts, grid_axis(pairs)}, kThreads, 0, stream, result.fields.data(), pixels, sums.data());
  launch(level_kernel, blocks_of(n, kThreads), kThreads, 0, stream, sums.data(), n, pixels, sigma, result.of.data());
  return result;
}

}  // namespace crewe::cuda::noise
