// crewe/specimen/render.hpp with the image in memory of the device; places, kinds and profiles lie in that of the host.
// Atoms are added one by one, however many there are: the definition, which the CPU meets by Fourier transform where
// there are many. Where the CPU adds them one by one too, images have its bits.
#pragma once

#include <cstdint>
#include <vector>

#include "crewe/cuda/device.hpp"
#include "crewe/specimen/render.hpp"
#include "crewe/view.hpp"

namespace crewe::cuda::specimen {

void render(View<const double, 2> places, const std::uint32_t* kind,
            const std::vector<crewe::specimen::Profile>& profiles, View<float, 2> out, cudaStream_t stream);

}  // namespace crewe::cuda::specimen
