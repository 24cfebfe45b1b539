#include "sim/sweeps.hpp"

namespace crewe::cuda::sim {

__global__ void rows_step(const __grid_constant__ GridPlan grid, float2* fields, Transmission transmission) {
  CREWE_SHARED(float2, shared);
  Lines lines(grid.x, shared);
  const Share share(grid.row_blocks, grid.x.lanes);
  read_rows(grid, share, fields, lines);
  const float2* t = tile(grid.x, transmission.of(share.wave), share.block, lines.lane());
  const int lanes = grid.x.lanes;
  lines.inverse_forward([&](int x) { return __ldg(t + x * lanes); });
  write_rows(grid, share, lines, fields);
}

__global__ void columns_step(const __grid_constant__ GridPlan grid, float2* fields, const float2* factor) {
  CREWE_SHARED(float2, shared);
  Lines lines(grid.y, shared);
  const Share share(grid.column_blocks, grid.y.lanes);
  read_columns(grid, share, fields, lines);
  const float2* p = tile(grid.y, factor, share.block, lines.lane());
  const int lanes = grid.y.lanes;
  lines.forward_inverse([&](int place) { return __ldg(p + place * lanes); });
  write_columns(grid, share, lines, fields);
}

__global__ void columns_inverse(const __grid_constant__ GridPlan grid, float2* fields) {
  CREWE_SHARED(float2, shared);
  Lines lines(grid.y, shared);
  const Share share(grid.column_blocks, grid.y.lanes);
  read_columns(grid, share, fields, lines);
  lines.inverse();
  write_columns(grid, share, lines, fields);
}

__global__ void columns_power(const __grid_constant__ GridPlan grid, float2* fields, float* power) {
  CREWE_SHARED(float2, shared);
  Lines lines(grid.y, shared);
  const Share share(grid.column_blocks, grid.y.lanes);
  read_columns(grid, share, fields, lines);
  lines.forward();
  float* to = power + share.wave * grid.field_size() + static_cast<std::size_t>(share.first);
  across_lines(grid.y, lines, [&](int place, int lane) {
    const float2 value = lines.at(place, lane);
    to[static_cast<std::size_t>(place) * static_cast<std::size_t>(grid.columns) + static_cast<std::size_t>(lane)] =
        value.x * value.x + value.y * value.y;
  });
}

}  // namespace crewe::cuda::sim
