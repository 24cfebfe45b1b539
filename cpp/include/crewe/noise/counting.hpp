// Counting noise: Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 30 and 43-46.
//
//   shot:  n(p) ~ Poisson(λ(p))                                     λ, n in electrons per pixel
//   pmt:   x(p) = n(p) + N(0, w²·n(p)) + N(0, e²)                   w: relative width of one electron's pulse,
//                                                                   e: pedestal
//
// Arrays are C-contiguous, `out` may be the input. The numbers depend on (seed, picture, pixel) only.
#pragma once

#include <cstdint>

#include "crewe/view.hpp"

namespace crewe::noise {

// Means finite (below zero nothing is counted); whole counts up to 2^24, rounded to floats above.
void shot(View<const float, 2> mean, View<float, 2> out, std::uint64_t seed, std::uint32_t picture, int threads);

void pmt(View<const float, 2> counts, View<float, 2> out, double width, double pedestal, std::uint64_t seed,
         std::uint32_t picture, int threads);

}  // namespace crewe::noise
