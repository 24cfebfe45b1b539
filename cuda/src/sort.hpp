// Bitonic sort of keys on the device: n log² n compare-and-exchange steps, 2048 keys at a time in shared memory. For
// 2^17 keys 28 launches, each a read and a write of all of them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/launch.hpp"

namespace crewe::cuda {

struct Key {
  std::uint64_t key;
  std::uint32_t index;  // kNoIndex: fills up to a power of two, behind all others
};
constexpr std::uint32_t kNoIndex = ~std::uint32_t{0};

struct ByKey {
  __device__ bool operator()(const Key& a, const Key& b) const {
    return a.key != b.key ? a.key < b.key : a.index < b.index;
  }
};

constexpr unsigned kSortTile = 2048, kSortThreads = 256;

constexpr std::size_t sorted_size(std::size_t n) {
  return n < kSortTile ? kSortTile : std::bit_ceil(n);
}

template <class Less>
__device__ void exchange(Key& a, Key& b, bool rising, const Less& less) {
  if (less(b, a) != rising) return;
  const Key kept = a;
  a = b;
  b = kept;
}

// Steps j = min(k/2, half a tile) ... 1 of the stages k = first, 2·first, ..., last.
template <class Less>
__global__ void sort_tile(Key* keys, std::uint64_t first, std::uint64_t last, Less less) {
  __shared__ Key tile[kSortTile];
  const std::uint64_t base = std::uint64_t{blockIdx.x} * kSortTile;
  for (unsigned i = threadIdx.x; i < kSortTile; i += blockDim.x) tile[i] = keys[base + i];
  for (std::uint64_t k = first; k <= last; k *= 2) {
    for (unsigned j = k / 2 < kSortTile ? static_cast<unsigned>(k / 2) : kSortTile / 2; j > 0; j /= 2) {
      __syncthreads();
      for (unsigned pair = threadIdx.x; pair < kSortTile / 2; pair += blockDim.x) {
        const unsigned i = 2 * pair - (pair & (j - 1));
        exchange(tile[i], tile[i + j], ((base + i) & k) == 0, less);
      }
    }
  }
  __syncthreads();
  for (unsigned i = threadIdx.x; i < kSortTile; i += blockDim.x) keys[base + i] = tile[i];
}

template <class Less>
__global__ void sort_step(Key* keys, std::uint64_t k, std::uint64_t j, Less less) {
  const std::uint64_t pair = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x, i = 2 * pair - (pair & (j - 1));
  exchange(keys[i], keys[i + j], (i & k) == 0, less);
}

// keys: sorted_size(n) of them.
template <class Less>
void sort(const Buffer<Key>& keys, const Less& less, cudaStream_t stream) {
  const std::size_t size = keys.size();
  const unsigned tiles = blocks_of(size, kSortTile);
  launch(sort_tile<Less>, tiles, kSortThreads, 0, stream, keys.data(), std::uint64_t{2}, std::uint64_t{kSortTile},
         less);
  for (std::uint64_t k = 2 * kSortTile; k <= size; k *= 2) {
    for (std::uint64_t j = k / 2; j >= kSortTile; j /= 2) {
      launch(sort_step<Less>, blocks_of(size / 2, kSortThreads), kSortThreads, 0, stream, keys.data(), k, j, less);
    }
    launch(sort_tile<Less>, tiles, kSortThreads, 0, stream, keys.data(), k, k, less);
  }
}

}  // namespace crewe::cuda
