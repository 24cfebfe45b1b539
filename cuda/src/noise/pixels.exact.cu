// Single pixels and the range of values: one read and one write of every pixel that is touched, 8 bytes; a thread per
// pixel. Walks are drawn on the host, which needs no image for it; changes of one pixel lie beside each other in the
// list, in their order, and belong to one thread.
#include <algorithm>

#include "crewe/cuda/launch.hpp"
#include "crewe/cuda/noise/chains.hpp"
#include "noise/finish.hpp"
#include "noise/shapes.hpp"

namespace crewe::cuda::noise {
namespace {

using crewe::noise::Levels;
using crewe::noise::PixelChange;
using crewe::noise::Statistics;
using crewe::noise::Walk;

__global__ void change_kernel(Walk kind, float* images, std::size_t pixels, const PixelChange* changes,
                              std::size_t count, const Statistics* statistics) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const std::size_t pixel = changes[i].pixel;
  if (i > 0 && changes[i - 1].pixel == pixel) return;
  const double mean = kind == Walk::zinger ? statistics[pixel / pixels].mean : 0;
  float x = images[pixel];
  for (std::size_t k = i; k < count && changes[k].pixel == pixel; ++k) {
    x = crewe::noise::changed(kind, x, changes[k].value, mean);
  }
  images[pixel] = x;
}

// The levels of each image of a chain.
__global__ void levels_kernel(Finish f, std::size_t n, Levels* out) {
  const std::size_t k = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (k >= n) return;
  double scale = f.full_scale, offset = f.offset;
  if (f.statistics != nullptr) {
    const float highest = f.statistics[k].maximum;
    const float top = f.tops == nullptr ? f.maximum : static_cast<float>(f.tops[k]);
    scale = crewe::noise::full_scale(f.clip && top < highest ? top : highest, f.seed + k);
    offset = crewe::noise::kBelow * scale;
  }
  out[k] = crewe::noise::levels(f.bits, scale, offset);
}

__global__ void finish_kernel(const float* in, float* out, std::size_t pixels, Finish f, const Levels* levels) {
  const std::size_t p = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x, image = blockIdx.y;
  if (p >= pixels) return;
  float x = in[image * pixels + p];
  const float top = f.tops == nullptr ? f.maximum : static_cast<float>(f.tops[image]);
  if (f.clip) x = x < top ? x : top;
  if (levels != nullptr) x = crewe::noise::quantised(x, levels[image]);
  if (f.scale != nullptr) x *= f.scale[image];
  out[image * pixels + p] = x;
}

__global__ void scale_kernel(const Statistics* statistics, std::size_t n, double electrons, float* to_electrons,
                             float* back) {
  const std::size_t k = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (k >= n) return;
  const double scale = electrons / statistics[k].mean;
  to_electrons[k] = static_cast<float>(scale);
  back[k] = static_cast<float>(1 / scale);
}

}  // namespace

void walk(Walk kind, Results images, std::size_t count, std::size_t steps, const double range[2], std::uint64_t seed,
          cudaStream_t stream) {
  check_stacks(images, images);
  const auto [n, ny, nx] = images.shape;
  if (count == 0 || images.size() == 0) return;
  std::vector<PixelChange> changes;
  for (std::size_t k = 0; k < n; ++k) {
    const auto first = static_cast<std::ptrdiff_t>(changes.size());
    for (PixelChange change : crewe::noise::walks(kind, ny, nx, count, steps, range, seed + k, 0)) {
      change.pixel += k * ny * nx;
      changes.push_back(change);
    }
    std::stable_sort(changes.begin() + first, changes.end(),
                     [](const PixelChange& a, const PixelChange& b) { return a.pixel < b.pixel; });
  }
  Buffer<Statistics> found;
  if (kind == Walk::zinger) {
    found = Buffer<Statistics>(n, stream);
    statistics({images.data, images.shape, images.strides}, found.data(), stream);
  }
  const Buffer<PixelChange> device(changes.data(), changes.size(), stream);
  launch(change_kernel, blocks_of(changes.size(), kThreads), kThreads, 0, stream, kind, images.data, ny * nx,
         device.data(), changes.size(), found.data());
}

void finish(Images images, Results out, const Finish& what, cudaStream_t stream) {
  check_stacks(images, out);
  const std::size_t n = images.shape[0];
  Buffer<Levels> levels;
  if (what.bits != 0) {
    levels = Buffer<Levels>(n, stream);
    launch(levels_kernel, blocks_of(n, kThreads), kThreads, 0, stream, what, n, levels.data());
  }
  launch(finish_kernel, {blocks_of(pixels_of(images), kThreads), grid_axis(n)}, kThreads, 0, stream, images.data,
         out.data, pixels_of(images), what, levels.data());
}

void clip(Images images, Results out, float maximum, cudaStream_t stream) {
  Finish what;
  what.clip = true;
  what.maximum = maximum;
  finish(images, out, what, stream);
}

void quantise(Images images, Results out, int bits, double full_scale, double offset, cudaStream_t stream) {
  if (bits < 1 || bits > 24) reject("bits", "1..24", std::to_string(bits));
  if (!(full_scale > 0)) reject("full_scale", "a positive number", std::to_string(full_scale));
  Finish what;
  what.bits = bits;
  what.full_scale = full_scale;
  what.offset = offset;
  finish(images, out, what, stream);
}

void scales(const Statistics* statistics, std::size_t n, double electrons, float* to_electrons, float* back,
            cudaStream_t stream) {
  launch(scale_kernel, blocks_of(n, kThreads), kThreads, 0, stream, statistics, n, electrons, to_electrons, back);
}

}  // namespace crewe::cuda::noise
