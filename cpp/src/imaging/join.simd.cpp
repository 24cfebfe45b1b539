#include "imaging/join_kernel.hpp"
#include "imaging/read_pixels.hpp"

namespace crewe::imaging::CREWE_ISA_LEVEL {

void join_pixels(const JoinTask& task, float* out) {
  constexpr std::size_t kStrip = 512;  // pixels of a row at a time: sums stay in the first cache
  float part[kStrip], sum[kStrip];
  const std::size_t bins = kStrip / task.join;
  for (std::size_t row = 0; row < task.rows; ++row) {
    for (std::size_t first = 0; first < task.cols; first += bins) {
      const std::size_t count = first + bins < task.cols ? bins : task.cols - first;
      const std::size_t n = count * task.join, col = first * task.join;
      for (std::size_t i = 0; i < n; ++i) sum[i] = 0;
      for (std::size_t y = row * task.join; y < (row + 1) * task.join; ++y) {
        read_pixels(task.frame + static_cast<std::ptrdiff_t>(y) * task.stride_row +
                        static_cast<std::ptrdiff_t>(col) * task.stride_col,
                    task.pixel, task.stride_col, n, part);
        const std::size_t at = y * task.nx + col;
        if (task.dark != nullptr) {
          for (std::size_t i = 0; i < n; ++i) part[i] -= task.dark[at + i];
        }
        if (task.gain != nullptr) {
          for (std::size_t i = 0; i < n; ++i) part[i] = task.gain[at + i] == 0 ? 0 : part[i] * task.gain[at + i];
        }
        for (std::size_t i = 0; i < n; ++i) sum[i] += part[i];
      }
      float* const to = out + row * task.cols + first;
      for (std::size_t i = 0; i < count; ++i) {
        float total = sum[i * task.join];
        for (std::size_t j = 1; j < task.join; ++j) total += sum[i * task.join + j];
        to[i] = total;
      }
    }
  }
}

}  // namespace crewe::imaging::CREWE_ISA_LEVEL
