// Patches of the object from exit waves, and their sum.
//
// A block makes one patch: D ψ, w × n numbers, and what becomes of it, w × w, lie in shared memory. Waves of 64² and
// patches of 33²: 33 kB read, 9 kB written, 0.8 MFLOP; a product reads its factors from shared memory or the L1 cache,
// 10⁷ waves a second on a large GPU. Then a thread per pixel of the image adds the patches that reach it, in the order
// of positions: (2 reach/oversample)² reads of 8 bytes.
#include <stdexcept>
#include <string>

#include "crewe/checks.hpp"
#include "crewe/cuda/imaging/patches.hpp"
#include "crewe/cuda/launch.hpp"

namespace crewe::cuda::imaging {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kRows = 8;  // of a product, by one thread

__global__ void object_kernel(const float* waves, const float* matrix, const float2* turn, const float* weights,
                              unsigned n, unsigned width, float2* objects) {
  CREWE_SHARED(float, half);  // (width, n); behind it the real part of the places (width, width)
  float* const real = half + width * n;
  float2* const out = objects + std::size_t{blockIdx.x} * width * width;
  for (unsigned part = 0; part < 2; ++part) {
    const float* const plane = waves + (std::size_t{blockIdx.x} * 2 + part) * n * n;
    const unsigned groups = (width + kRows - 1) / kRows;
    for (unsigned i = threadIdx.x; i < groups * n; i += blockDim.x) {
      const unsigned x = i % n, first = i / n * kRows, rows = width - first < kRows ? width - first : kRows;
      float sum[kRows] = {};
      for (unsigned y = 0; y < n; ++y) {
        const float value = plane[y * n + x];
        for (unsigned r = 0; r < kRows; ++r) {
          if (r < rows) sum[r] += matrix[(first + r) * n + y] * value;
        }
      }
      for (unsigned r = 0; r < kRows; ++r) {
        if (r < rows) half[(first + r) * n + x] = sum[r];
      }
    }
    __syncthreads();
    for (unsigned i = threadIdx.x; i < width * width; i += blockDim.x) {
      const unsigned m = i / width, l = i % width;
      float sum = 0;
      for (unsigned x = 0; x < n; ++x) sum += half[m * n + x] * matrix[l * n + x];
      if (part == 0) {
        real[i] = sum;
        continue;
      }
      const float a = real[i], b = sum, c = turn[i].x, d = turn[i].y;
      const float py = a * d + b * c, px = a * c - b * d;
      const float length = sqrtf(px * px + py * py);
      const float scale = length > 0 ? weights[i] / length : 0.0f;
      out[i] = float2{scale * px, scale * py};
    }
    __syncthreads();
  }
}

struct Scan {
  std::size_t first, count, columns, oversample, reach;
  std::size_t low, height, breadth;  // rows low ... low + height − 1 of the image
};

__global__ void add_kernel(const float2* objects, Scan s, float2* image) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= s.height * s.breadth) return;
  const std::size_t row = s.low + i / s.breadth, column = i % s.breadth, width = 2 * s.reach + 1, step = s.oversample;
  const std::size_t y0 = row < s.reach ? 0 : (row - s.reach + step - 1) / step, y1 = (row + s.reach) / step;
  const std::size_t x0 = column < s.reach ? 0 : (column - s.reach + step - 1) / step, x1 = (column + s.reach) / step;
  float2 sum = image[row * s.breadth + column];
  for (std::size_t y = y0; y <= y1; ++y) {
    for (std::size_t x = x0; x <= x1 && x < s.columns; ++x) {
      const std::size_t j = y * s.columns + x;
      if (j < s.first || j >= s.first + s.count) continue;
      const std::size_t up = row + s.reach - y * step, side = column + s.reach - x * step;
      const float2 value = objects[((j - s.first) * width + up) * width + side];
      sum = float2{sum.x + value.x, sum.y + value.y};
    }
  }
  image[row * s.breadth + column] = sum;
}

}  // namespace

Patches::Patches(const crewe::imaging::Patches& patches, cudaStream_t stream)
    : size_(patches.size()),
      reach_(patches.reach()),
      matrix_(patches.matrix().data(), patches.width() * patches.size(), stream),
      weights_(patches.weights().data(), patches.weights().size(), stream),
      turn_(reinterpret_cast<const float2*>(patches.turn().data()), patches.turn().size(), stream) {}

void Patches::add(View<const float, 4> waves, std::size_t first, std::size_t columns, std::size_t oversample,
                  View<std::complex<float>, 2> image, cudaStream_t stream) const {
  const std::size_t count = waves.shape[0], n = size_, width = 2 * reach_ + 1;
  check_shape(waves, {count, 2, n, n}, "waves");
  check_contiguous(waves, "waves");
  const std::size_t height = image.shape[0], breadth = image.shape[1];
  check_contiguous(image, "image");
  if (columns == 0 || oversample == 0) {
    reject("columns, oversample", "1 or more", shape_text(std::array{columns, oversample}));
  }
  const std::size_t across = (breadth + oversample - 1) / oversample, down = (height + oversample - 1) / oversample;
  if (columns > across) {
    reject("columns", "1 to " + std::to_string(across) + ", which the image has,", std::to_string(columns));
  }
  if (count == 0) return;
  if (count > columns * down || first > columns * down - count) {
    throw std::out_of_range("first: positions outside of the image");
  }
  const Buffer<float2> objects(count * width * width, stream);
  const std::size_t shared = (width * n + width * width) * sizeof(float);
  launch(object_kernel, blocks_of(count, 1), kThreads, shared, stream, waves.data, matrix_.data(), turn_.data(),
         weights_.data(), static_cast<unsigned>(n), static_cast<unsigned>(width), objects.data());
  const std::size_t top = first / columns * oversample, bottom = (first + count - 1) / columns * oversample;
  const std::size_t low = top < reach_ ? 0 : top - reach_;
  const std::size_t high = bottom + reach_ + 1 < height ? bottom + reach_ + 1 : height;
  const Scan scan{first, count, columns, oversample, reach_, low, high - low, breadth};
  launch(add_kernel, blocks_of((high - low) * breadth, kThreads), kThreads, 0, stream, objects.data(), scan,
         reinterpret_cast<float2*>(image.data));
}

}  // namespace crewe::cuda::imaging
