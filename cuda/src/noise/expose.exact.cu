// Everything that is drawn for every pixel, in one pass over the image.
//
// Per pixel 8 bytes of memory, and for each stage that is on: a count half a Philox block (50 whole-number operations)
// and 40 to 150 operations on doubles; a normal number a quarter of a block and 40 on floats. On a GPU with a fast
// double unit memory and arithmetic take about as long. A thread makes four pixels: one Philox block gives four normal
// numbers. 256 threads a block, as many blocks as there are pixels / 1024 and images.
#include "crewe/cuda/launch.hpp"
#include "crewe/cuda/noise/stages.hpp"
#include "noise/draw.hpp"
#include "noise/shapes.hpp"

namespace crewe::cuda::noise {
namespace {

using crewe::noise::Spread;
using rng::Stage;

__device__ void add_dark_counts(const Exposure& e, std::size_t image, const Four& place, float (&x)[kFour]) {
  float mean[kFour], n[kFour];
  draw_normals({e.sensor, Stage::dark_map, 0}, place, n);
  for (int k = 0; k < kFour; ++k) {
    mean[k] = crewe::noise::put(0.0f, n[k], Spread::log_normal, static_cast<float>(e.map.log_mean),
                                static_cast<float>(e.map.log_std));
    if (!(e.map.hot > 0)) continue;
    const double more = crewe::noise::hot_charge(e.map, rng::block({e.sensor, Stage::hot_pixels, 0}, place.pixel(k)));
    if (more != 0) mean[k] = static_cast<float>(mean[k] + more);
  }
  double count[kFour];
  draw_counts({e.seed + image, Stage::dark_shot, e.picture}, place, mean, count);
  for (int k = 0; k < kFour; ++k) x[k] = static_cast<float>(count[k] + static_cast<double>(x[k]));
}

__device__ void spread(const rng::Stream& stream, const Four& place, Spread kind, float a, float b, float (&x)[kFour]) {
  float n[kFour];
  draw_normals(stream, place, n);
  for (int k = 0; k < kFour; ++k) x[k] = crewe::noise::put(x[k], n[k], kind, a, b);
}

__global__ void expose_kernel(const float* in, float* out, std::size_t pixels, std::size_t nx, Exposure e) {
  const std::size_t thread = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x, image = blockIdx.y;
  const Four place{thread / 8, static_cast<unsigned>(thread % 8)};
  if (place.pixel(0) >= pixels) return;
  const std::size_t ny = pixels / nx;
  in += image * pixels;
  out += image * pixels;
  float x[kFour];
  for (int k = 0; k < kFour; ++k) {
    x[k] = place.pixel(k) < pixels ? in[place.pixel(k)] : 0.0f;
    if (e.scale != nullptr) x[k] *= e.scale[image];
  }
  if (e.count) {
    double count[kFour];
    draw_counts({e.seed + image, Stage::shot, 0}, place, x, count);
    for (int k = 0; k < kFour; ++k) x[k] = static_cast<float>(count[k]);
  }
  if (e.pulses) spread({e.seed + image, Stage::pmt, 0}, place, Spread::add, e.pedestal, e.variance, x);
  if (e.pattern) spread({e.sensor, Stage::fixed_pattern, 0}, place, Spread::gain, e.gain, 0, x);
  if (e.dark) add_dark_counts(e, image, place, x);
  if (e.thermal) spread({e.seed + image, Stage::thermal, 0}, place, Spread::add, e.warmth, 0, x);
  for (int k = 0; k < kFour; ++k) {
    const std::size_t p = place.pixel(k);
    if (p >= pixels) continue;
    if (e.flicker != nullptr) {
      const float2 both = e.flicker[image / 2 * pixels + p], of = e.flicker_of[image];
      x[k] = x[k] + of.y * ((image % 2 == 0 ? both.x : both.y) - of.x);
    }
    if (e.rows != nullptr) x[k] = x[k] + e.rows[image * ny + p / nx];
    out[p] = x[k];
  }
}

__global__ void reset_kernel(float* rows, std::size_t ny, double sigma, std::uint64_t seed) {
  const std::size_t row = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x, image = blockIdx.y;
  if (row >= ny) return;
  rng::Sequence numbers({seed + image, Stage::reset, 0}, row);  // a number uses up one block
  rows[image * ny + row] = static_cast<float>(sigma * numbers.normal());
}

}  // namespace

void expose(Images images, Results out, const Exposure& exposure, cudaStream_t stream) {
  check_stacks(images, out);
  const std::size_t pixels = pixels_of(images);
  launch(expose_kernel, {blocks_of((pixels + 31) / 32 * 8, kThreads), grid_axis(images.shape[0])}, kThreads, 0, stream,
         images.data, out.data, pixels, images.shape[2], exposure);
}

void shot(Images mean, Results out, std::uint64_t seed, cudaStream_t stream) {
  Exposure e;
  e.seed = seed;
  e.count = true;
  expose(mean, out, e, stream);
}

void pmt(Images counts, Results out, double width, double pedestal, std::uint64_t seed, cudaStream_t stream) {
  Exposure e;
  e.seed = seed;
  e.pulses = true;
  e.pedestal = static_cast<float>(pedestal);
  e.variance = static_cast<float>(width * width);
  expose(counts, out, e, stream);
}

void fixed_pattern(Images images, Results out, double sigma, std::uint64_t sensor, cudaStream_t stream) {
  Exposure e;
  e.sensor = sensor;
  e.pattern = true;
  e.gain = static_cast<float>(sigma);
  expose(images, out, e, stream);
}

void dark_current(Images images, Results out, const crewe::noise::Dark& dark, std::uint64_t sensor, std::uint64_t seed,
                  cudaStream_t stream) {
  Exposure e;
  e.seed = seed;
  e.sensor = sensor;
  e.picture = static_cast<std::uint32_t>(sensor);
  e.dark = dark.mean > 0;
  e.map = dark;
  expose(images, out, e, stream);
}

void thermal(Images images, Results out, double sigma, std::uint64_t seed, cudaStream_t stream) {
  Exposure e;
  e.seed = seed;
  e.thermal = true;
  e.warmth = static_cast<float>(sigma);
  expose(images, out, e, stream);
}

Buffer<float> reset_rows(std::size_t n, std::size_t ny, double sigma, std::uint64_t seed, cudaStream_t stream) {
  Buffer<float> rows(n * ny, stream);
  launch(reset_kernel, {blocks_of(ny, kThreads), grid_axis(n)}, kThreads, 0, stream, rows.data(), ny, sigma, seed);
  return rows;
}

void reset(Images images, Results out, double sigma, std::uint64_t seed, cudaStream_t stream) {
  check_stacks(images, out);
  const Buffer<float> rows = reset_rows(images.shape[0], images.shape[1], sigma, seed, stream);
  Exposure e;
  e.rows = rows.data();
  expose(images, out, e, stream);
}

void flicker(Images images, Results out, double sigma, std::uint64_t seed, cudaStream_t stream) {
  check_stacks(images, out);
  Exposure e;
  const Flicker field = sigma == 0 || pixels_of(images) < 2
                            ? Flicker{}
                            : flicker_fields(images.shape[0], images.shape[1], images.shape[2], sigma, seed, stream);
  e.flicker = field.fields.data();
  e.flicker_of = field.of.data();
  expose(images, out, e, stream);
}

}  // namespace crewe::cuda::noise
