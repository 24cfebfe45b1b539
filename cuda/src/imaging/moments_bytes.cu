// Exact sums over integer frames: one block per frame, every thread 16 bytes at a time, four of them on their way
// before the first is used.
//
// Bytes: each frame once (131 kB for 256×256 uint16); masks come from the caches (frames are loaded so as not to stay
// there). Operations per 16 bytes of uint16: 8 dot products of 2 (n and j·I), 4 for each detector, about 12 for y, x
// and the masks; some 3 integer operations per pixel, a third of what a Hopper multiprocessor does while the pixel
// arrives. Bound by memory.
//
// With S = Σ I and J = Σ j·I over the pixels j = 0, 1, ... of a word at (y, x₀): n += S, y += y·S, x += x₀·S + J.
#include "crewe/cuda/block_sum.hpp"
#include "crewe/cuda/launch.hpp"
#include "moments_kernel.hpp"
#include "moments_write.hpp"

namespace crewe::cuda::imaging {
namespace {

using Sum = unsigned long long;

struct Words {
  unsigned w[4];
};

template <class S>
struct WordSums {
  S s, j;
};

// A word of 16 bytes of pixels; `mask`: one byte for each, 1 or 0xFF where it counts.
template <class T>
struct Word;

template <>
struct Word<std::uint8_t> {
  static constexpr unsigned kPixels = 16, kMaskWords = 4;
  __device__ static unsigned sum(const Words& v, const unsigned* mask) {
    unsigned s = 0;
#pragma unroll
    for (int i = 0; i < 4; ++i) s = __dp4a(v.w[i], mask[i], s);
    return s;
  }
  __device__ static WordSums<unsigned> both(const Words& v, const unsigned* mask) {
    unsigned s = 0, j = 0;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const unsigned place = 0x03020100U + 0x04040404U * static_cast<unsigned>(i);
      s = __dp4a(v.w[i], mask[i] & 0x01010101U, s);
      j = __dp4a(v.w[i], mask[i] & place, j);
    }
    return {s, j};
  }
};

template <>
struct Word<std::uint16_t> {
  static constexpr unsigned kPixels = 8, kMaskWords = 2;
  __device__ static unsigned sum(const Words& v, const unsigned* mask) {
    unsigned s = 0;
#pragma unroll
    for (int i = 0; i < 4; i += 2) {
      s = __dp2a_lo(v.w[i], mask[i / 2], s);
      s = __dp2a_hi(v.w[i + 1], mask[i / 2], s);
    }
    return s;
  }
  __device__ static WordSums<unsigned> both(const Words& v, const unsigned* mask) {
    unsigned s = 0, j = 0;
#pragma unroll
    for (int i = 0; i < 4; i += 2) {
      const unsigned one = mask[i / 2] & 0x01010101U;
      const unsigned place = mask[i / 2] & (i == 0 ? 0x03020100U : 0x07060504U);
      s = __dp2a_lo(v.w[i], one, s);
      s = __dp2a_hi(v.w[i + 1], one, s);
      j = __dp2a_lo(v.w[i], place, j);
      j = __dp2a_hi(v.w[i + 1], place, j);
    }
    return {s, j};
  }
};

template <>
struct Word<std::uint32_t> {
  static constexpr unsigned kPixels = 4, kMaskWords = 1;
  __device__ static Sum sum(const Words& v, const unsigned* mask) {
    Sum s = 0;
#pragma unroll
    for (int i = 0; i < 4; ++i) s += (mask[0] >> 8 * i & 1U) != 0 ? v.w[i] : 0U;
    return s;
  }
  __device__ static WordSums<Sum> both(const Words& v, const unsigned* mask) {
    Sum s = 0, j = 0;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const unsigned value = (mask[0] >> 8 * i & 1U) != 0 ? v.w[i] : 0U;
      s += value;
      j += static_cast<Sum>(value) * static_cast<unsigned>(i);
    }
    return {s, j};
  }
};

template <class T>
__device__ void load_mask(const std::uint8_t* mask, unsigned word, unsigned (&out)[4]) {
  constexpr unsigned kWords = Word<T>::kMaskWords;
  if constexpr (kWords == 4) {
    const uint4 m = __ldg(reinterpret_cast<const uint4*>(mask) + word);
    out[0] = m.x, out[1] = m.y, out[2] = m.z, out[3] = m.w;
  } else if constexpr (kWords == 2) {
    const uint2 m = __ldg(reinterpret_cast<const uint2*>(mask) + word);
    out[0] = m.x, out[1] = m.y;
  } else {
    out[0] = __ldg(reinterpret_cast<const unsigned*>(mask) + word);
  }
}

