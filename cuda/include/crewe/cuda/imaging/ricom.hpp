// crewe/imaging/ricom.hpp on the device. Every pixel adds its positions in their order, each term rounded as the CPU
// rounds it: the same bits as the CPU, whether a scan comes whole or in pieces.
#pragma once

#include <cstddef>

#include "crewe/cuda/buffer.hpp"
#include "crewe/imaging/ricom.hpp"
#include "crewe/view.hpp"

namespace crewe::cuda::imaging {

// The kernel on the device; freed in the order of `stream`.
class RicomKernel {
 public:
  RicomKernel(const crewe::imaging::RicomKernel& kernel, cudaStream_t stream);

  std::size_t width() const { return width_; }
  const float2* values() const { return values_.data(); }  // (width, width) of (y, x) at d = r − p

 private:
  std::size_t width_;
  Buffer<float2> values_;
};

// Adds the positions (row, col) ... (row, col + count − 1), com = count pairs (y, x), to the rows [first, last) of the
// image (sy, sx).
void ricom_scatter(const RicomKernel& kernel, View<float, 2> image, std::size_t row, std::size_t col, const float2* com,
                   std::size_t count, std::size_t first, std::size_t last, cudaStream_t stream);

// com (sy, sx, 2) → out (sy, sx), set (not added to), times `step`.
void ricom(View<const float, 3> com, const RicomKernel& kernel, View<float, 2> out, float step, cudaStream_t stream);

}  // namespace crewe::cuda::imaging
