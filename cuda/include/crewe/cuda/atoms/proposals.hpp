// crewe/atoms/nms.hpp and peaks.hpp on the device: the same boxes and summits, in the same order. Nothing waits for the
// stream: how many there are stands in `count`.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/atoms/peaks.hpp"
#include "crewe/cuda/device.hpp"
#include "crewe/view.hpp"

namespace crewe::cuda::atoms {

// boxes (n, 4), scores (n,), C-contiguous; kept: room for n.
void nms(View<const double, 2> boxes, View<const double, 1> scores, double iou, std::int64_t* kept,
         std::uint32_t* count, cudaStream_t stream);

// The first box with a number that isn't finite or with its corners exchanged, or −1; waits for the stream.
std::ptrdiff_t first_bad_box(View<const double, 2> boxes, View<const double, 1> scores, cudaStream_t stream);

// Summits of a map can't be more: any two are more than `reach` pixels apart along an axis.
inline std::size_t most_peaks(std::size_t ny, std::size_t nx, std::size_t reach) {
  return ((ny + reach) / (reach + 1)) * ((nx + reach) / (reach + 1));
}

// found: rows of y, x, height; room for most_peaks.
void peaks(View<const float, 2> map, std::size_t reach, float lower, double* found, std::uint32_t* count,
           cudaStream_t stream);

}  // namespace crewe::cuda::atoms