// K: detectors; M: 0 no moments, 1 all pixels, 2 those of the mask.
template <class T, int K, int M>
__global__ void __launch_bounds__(256) reduce_frame(FrameTask task, ByteMasks masks) {
  constexpr unsigned kPixels = Word<T>::kPixels, kAhead = 4;
  __shared__ Sum room[(3 + kMostDetectors) * 8];
  const std::size_t frame = blockIdx.x;
  const auto* const words =
      reinterpret_cast<const uint4*>(task.data + static_cast<std::ptrdiff_t>(blockIdx.x) * task.frame_stride);
  const unsigned per_row = task.nx / kPixels, count = per_row * task.ny;
  Sum sums[3 + K] = {};
  for (unsigned begin = threadIdx.x; begin < count; begin += kAhead * blockDim.x) {
    uint4 loaded[kAhead];
#pragma unroll
    for (unsigned a = 0; a < kAhead; ++a) {
      const unsigned word = begin + a * blockDim.x;
      loaded[a] = word < count ? __ldcs(words + word) : make_uint4(0, 0, 0, 0);
    }
#pragma unroll
    for (unsigned a = 0; a < kAhead; ++a) {
      const unsigned word = begin + a * blockDim.x;
      if (word >= count) break;
      const Words v{{loaded[a].x, loaded[a].y, loaded[a].z, loaded[a].w}};
      unsigned mask[4] = {0x01010101U, 0x01010101U, 0x01010101U, 0x01010101U};
      if constexpr (M != 0) {
        if constexpr (M == 1) {
          mask[0] = mask[1] = mask[2] = mask[3] = 0xFFFFFFFFU;
        } else {
          load_mask<T>(masks.weights, word, mask);
        }
        const auto both = Word<T>::both(v, mask);
        const unsigned y = word / per_row, x = (word - y * per_row) * kPixels;
        sums[0] += both.s;
        sums[1] += static_cast<Sum>(both.s) * y;
        sums[2] += static_cast<Sum>(both.s) * x + both.j;
      }
#pragma unroll
      for (int k = 0; k < K; ++k) {
        load_mask<T>(masks.detectors[k], word, mask);
        sums[3 + k] += Word<T>::sum(v, mask);
      }
    }
  }
  block_sum(sums, room);
  if (threadIdx.x != 0) return;
  if constexpr (M != 0) {
    write_moments(task, frame,
                  {static_cast<double>(sums[0]), static_cast<double>(sums[1]), static_cast<double>(sums[2])});
  }
#pragma unroll
  for (int k = 0; k < K; ++k) write_detector(task, frame, k, static_cast<double>(sums[3 + k]));
}

// A frame gets so many threads that each has some eight words of it.
template <class T>
unsigned threads_for(const FrameTask& task) {
  const unsigned words = task.ny * (task.nx / Word<T>::kPixels);
  unsigned threads = kWarp;
  while (threads < 256 && threads * 8 < words) threads *= 2;
  return threads;
}

template <class T, int K>
void launch_for(const FrameTask& task, const ByteMasks& masks, bool moments, unsigned frames, cudaStream_t stream) {
  const unsigned threads = threads_for<T>(task);
  const auto kernel = !moments                   ? reduce_frame<T, K, 0>
                      : masks.weights == nullptr ? reduce_frame<T, K, 1>
                                                 : reduce_frame<T, K, 2>;
  launch(kernel, frames, threads, 0, stream, task, masks);
}

template <class T>
void launch_for(const FrameTask& task, const ByteMasks& masks, bool moments, unsigned frames, cudaStream_t stream) {
  switch (task.detector_count) {
    case 0:
      return launch_for<T, 0>(task, masks, moments, frames, stream);
    case 1:
      return launch_for<T, 1>(task, masks, moments, frames, stream);
    case 2:
      return launch_for<T, 2>(task, masks, moments, frames, stream);
    case 3:
      return launch_for<T, 3>(task, masks, moments, frames, stream);
    case 4:
      return launch_for<T, 4>(task, masks, moments, frames, stream);
    default:
      return launch_for<T, kMostDetectors>(task, masks, moments, frames, stream);
  }
}

}  // namespace

void reduce_bytes(const FrameTask& task, const ByteMasks& masks, bool moments, unsigned frames, cudaStream_t stream) {
  using crewe::imaging::Pixel;
  switch (task.pixel) {
    case Pixel::u8:
      return launch_for<std::uint8_t>(task, masks, moments, frames, stream);
    case Pixel::u16:
      return launch_for<std::uint16_t>(task, masks, moments, frames, stream);
    default:
      return launch_for<std::uint32_t>(task, masks, moments, frames, stream);
  }
}

}  // namespace crewe::cuda::imaging
