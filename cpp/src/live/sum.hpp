// Sum of frames per detector pixel, in double and in the order of the frames: exact for counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crewe/imaging/pixel.hpp"

namespace crewe::live {

// Adds the pixels [begin, end) of some frames of a block to sums[begin] ... sums[end − 1].
void add_frames(const imaging::FrameBlock& block, std::span<const std::uint32_t> frames, std::size_t begin,
                std::size_t end, double* sums);

}  // namespace crewe::live
