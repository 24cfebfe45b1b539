// The sweeps over waves (ny, nx) that a multislice step is made of, as on the CPU (cpp/src/sim/sweeps.hpp):
//
//   rows      inverse along x, times t, forward along x        columns   forward along y, times P, inverse along y
//
// A wave rests between the two, rows in real space, columns in Fourier space: field (ny, columns), of which only those
// inside the band limit are kept, in the order in which a line's transform leaves them, padded with zeros to whole
// lanes. Factors lie in tiles: (blocks of lanes, n, lanes).
//
// A step reads and writes the field twice, 4·8 B·(2/3) = 21 B per pixel, and t and P, which all waves share, mostly
// from the L2 cache: 5 ps at 4.3 TB/s. A forward and an inverse transform by a library take 64 B, and the products 32 B
// more. What a step must beat besides: shared memory, 96 B per pixel along the rows and 64 B along the columns, 5.6 ps
// at 29 TB/s, and some 180 instructions per pixel, 6 ps at 132 · 128 per cycle. One block per 16 lines (8 or 4 of long
// ones), 256 threads, 70 KB at 512 samples: three blocks for each multiprocessor of 228 KB.
//
// A launch works on all waves, 10 µs and more; launches don't dominate, so nothing is recorded in graphs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cuda/async_copy.hpp"
#include "crewe/cuda/device.hpp"
#include "sim/lines.hpp"

namespace crewe::cuda::sim {

// Goes to kernels by value.
struct GridPlan {
  LinePlan y, x;
  int columns = 0;  // kept ones, padded
  int row_blocks = 0, column_blocks = 0;
  const int* column_at = nullptr;  // column of each place of a row's spectrum (nx), −1: not kept
  const int* place_of = nullptr;   // its inverse (columns), −1: padding

  __device__ std::size_t field_size() const {
    return static_cast<std::size_t>(y.n) * static_cast<std::size_t>(columns);
  }
};

// Which wave and which lines a block works on; blocks of a wave follow each other.
struct Share {
  std::size_t wave;
  int block, first;
  __device__ Share(int blocks, int lanes)
      : wave(blockIdx.x / static_cast<unsigned>(blocks)),
        block(static_cast<int>(blockIdx.x % static_cast<unsigned>(blocks))),
        first(block * lanes) {}
};

__device__ inline std::size_t field_at(const GridPlan& grid, int y, int column) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(grid.columns) + static_cast<std::size_t>(column);
}

// The samples first, first + step, … of the lanes lane, lane + lane_step, … of a block, neighbouring samples by
// neighbouring threads. Numbers of warps and lanes are powers of two.
struct AlongLines {
  int first, step, lane, lane_step;
  __device__ explicit AlongLines(int lanes) {
    const int warp = static_cast<int>(threadIdx.x) / 32, warps = static_cast<int>(blockDim.x) / 32;
    first = static_cast<int>(threadIdx.x) % 32 + warp / lanes * 32;
    step = warps > lanes ? warps / lanes * 32 : 32;
    lane = warp % lanes;
    lane_step = warps;
  }
};

// f(x, lane) for all samples of a block's lines in that order.
template <class F>
__device__ inline void along_lines(const LinePlan& plan, const F& f) {
  const AlongLines my(plan.lanes);
  for (int i = my.first; i < plan.n; i += my.step) {
    for (int lane = my.lane; lane < plan.lanes; lane += my.lane_step) f(i, lane);
  }
}

// f(x, lane) for all samples of a block's lines, neighbouring lanes by neighbouring threads.
template <class F>
__device__ inline void across_lines(const LinePlan& plan, const Lines& lines, const F& f) {
  for (int i = lines.first(); i < plan.n; i += lines.step()) f(i, lines.lane());
}

__device__ inline void read_rows(const GridPlan& grid, const Share& share, const float2* fields, Lines& lines) {
  const float2* field = fields + share.wave * grid.field_size();
  const AlongLines my(grid.x.lanes);
  for (int place = my.first; place < grid.x.n; place += my.step) {
    const int column = __ldg(grid.column_at + place);
    for (int lane = my.lane; lane < grid.x.lanes; lane += my.lane_step) {
      const int y = share.first + lane;
      if (column >= 0 && y < grid.y.n) {
        copy_async(&lines.at(place, lane), field + field_at(grid, y, column));
      } else {
        lines.at(place, lane) = make_float2(0.0F, 0.0F);
      }
    }
  }
  wait_for_copies();
  __syncthreads();
}

