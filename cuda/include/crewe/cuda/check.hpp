// Errors of CUDA become crewe::DeviceError.
#pragma once

#include "crewe/cuda/device.hpp"

namespace crewe::cuda {

// Throws crewe::DeviceError("<what>: <CUDA's words>") unless all is well.
void check(cudaError_t error, const char* what);

}  // namespace crewe::cuda
