// Sums, extremes and quantiles of whole images, without a visit to the host.
//
// statistics: one read, 4 bytes per pixel; a thread per sum of a stretch (crewe/noise/pixels.hpp), so that the mean has
// the bits of the CPU. 16 threads read 64 neighbouring bytes; an image of 1024² is 4096 threads, a stack of 16 fills a
// large GPU. quantile: three histograms of 11, 11 and 10 bits of the pixels as whole numbers in order, each a read of
// the image into bins in shared memory, then the next higher pixel: 16 bytes per pixel. Counts are whole numbers: the
// order in which they are added doesn't show.
#include <cmath>

#include "crewe/cuda/launch.hpp"
#include "crewe/cuda/noise/stages.hpp"
#include "noise/shapes.hpp"

namespace crewe::cuda::noise {
namespace {

using crewe::noise::kLanes;
using crewe::noise::kStretch;
using crewe::noise::Statistics;

struct Stretch {
  double sum;
  float low, high, zero;
};

__global__ void stretch_kernel(const float* in, std::size_t pixels, Stretch* out, std::size_t stretches) {
  __shared__ Stretch parts[kThreads];
  const std::size_t stretch = (std::size_t{blockIdx.x} * blockDim.x + threadIdx.x) / kLanes;
  const unsigned lane = threadIdx.x % kLanes;
  Stretch s{0, INFINITY, -INFINITY, 0};
  if (stretch < stretches) {
    const float* const image = in + blockIdx.y * pixels;
    const std::size_t first = stretch * kStretch, end = first + kStretch < pixels ? first + kStretch : pixels;
    const std::size_t whole = first + (end - first) / kLanes * kLanes;
    const auto take = [&](float x) {
      s.sum += static_cast<double>(x);
      s.zero += x * 0.0f;
      s.low = x < s.low ? x : s.low;
      s.high = x > s.high ? x : s.high;
    };
    for (std::size_t i = first + lane; i < whole; i += kLanes) take(image[i]);
    if (lane == 0) {
      for (std::size_t i = whole; i < end; ++i) take(image[i]);
    }
  }
  parts[threadIdx.x] = s;
  __syncthreads();
  if (lane != 0 || stretch >= stretches) return;
  for (unsigned k = 1; k < kLanes; ++k) {
    const Stretch& other = parts[threadIdx.x + k];
    s.sum += other.sum;
    s.zero += other.zero;
    s.low = other.low < s.low ? other.low : s.low;
    s.high = other.high > s.high ? other.high : s.high;
  }
  out[blockIdx.y * stretches + stretch] = s;
}

__global__ void join_kernel(const Stretch* in, std::size_t stretches, std::size_t pixels, Statistics* out) {
  const Stretch* const image = in + blockIdx.x * stretches;
  Stretch s{0, INFINITY, -INFINITY, 0};
  for (std::size_t k = 0; k < stretches; ++k) {
    const Stretch other = image[k];
    s.sum += other.sum;
    s.zero += other.zero;
    s.low = other.low < s.low ? other.low : s.low;
    s.high = other.high > s.high ? other.high : s.high;
  }
  Statistics result;
  result.minimum = s.low;
  result.maximum = s.high;
  result.mean = s.sum / static_cast<double>(pixels);
  result.finite = s.zero == 0.0f;
  out[blockIdx.x] = result;
}

constexpr unsigned kBins = 2048, kBits = 11;
constexpr std::size_t kShare = 16384;  // pixels of a block

// The pixels among which the one of rank `rank` is: those whose key agrees with `prefix` in the bits of `mask`.
struct Search {
  std::uint32_t prefix, mask;
  std::uint64_t rank, equal;
};

__global__ void bins_kernel(const float* in, std::size_t pixels, const Search* searches, unsigned* bins,
                            unsigned shift) {
  __shared__ unsigned count[kBins];
  for (unsigned k = threadIdx.x; k < kBins; k += blockDim.x) count[k] = 0;
  __syncthreads();
  const Search search = searches[blockIdx.y];
  const float* const image = in + blockIdx.y * pixels;
  const std::size_t first = blockIdx.x * kShare, end = first + kShare < pixels ? first + kShare : pixels;
  for (std::size_t i = first + threadIdx.x; i < end; i += blockDim.x) {
    const std::uint32_t key = crewe::noise::ordered(image[i]);
    if ((key & search.mask) == search.prefix) atomicAdd(&count[(key >> shift) % kBins], 1u);
  }
  __syncthreads();
  for (unsigned k = threadIdx.x; k < kBins; k += blockDim.x) {
    if (count[k] != 0) atomicAdd(&bins[blockIdx.y * kBins + k], count[k]);
  }
}

__global__ void choose_kernel(Search* searches, unsigned* bins, unsigned shift) {
  __shared__ unsigned parts[kThreads];
  constexpr unsigned kEach = kBins / kThreads;
  unsigned* const mine = bins + blockIdx.x * kBins;
  unsigned sum = 0;
  for (unsigned k = 0; k < kEach; ++k) sum += mine[threadIdx.x * kEach + k];
  parts[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    Search s = searches[blockIdx.x];
    unsigned bin = 0;
    for (unsigned part = 0; part + 1 < kThreads && s.rank >= parts[part]; ++part, bin += kEach) s.rank -= parts[part];
    for (; bin + 1 < kBins && s.rank >= mine[bin]; ++bin) s.rank -= mine[bin];
    s.equal = mine[bin];
    s.prefix |= bin << shift;
    s.mask |= (kBins - 1) << shift;
    searches[blockIdx.x] = s;
  }
  __syncthreads();
  for (unsigned k = threadIdx.x; k < kBins; k += blockDim.x) mine[k] = 0;
}

__global__ void next_kernel(const float* in, std::size_t pixels, const Search* searches, unsigned* next) {
  const Search search = searches[blockIdx.y];
  const float* const image = in + blockIdx.y * pixels;
  const std::size_t first = blockIdx.x * kShare, end = first + kShare < pixels ? first + kShare : pixels;
  unsigned least = ~0u;
  for (std::size_t i = first + threadIdx.x; i < end; i += blockDim.x) {
    const std::uint32_t key = crewe::noise::ordered(image[i]);
    if (key > search.prefix && key < least) least = key;
  }
  if (least != ~0u) atomicMin(&next[blockIdx.y], least);
}

__global__ void between_kernel(const Search* searches, const unsigned* next, double part, double* out) {
  const Search s = searches[blockIdx.x];
  const double low = crewe::noise::unordered(s.prefix);
  const bool more = s.rank + 1 < s.equal || next[blockIdx.x] == ~0u;
  const double high = more ? low : static_cast<double>(crewe::noise::unordered(next[blockIdx.x]));
  out[blockIdx.x] = low + part * (high - low);
}

}  // namespace

void statistics(Images images, Statistics* out, cudaStream_t stream) {
  check_stacks(images, images);
  const std::size_t n = images.shape[0], pixels = pixels_of(images), stretches = (pixels + kStretch - 1) / kStretch;
  Buffer<Stretch> parts(n * stretches, stream);
  launch(stretch_kernel, {blocks_of(stretches * kLanes, kThreads), grid_axis(n)}, kThreads, 0, stream, images.data,
         pixels, parts.data(), stretches);
  launch(join_kernel, grid_axis(n), 1, 0, stream, parts.data(), stretches, pixels, out);
}

void quantile(Images images, double q, double* out, cudaStream_t stream) {
  check_stacks(images, images);
  const std::size_t n = images.shape[0], pixels = pixels_of(images);
  if (pixels == 0) reject("images", "pixels", "none");
  if (!(q >= 0 && q <= 1)) reject("q", "0 to 1", std::to_string(q));
  const double place = q * static_cast<double>(pixels - 1);
  const auto rank = static_cast<std::uint64_t>(place);
  const std::vector<Search> first(n, Search{0, 0, rank, 0});
  Buffer<Search> searches(first.data(), n, stream);
  Buffer<unsigned> bins(n * kBins, stream);
  const std::vector<unsigned> none(n, ~0u);
  Buffer<unsigned> next(none.data(), n, stream);
  bins.zero();
  const dim3 grid{blocks_of(pixels, kShare), grid_axis(n)};
  for (const unsigned shift : {32 - kBits, 32 - 2 * kBits, 0u}) {  // the last one sees a bit again
    launch(bins_kernel, grid, kThreads, 0, stream, images.data, pixels, searches.data(), bins.data(), shift);
    launch(choose_kernel, grid_axis(n), kThreads, 0, stream, searches.data(), bins.data(), shift);
  }
  launch(next_kernel, grid, kThreads, 0, stream, images.data, pixels, searches.data(), next.data());
  launch(between_kernel, grid_axis(n), 1, 0, stream, searches.data(), next.data(), place - static_cast<double>(rank),
         out);
}

}  // namespace crewe::cuda::noise
