#include "imaging/join_kernel.hpp"
#include "imaging/read_pixels.hpp"

namespace crewe::imaging::CREWE_ISA_LEVEL {

namespace {

// (raw − dark)·gain of n pixels of a row.
inline void read_row(const JoinTask& task, std::size_t row, std::size_t col, std::size_t n, float* out) {
  const std::byte* const from = task.frame + static_cast<std::ptrdiff_t>(row) * task.row_stride +
                                static_cast<std::ptrdiff_t>(col) * task.column_stride;
  read_pixels(from, task.pixel, task.column_stride, n, out);
  const std::size_t at = row * task.nx + col;
  if (task.dark != nullptr) {
    for (std::size_t i = 0; i < n; ++i) out[i] -= task.dark[at + i];
  }
  if (task.gain != nullptr) {
    for (std::size_t i = 0; i < n; ++i) out[i] = task.gain[at + i] == 0 ? 0 : out[i] * task.gain[at + i];
  }
}

}  // namespace

void join_pixels(const JoinTask& task, float* out) {
  if (task.join == 1) {
    for (std::size_t row = 0; row < task.rows; ++row) read_row(task, row, 0, task.columns, out + row * task.columns);
    return;
  }
  constexpr std::size_t kStrip = 512;  // pixels of a row at a time: sums stay in the first cache
  float part[kStrip], sum[kStrip];
  const std::size_t bins = kStrip / task.join;
  for (std::size_t row = 0; row < task.rows; ++row) {
    for (std::size_t first = 0; first < task.columns; first += bins) {
      const std::size_t count = first + bins < task.columns ? bins : task.columns - first;
      const std::size_t n = count * task.join;
      for (std::size_t i = 0; i < n; ++i) sum[i] = 0;
      for (std::size_t y = row * task.join; y < (row + 1) * task.join; ++y) {
        read_row(task, y, first * task.join, n, part);
        for (std::size_t i = 0; i < n; ++i) sum[i] += part[i];
      }
      float* const to = out + row * task.columns + first;
      for (std::size_t i = 0; i < count; ++i) {
        float total = sum[i * task.join];
        for (std::size_t j = 1; j < task.join; ++j) total += sum[i * task.join + j];
        to[i] = total;
      }
    }
  }
}

}  // namespace crewe::imaging::CREWE_ISA_LEVEL
