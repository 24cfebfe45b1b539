// crewe/imaging/icom.hpp on the device.
#pragma once

#include "crewe/cuda/device.hpp"
#include "crewe/view.hpp"

namespace crewe::cuda::imaging {

// com (sy, sx, 2) → out (sy, sx), both on the device.
void icom(View<const float, 3> com, View<float, 2> out, double step, double high_pass, cudaStream_t stream);

}  // namespace crewe::cuda::imaging
