// crewe/imaging/patches.hpp on the device: the same patches, added in the same order, with the bits of the CPU.
#pragma once

#include <complex>
#include <cstddef>

#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/device.hpp"
#include "crewe/imaging/patches.hpp"
#include "crewe/view.hpp"

namespace crewe::cuda::imaging {

class Patches {
 public:
  // On the current device.
  Patches(const crewe::imaging::Patches& patches, cudaStream_t stream);

  // As Patches::add; waves (count, 2, n, n) and image in memory of the device.
  void add(View<const float, 4> waves, std::size_t first, std::size_t columns, std::size_t oversample,
           View<std::complex<float>, 2> image, cudaStream_t stream) const;

 private:
  std::size_t size_, reach_;
  Buffer<float> matrix_, weights_;
  Buffer<float2> turn_;
};

}  // namespace crewe::cuda::imaging
