// Sums of a live session's frames on a GPU: crewe/live/device.hpp.
#pragma once

#include <memory>

#include "crewe/live/device.hpp"

namespace crewe::cuda::live {

// threads: of the host, that copy frames to page-locked memory; 0 = one per core. Frames that lie in page-locked memory
// already, one after the other, are read from there.
std::unique_ptr<crewe::live::FrameDevice> make_frame_device(int device, int threads);

}  // namespace crewe::cuda::live
