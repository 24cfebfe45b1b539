// Gather: 4 B of a line per joined pixel, and its detector pixels, read where they lie; bound by memory.
//
// Project: a warp takes four frequencies of one column and all open lines. Per joined pixel and frequency it reads 4 B
// of weights (8 B with aberrations), once for eight lines, and does 4 multiply-adds per line; the lines come from the
// caches. With weights of 256 MB, 64 passes over a scan of 512 lines read 16 GB: bound by memory, some 4 ms at 4 TB/s.
#include "crewe/cuda/block_sum.hpp"
#include "crewe/cuda/launch.hpp"
#include "read_pixel.hpp"
#include "ssb_kernels.hpp"

namespace crewe::cuda::imaging {
namespace {

constexpr unsigned kThreads = 256;

__global__ void gather(SsbRun run, SsbPixels table, float* line) {
  const unsigned joined = blockIdx.x * blockDim.x + threadIdx.x, i = blockIdx.y;
  if (joined >= table.joined) return;
  const std::byte* const frame = run.data + static_cast<std::ptrdiff_t>(i) * run.frame_stride;
  float sum = 0;
  for (unsigned p = table.first[joined]; p < table.first[joined + 1]; ++p) {
    const unsigned pixel = table.pixels[p], y = pixel / table.nx, x = pixel - y * table.nx;
    float value = static_cast<float>(read_pixel(run.pixel, frame + static_cast<std::ptrdiff_t>(y) * run.row_stride +
                                                               static_cast<std::ptrdiff_t>(x) * run.column_stride));
    if (table.dark != nullptr) value -= table.dark[pixel];
    if (table.gain != nullptr) value *= table.gain[pixel];
    sum += value;
  }
  const unsigned col = run.col + static_cast<unsigned>(run.step * static_cast<int>(i));
  line[static_cast<std::size_t>(col) * table.padded + joined] += sum;
}

__global__ void count(const unsigned* at, std::size_t n, float* lines) {
  const std::size_t i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) atomicAdd(lines + at[i], 1.0F);
}

// Two real signals, the even and the odd joined pixel, that were transformed as one complex signal.
struct Pair {
  float2 even, odd;
};
__device__ Pair unpack(float2 z, float2 mirror) {
  return {make_float2(0.5F * (z.x + mirror.x), 0.5F * (z.y - mirror.y)),
          make_float2(0.5F * (z.y + mirror.y), 0.5F * (mirror.x - z.x))};
}

__device__ void add_product(float2& sum, float re, float im, float2 g, bool complex) {
  sum.x += re * g.x;
  sum.y += re * g.y;
  if (!complex) return;
  sum.x -= im * g.y;
  sum.y += im * g.x;
}

template <bool kComplex>
__global__ void __launch_bounds__(kThreads) project(SsbProjection task) {
  const unsigned lane = threadIdx.x % kWarp, index = (blockIdx.x * blockDim.x + threadIdx.x) / kWarp;
  if (index >= task.group_count) return;
  const SsbGroup group = task.groups[index];
  const unsigned pairs = task.padded / 2, each = kComplex ? 2 * task.padded : task.padded;
  const std::size_t line = static_cast<std::size_t>(task.sx) * pairs;
  const float2* const at = task.work + static_cast<std::size_t>(group.col) * pairs;
  const float2* const mirror = task.work + static_cast<std::size_t>((task.sx - group.col) % task.sx) * pairs;
  float2 sums[kSsbGroup][kSsbLines] = {};
  for (unsigned j = lane; j < pairs; j += kWarp) {
    float even[kSsbGroup], odd[kSsbGroup], even_im[kSsbGroup] = {}, odd_im[kSsbGroup] = {};
#pragma unroll
    for (int q = 0; q < kSsbGroup; ++q) {
      // A group that isn't full projects on its last frequency again.
      const std::size_t row = group.first + min(static_cast<unsigned>(q), group.count - 1);
      const float* const w = task.weights + row * each + j;
      even[q] = __ldg(w);
      odd[q] = __ldg(w + pairs);
      if constexpr (kComplex) {
        even_im[q] = __ldg(w + task.padded);
        odd_im[q] = __ldg(w + task.padded + pairs);
      }
    }
#pragma unroll
    for (int l = 0; l < kSsbLines; ++l) {
      if (l >= static_cast<int>(task.open.count)) continue;
      const Pair g = unpack(at[l * line + j], mirror[l * line + j]);
#pragma unroll
      for (int q = 0; q < kSsbGroup; ++q) {
        add_product(sums[q][l], even[q], even_im[q], g.even, kComplex);
        add_product(sums[q][l], odd[q], odd_im[q], g.odd, kComplex);
      }
    }
  }
#pragma unroll
  for (int q = 0; q < kSsbGroup; ++q) {
    if (q >= static_cast<int>(group.count)) break;
    const unsigned frequency = group.first + static_cast<unsigned>(q);
    double2 sum = task.sums[frequency];
#pragma unroll
    for (int l = 0; l < kSsbLines; ++l) {
      if (l >= static_cast<int>(task.open.count)) continue;
      const double re = static_cast<double>(warp_sum(sums[q][l].x)), im = static_cast<double>(warp_sum(sums[q][l].y));
      const std::size_t turns = static_cast<std::size_t>(task.rows[frequency]) * task.open.rows[l];
      const double2 turn = task.turns[turns % task.sy];
      sum.x += turn.x * re - turn.y * im;
      sum.y += turn.x * im + turn.y * re;
    }
    if (lane == 0) task.out[frequency] = sum;
  }
}

__global__ void add_total(const float2* work, unsigned pairs, unsigned sx, unsigned lines, const double* before,
                          double* out) {
  __shared__ double room[kThreads / kWarp];
  double sum[1] = {};
  for (unsigned i = threadIdx.x; i < lines * pairs; i += blockDim.x) {
    const float2 z = work[static_cast<std::size_t>(i / pairs) * sx * pairs + i % pairs];
    sum[0] += static_cast<double>(z.x) + static_cast<double>(z.y);
  }
  block_sum(sum, room);
  if (threadIdx.x == 0) *out = *before + sum[0];
}

__global__ void write_spectrum(SsbSpectrum task, double positions, float2* out) {
  const unsigned q = blockIdx.x * blockDim.x + threadIdx.x;
  if (q >= task.count) return;
  const double total = *task.total;
  if (!(total > 0)) return;
  const double unit = positions * task.members / total;  // 1/I₀
  const double2 s = task.sums[q], scale = task.scale[q];
  const float re = static_cast<float>((s.x * scale.x - s.y * scale.y) * unit);
  const float im = static_cast<float>((s.x * scale.y + s.y * scale.x) * unit);
  const std::size_t row = task.rows[q], col = task.cols[q];
  out[row * task.sx + col] = make_float2(re, im);
  out[(task.sy - row) % task.sy * task.sx + (task.sx - col) % task.sx] = make_float2(re, -im);
}

__global__ void make_waves(const float2* field, float factor, View<float2, 2> wave) {
  const std::size_t i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x, sx = wave.shape[1];
  if (i >= wave.shape[0] * sx) return;
  const float phase = field[i].x * factor;
  wave.data[static_cast<std::ptrdiff_t>(i / sx) * wave.strides[0] +
            static_cast<std::ptrdiff_t>(i % sx) * wave.strides[1]] = make_float2(cosf(phase), sinf(phase));
}

}  // namespace