__device__ inline void write_rows(const GridPlan& grid, const Share& share, Lines& lines, float2* fields) {
  float2* field = fields + share.wave * grid.field_size();
  const AlongLines my(grid.x.lanes);
  for (int column = my.first; column < grid.columns; column += my.step) {
    const int place = __ldg(grid.place_of + column);
    for (int lane = my.lane; lane < grid.x.lanes; lane += my.lane_step) {
      const int y = share.first + lane;
      if (y >= grid.y.n) continue;
      field[field_at(grid, y, column)] = place >= 0 ? lines.at(place, lane) : make_float2(0.0F, 0.0F);
    }
  }
}

// The columns of a block lie beside each other: `lanes` neighbouring numbers of each row.
__device__ inline void read_columns(const GridPlan& grid, const Share& share, const float2* fields, Lines& lines) {
  const float2* field = fields + share.wave * grid.field_size();
  across_lines(grid.y, lines,
               [&](int y, int lane) { copy_async(&lines.at(y, lane), field + field_at(grid, y, share.first + lane)); });
  wait_for_copies();
  __syncthreads();
}

__device__ inline void write_columns(const GridPlan& grid, const Share& share, Lines& lines, float2* fields) {
  float2* field = fields + share.wave * grid.field_size();
  across_lines(grid.y, lines,
               [&](int y, int lane) { field[field_at(grid, y, share.first + lane)] = lines.at(y, lane); });
}

// Where a lane's samples of a tiled factor begin; the next sample comes `lanes` later.
__device__ inline const float2* tile(const LinePlan& plan, const float2* factor, int block, int lane) {
  return factor +
         static_cast<std::size_t>(block) * static_cast<std::size_t>(plan.n) * static_cast<std::size_t>(plan.lanes) +
         static_cast<std::size_t>(lane);
}

// Transmission functions (slots of row tiles), and which of them a group of waves meets: slot[group·slices + slice].
struct Transmission {
  const float2* functions;
  std::size_t size;
  const std::uint32_t* slot;
  int slices, slice, waves_of_group;
  __device__ const float2* of(std::size_t wave) const {
    const std::size_t group = wave / static_cast<std::size_t>(waves_of_group);
    return functions + size * __ldg(slot + group * static_cast<std::size_t>(slices) + static_cast<std::size_t>(slice));
  }
};

// The kernels. Grid: waves × row blocks, or waves × column blocks; block: 32 to 256 threads, a power of two.

__global__ void rows_step(const __grid_constant__ GridPlan grid, float2* fields, Transmission transmission);
// factor: tiles (column blocks, ny places, lanes).
__global__ void columns_step(const __grid_constant__ GridPlan grid, float2* fields, const float2* factor);
// Columns in the order of a transformed line → real space along y.
__global__ void columns_inverse(const __grid_constant__ GridPlan grid, float2* fields);
// power (waves, ny places, columns) = |forward along y|².
__global__ void columns_power(const __grid_constant__ GridPlan grid, float2* fields, float* power);

// source(wave, y, x) → rows, forward along x.
template <class Source>
__global__ void rows_enter(const __grid_constant__ GridPlan grid, float2* fields, Source source) {
  CREWE_SHARED(float2, shared);
  Lines lines(grid.x, shared);
  const Share share(grid.row_blocks, grid.x.lanes);
  along_lines(grid.x, [&](int x, int lane) {
    const int y = share.first + lane;
    lines.at(x, lane) = y < grid.y.n ? source(share.wave, y, x) : make_float2(0.0F, 0.0F);
  });
  __syncthreads();
  lines.forward();
  write_rows(grid, share, lines, fields);
}

// Rows, inverse along x → sink(wave, y, x, value).
template <class Sink>
__global__ void rows_exit(const __grid_constant__ GridPlan grid, const float2* fields, Sink sink) {
  CREWE_SHARED(float2, shared);
  Lines lines(grid.x, shared);
  const Share share(grid.row_blocks, grid.x.lanes);
  read_rows(grid, share, fields, lines);
  lines.inverse();
  const auto leave = [&](int x, int lane) {
    const int y = share.first + lane;
    if (y < grid.y.n || Sink::kTiles) sink(share.wave, y, x, lines.at(x, lane));
  };
  if constexpr (Sink::kTiles) {
    across_lines(grid.x, lines, leave);
  } else {
    along_lines(grid.x, leave);
  }
}

}  // namespace crewe::cuda::sim
