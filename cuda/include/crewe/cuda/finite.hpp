// Whether an array on the device holds only finite numbers.
#pragma once

#include <cstdint>

#include "crewe/cuda/device.hpp"
#include "crewe/view.hpp"

namespace crewe::cuda {

// The index in C order of the first number that isn't finite, or −1. Waits for the stream.
std::int64_t first_not_finite(View<const float, 3> numbers, cudaStream_t stream);

}  // namespace crewe::cuda