void ssb_gather(const SsbRun& run, const SsbPixels& pixels, float* line, cudaStream_t stream) {
  const dim3 grid(blocks_of(pixels.joined, kThreads), run.count);
  launch(gather, grid, kThreads, 0, stream, run, pixels, line);
}

void ssb_count(const unsigned* at, std::size_t n, float* lines, cudaStream_t stream) {
  launch(count, blocks_of(n, kThreads), kThreads, 0, stream, at, n, lines);
}

void ssb_project(const SsbProjection& task, cudaStream_t stream) {
  const unsigned blocks = blocks_of(task.group_count, kThreads / kWarp);
  launch(task.complex ? project<true> : project<false>, blocks, kThreads, 0, stream, task);
}

void ssb_total(const float2* work, unsigned pairs, unsigned sx, unsigned lines, const double* before, double* out,
               cudaStream_t stream) {
  launch(add_total, 1, kThreads, 0, stream, work, pairs, sx, lines, before, out);
}

void ssb_spectrum(const SsbSpectrum& task, double positions, float2* out, cudaStream_t stream) {
  launch(write_spectrum, blocks_of(task.count, kThreads), kThreads, 0, stream, task, positions, out);
}

void ssb_waves(const float2* field, float factor, View<float2, 2> wave, cudaStream_t stream) {
  launch(make_waves, blocks_of(wave.size(), kThreads), kThreads, 0, stream, field, factor, wave);
}

}  // namespace crewe::cuda::imaging
